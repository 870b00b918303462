"""Score every source with the current models, and write the catalogue."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lakehouse.delta.staging import commit_staged, finished_parts, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import among, chunks, outdated, stage_key
from lakehouse.models import current, model_dir, read_card
from lakehouse.run import Run, StageResult
from schemas import TABLES, Column
from schemas.arrays import align, align_all
from schemas.quantities import quantity
from schemas.tables.catalogue import PROBABILITY, QUANTITY, QUANTITY_HI, QUANTITY_LO
from tasks.learning.data import Examples
from tasks.learning.ensemble import ensemble_predict
from tasks.learning.evaluation import Scores, calibrated, calibration_from_json
from tasks.learning.fit import Model
from tasks.learning.persistence import load
from tasks.learning.recipe import Recipe, recipe_from_json
from tasks.learning.splits import TEST
from tasks.stages.fanout import fan_out
from tasks.stages.inputs import read_examples

FEATURES, SOURCE, CLEAN = (
    TABLES[name] for name in ("feature_sample__source", "core_sample__source", "core_sample__epoch")
)
SCORE, CATALOGUE = TABLES["score__value"], TABLES["out__catalogue"]
PERIOD = [CATALOGUE.columns_by_name[name] for name in ("period_day", "period_error_day", "period_prob")]


@dataclass(frozen=True, eq=False)
class Scorer:
    """The current model of one target: one model per fold, the fold of each source that trained, the calibration."""

    target: str
    model_id: str
    recipe: Recipe
    classes: tuple[str, ...]
    features: tuple[str, ...]
    models: tuple[Model, ...]
    calibration: Any
    trained: NDArray[np.int64]
    fold: NDArray[np.int64]

    def folds(self, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
        """Fold of each source, (S,); -1 where it trained no model."""
        place = align(source_id, self.trained)
        return np.where(place >= 0, self.fold[place], TEST)

    def score(self, examples: Examples) -> Scores:
        """Calibrated scores; a source that trained is scored by the one model that never saw it."""
        found = ensemble_predict(self.models, examples, self.folds(examples.source_id), self.classes or None)
        return calibrated(self.recipe, self.calibration, found.raw)


@functools.lru_cache(maxsize=16)
def scorer(lake: str, dataset: str, target: str, model_id: str) -> Scorer:
    """The model of `target` as it lies in the lake; kept, because a worker scores many chunks."""
    folder = model_dir(lake, dataset, target, model_id)
    card = read_card(lake, dataset, target, model_id)
    labels = pq.read_table(folder / "labels.parquet", columns=["source_id", "fold"])
    models = tuple(load(folder / f"fold-{k}") for k in range(card["n_folds"]))
    return Scorer(
        target, model_id, recipe_from_json(card["recipe"]), tuple(card["classes"]), tuple(card["features"]), models,
        calibration_from_json(card["calibration"]), labels["source_id"].to_numpy(),
        labels["fold"].to_numpy().astype(np.int64),
    )  # fmt: skip


def scorers_of(run: Run, models: Mapping[str, str]) -> list[Scorer]:
    """The scorer of each target."""
    return [scorer(run.lake, run.dataset, target, model_id) for target, model_id in models.items()]


def score_sources(run: Run) -> StageResult:
    """Score the sources whose features or models are new; the history is committed first, the catalogue last."""
    lake = Lake(run.lake)
    models = current(run.lake, run.dataset)
    if not models:
        return StageResult("score", 0, 0, notes=("no model: nothing to score with",))
    sources = lake.read(SOURCE, columns=["source_id", "tile"], where={"dataset": run.dataset})
    features = lake.read(FEATURES, columns=["source_id", "input_hash"], where={"dataset": run.dataset})
    source_id, tile = (sources[name].to_numpy() for name in ("source_id", "tile"))
    hashes = features["input_hash"].to_numpy()[align_all(source_id, features["source_id"].to_numpy(), FEATURES.name)]
    same_models = {"model_id": " ".join(models.values())}
    todo = np.flatnonzero(outdated(lake, CATALOGUE, run.dataset, source_id, hashes, "feature_hash", same_models))
    gone = _gone(lake, run, source_id)
    if not todo.size and not gone.size:
        return StageResult("score", 0, source_id.size)

    key = stage_key(lake, CATALOGUE, "score", run.dataset, run.chunk_objects, sorted(models.items()),
                    np.sort(hashes[todo]), gone)  # fmt: skip
    never = {
        target: outdated(lake, SCORE, run.dataset, source_id, hashes, "feature_hash",
                         {"target": target, "model_id": model_id})
        for target, model_id in models.items()
    }  # fmt: skip
    parts = [todo[part] for part in chunks(source_id[todo], tile[todo], 4 * run.chunk_objects)]
    finished = finished_parts(run.lake, CATALOGUE, key)
    now = datetime.now(UTC)
    jobs = [(run, models, key, i, source_id[part], tile[part], hashes[part], {t: new[part] for t, new in never.items()},
             now) for i, part in enumerate(parts) if str(i) not in finished]  # fmt: skip
    fan_out(run.scheduler, score_chunk, jobs, "score", [job[4].size for job in jobs], run.retries)
    cards = [read_card(run.lake, run.dataset, target, model_id) for target, model_id in models.items()]
    wide, leaving = CATALOGUE.bind(score_columns(cards)), np.union1d(source_id[todo], gone)
    tables = (
        commit_staged(lake, run.run_id, SCORE, key, None, None, run.dataset, "score"),
        commit_staged(lake, run.run_id, wide, key, None, leaving, run.dataset, "score"),
    )
    return StageResult("score", todo.size, source_id.size, tables)


def _gone(lake: Lake, run: Run, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sources of the catalogue that are no longer in the sample."""
    if not lake.exists(CATALOGUE):
        return np.empty(0, np.int64)
    known = lake.read(CATALOGUE, columns=["source_id"], where={"dataset": run.dataset})["source_id"].to_numpy()
    return np.setdiff1d(known, source_id)


def score_chunk(
    run: Run, models: Mapping[str, str], key: str, part: int, source_id: NDArray[np.int64], tile: NDArray[np.int32],
    hashes: NDArray[np.int64], never: Mapping[str, NDArray[np.bool_]], now: datetime,
) -> None:  # fmt: skip
    """In a worker: score these sources, and leave their scores and their catalogue rows for the commit.

    The history gets what it does not hold: `never` says of each target which sources (S,) it has not scored like this.
    """
    scorers = scorers_of(run, models)
    needed = sorted({name for each in scorers for name in each.features})
    examples = read_examples(run, source_id, needed, any(each.recipe.model == "lstm" for each in scorers))
    scores = {each.target: each.score(examples) for each in scorers}
    is_training = np.any([each.folds(source_id) != TEST for each in scorers], axis=0)
    base = {"dataset": pa.repeat(run.dataset, source_id.size), "tile": tile, "source_id": source_id}
    stamp = {"run_id": pa.repeat(run.run_id, source_id.size), "scored_at": pa.repeat(now, source_id.size)}
    values = wide_scores(scorers, scores)
    values.setdefault("class_pred", pa.nulls(source_id.size, pa.string()))
    cards = [read_card(run.lake, run.dataset, target, model_id) for target, model_id in models.items()]
    spec = CATALOGUE.bind(score_columns(cards))
    lake = Lake(run.lake)
    where = among(source_id) & (pc.field("dataset") == run.dataset)
    identity = lake.read(SOURCE, columns=["object_id", "ra", "dec"], where=where)
    order = np.argsort(np.argsort(source_id))
    rows = {
        **base, **{c: identity[c].take(pa.array(order)) for c in identity.column_names},
        **_measured(lake, where, source_id), "is_training": is_training,
        "model_id": pa.repeat(" ".join(models.values()), source_id.size), "feature_hash": hashes, **stamp, **values,
    }  # fmt: skip
    long = [_long(each, scores[each.target], base, stamp, hashes, never[each.target]) for each in scorers]
    stage_rows(run.lake, SCORE, pa.concat_tables(long), key, part)
    stage_rows(run.lake, spec, pa.table(rows), key, part)


def _measured(lake: Lake, where: pc.Expression, source_id: NDArray[np.int64]) -> dict[str, Any]:
    """Epochs that survived the cuts, and the period and how sure it is: what the catalogue says beside the scores."""
    n_epoch = np.zeros(source_id.size, np.int32)
    order = np.argsort(source_id)
    if lake.exists(CLEAN):
        rows = lake.read(CLEAN, columns=["source_id", "time"], where=where)
        place = align(rows["source_id"].to_numpy(), source_id)
        np.add.at(n_epoch, place, pc.list_value_length(rows["time"]).to_numpy())
    known = [column.name for column in PERIOD if column.name in lake.dataset(FEATURES).schema.names]
    features = lake.read(FEATURES, columns=["source_id", *known], where=where).take(pa.array(np.argsort(order)))
    period = {c.name: features[c.name] if c.name in known else pa.nulls(source_id.size, c.type) for c in PERIOD}
    return {"n_epoch": n_epoch, **period}


def wide_scores(scorers: Sequence[Scorer], scores: Mapping[str, Scores]) -> dict[str, Any]:
    """Values of class_pred, prob_<class>, and each quantity with its interval, by column."""
    values: dict[str, Any] = {}
    for each in scorers:
        found = scores[each.target]
        if found.proba is not None:
            values["class_pred"] = pa.array(each.classes).take(pa.array(found.proba.argmax(axis=1)))
            values |= {f"prob_{label}": found.proba[:, i].astype(np.float32) for i, label in enumerate(each.classes)}
            continue
        for suffix, array in (("", found.value), ("_lo", found.lo), ("_hi", found.hi)):
            values[each.target + suffix] = pa.array(array, pa.float32(), from_pandas=True)
    return values


def score_columns(cards: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The catalogue's columns of the models with these cards, in the order of `wide_scores`."""
    columns: list[Column] = []
    for card in cards:
        if card["classes"]:
            columns += [PROBABILITY.named(f"prob_{label}", f"Calibrated probability of class {label}.")
                        for label in card["classes"]]  # fmt: skip
        else:
            columns += _quantity_columns(card["target"], card["calibration"]["level"])
    return columns


def _quantity_columns(target: str, level: float) -> list[Column]:
    about = quantity(target)
    made = (
        (QUANTITY, "", f"Predicted {target}."),
        (QUANTITY_LO, ";stat.min", f"Lower end of its {level:.0%} interval."),
        (QUANTITY_HI, ";stat.max", f"Upper end of its {level:.0%} interval."),
    )
    return [replace(family.named(family.name.format(quantity=target), doc), unit=about.unit, ucd=about.ucd + more)
            for family, more, doc in made]  # fmt: skip


def _long(
    each: Scorer, scores: Scores, base: Mapping[str, Any], stamp: Mapping[str, Any], hashes: NDArray[np.int64],
    new: NDArray[np.bool_],
) -> pa.Table:  # fmt: skip
    """Rows of score__value of one target for the `new` sources: one for each source and class, or for each source."""
    names = each.classes or (each.target,)
    value = scores.proba if scores.proba is not None else np.reshape(scores.quantity()[0], (-1, 1))
    n_source, n_name = value.shape
    row = pa.array(np.repeat(np.arange(n_source), n_name))
    ends = {
        end: pa.nulls(len(row), pa.float64()) if array is None else pa.array(array, from_pandas=True).take(row)
        for end, array in (("lo", scores.lo), ("hi", scores.hi))
    }
    of_source = {**base, **stamp, "feature_hash": hashes, "is_training": each.folds(base["source_id"]) != TEST}
    table = {name: pa.array(column).take(row) for name, column in of_source.items()}
    table |= {"target": pa.repeat(each.target, len(row)), "model_id": pa.repeat(each.model_id, len(row)),
              "name": pa.array(names).take(pa.array(np.tile(np.arange(n_name), n_source))),
              "value": value.ravel(), **ends}  # fmt: skip
    return pa.table(table).select(SCORE.arrow().names).cast(SCORE.arrow()).filter(pa.array(np.repeat(new, n_name)))
