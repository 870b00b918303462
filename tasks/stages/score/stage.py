"""Score every source with the current models, and write the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.staging import commit_staged, finished_parts, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import find_outdated, select_sources, split_into_chunks, stage_key
from lakehouse.models import read_current
from lakehouse.run import Run, StageResult
from schemas import TABLES
from schemas.arrays import align, align_all
from tasks.learning.catalogue import (
    Scorer,
    catalogue_values,
    columns_read,
    reads_curves,
    score_rows,
    trained_any,
)
from tasks.learning.splits import TEST
from tasks.stages.fanout import fan_out
from tasks.stages.inputs import read_examples
from tasks.stages.score.models import scored_columns, scorers_of

FEATURES, SOURCE, CLEAN = (
    TABLES[name] for name in ("feature_sample__source", "core_sample__source", "core_sample__epoch")
)
SCORE, CATALOGUE = TABLES["score__value"], TABLES["out__catalogue"]
PERIOD = [CATALOGUE.columns_by_name[name] for name in ("period_day", "period_error_day", "period_prob")]


def score_sources(run: Run) -> StageResult:
    """Score the sources whose features or models are new; the history is committed first, the catalogue last."""
    lake = Lake(run.lake)
    models = read_current(run.lake, run.dataset)
    if not models:
        return StageResult("score", 0, 0, notes=("no model: nothing to score with",))
    columns = scored_columns(run, models)  # refuses models of another version before any work
    sources = lake.read(SOURCE, columns=["source_id", "tile"], where={"dataset": run.dataset})
    features = lake.read(FEATURES, columns=["source_id", "input_hash"], where={"dataset": run.dataset})
    source_id, tile = (sources[name].to_numpy() for name in ("source_id", "tile"))
    hashes = features["input_hash"].to_numpy()[align_all(source_id, features["source_id"].to_numpy(), FEATURES.name)]
    same_models = {"model_id": " ".join(models.values())}
    todo = np.flatnonzero(find_outdated(lake, CATALOGUE, run.dataset, source_id, hashes, "feature_hash", same_models))
    gone = _gone(lake, run, source_id)
    if not todo.size and not gone.size:
        return StageResult("score", 0, source_id.size)

    key = stage_key(lake, CATALOGUE, "score", run.dataset, run.chunk_objects, sorted(models.items()),
                    np.sort(hashes[todo]), gone)  # fmt: skip
    unscored = {
        target: find_outdated(lake, SCORE, run.dataset, source_id, hashes, "feature_hash", {"model_id": model_id})
        for target, model_id in models.items()
    }
    parts = [todo[part] for part in split_into_chunks(source_id[todo], tile[todo], 4 * run.chunk_objects)]
    finished = finished_parts(run.lake, CATALOGUE, key)
    now = datetime.now(UTC)
    jobs = [
        (run, models, key, i, source_id[part], tile[part], hashes[part], _part_of(unscored, part), now)
        for i, part in enumerate(parts)
        if str(i) not in finished
    ]
    fan_out(run.scheduler, score_chunk, jobs, "score", [job[4].size for job in jobs], run.retries)
    wide, leaving = CATALOGUE.bind(columns), np.union1d(source_id[todo], gone)
    tables = (
        commit_staged(lake, run.run_id, SCORE, key, None, None, run.dataset, "score"),
        commit_staged(lake, run.run_id, wide, key, None, leaving, run.dataset, "score"),
    )
    return StageResult("score", todo.size, source_id.size, tables)


def _part_of(of_target: Mapping[str, NDArray[np.bool_]], part: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    return {target: values[part] for target, values in of_target.items()}


def _gone(lake: Lake, run: Run, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sources of the catalogue that are no longer in the sample."""
    if not lake.exists(CATALOGUE):
        return np.empty(0, np.int64)
    known = lake.read(CATALOGUE, columns=["source_id"], where={"dataset": run.dataset})["source_id"].to_numpy()
    return np.setdiff1d(known, source_id)


def score_chunk(
    run: Run, models: Mapping[str, str], key: str, part: int, source_id: NDArray[np.int64], tile: NDArray[np.int32],
    hashes: NDArray[np.int64], unscored: Mapping[str, NDArray[np.bool_]], now: datetime,
) -> None:  # fmt: skip
    """In a worker: score these sources, and leave their scores and their catalogue rows for the commit.

    The history gets what it does not hold: `unscored` says of each target which sources (S,) have no such score yet.
    """
    scorers = scorers_of(run, models)
    examples = read_examples(run, source_id, columns_read(scorers), reads_curves(scorers))
    scores = [each.score(examples) for each in scorers]
    n = source_id.size
    base = {
        "dataset": pa.repeat(run.dataset, n), "tile": tile, "source_id": source_id, "feature_hash": hashes,
        "run_id": pa.repeat(run.run_id, n), "scored_at": pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), n),
    }  # fmt: skip
    history = [_history(each, own, base, unscored[target])
               for target, each, own in zip(models, scorers, scores, strict=True)]  # fmt: skip
    stage_rows(run.lake, SCORE, pa.concat_tables(history), key, part)
    own = {"is_training": trained_any(scorers, source_id), "model_id": pa.repeat(" ".join(models.values()), n)}
    values = {"class_pred": pa.nulls(n, pa.string()), **catalogue_values(scorers, scores)}
    rows = pa.table({**base, **_of_source(run, source_id), **own, **values})
    stage_rows(run.lake, CATALOGUE.bind(scored_columns(run, models)), rows, key, part)


def _of_source(run: Run, source_id: NDArray[np.int64]) -> dict[str, Any]:
    """What the catalogue says of these sources beside their scores: name, position, epochs and period."""
    lake, where = Lake(run.lake), select_sources(source_id) & (pc.field("dataset") == run.dataset)
    identity = lake.read(SOURCE, columns=["object_id", "ra", "dec"], where=where)
    order = pa.array(np.argsort(np.argsort(source_id)))
    return {name: identity[name].take(order) for name in identity.column_names} | _measured(lake, where, source_id)


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


def _history(scorer: Scorer, scores: Any, of_source: Mapping[str, Any], unscored: NDArray[np.bool_]) -> pa.Table:
    """Rows of score__value of one scorer for the `unscored` sources (S,)."""
    about = {**of_source, "model_id": pa.repeat(scorer.model_id, unscored.size)}
    about["is_training"] = scorer.folds(of_source["source_id"]) != TEST
    index = pa.array(np.flatnonzero(unscored))
    kept = {name: pa.array(column).take(index) for name, column in about.items()}
    parts = scorer.target.score_values(scores.select(unscored))
    rows = pa.concat_tables([score_rows(values, kept) for values in parts])
    return rows.select(SCORE.arrow().names).cast(SCORE.arrow())
