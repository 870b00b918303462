"""Score every source with the current models, and write the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.store import Lake
from lakehouse.lineage import find_outdated, select_sources
from lakehouse.models import read_current
from lakehouse.run import Run, StageResult
from schemas import TABLES
from schemas.arrays import align, align_all
from tasks.learning.catalogue import (
    Scorer,
    catalogue_values,
    columns_read,
    has_trained_any,
    reads_curves,
    score_rows,
)
from tasks.learning.splits import TEST
from tasks.stages.incremental import ChunkJob, Increment, Work, run_incrementally
from tasks.stages.inputs import read_examples
from tasks.stages.score.models import scored_columns, scorers_of

FEATURES, SOURCE, CLEAN = (
    TABLES[name] for name in ("feature_sample__source", "core_sample__source", "core_sample__epoch")
)
UNSCORED = "unscored {}"  # column of a chunk's sources: true where the target has no score of these features yet
CHUNKS = 4  # of the other stages in one of this one: scoring is quick
SCORE, CATALOGUE = TABLES["score__value"], TABLES["out__catalogue"]
PERIOD = [CATALOGUE.columns_by_name[name] for name in ("period_day", "period_error_day", "period_prob")]


def score_sources(run: Run) -> StageResult:
    """Score the sources whose features or models are new; the history is committed first, the catalogue last."""
    lake, models = Lake(run.lake), read_current(run.lake, run.dataset)
    if not models:
        return StageResult("score", 0, 0, notes=("no model: nothing to score with",))
    catalogue = CATALOGUE.bind(scored_columns(run, models))  # refuses models of another version before any work
    sources = _read_sources(lake, run.dataset, models)
    source_id, hashes = (sources[name].to_numpy() for name in ("source_id", "input_hash"))
    same_models = {"model_id": " ".join(models.values())}
    todo = sources.filter(
        pa.array(find_outdated(lake, CATALOGUE, run.dataset, source_id, hashes, "feature_hash", same_models))
    )
    gone = _gone(lake, run, source_id)
    if not todo.num_rows and not gone.size:
        return StageResult("score", 0, source_id.size)
    work = [Work(todo, (models, datetime.now(UTC)))]
    increment = Increment("score", score_chunk, work, CHUNKS * run.chunk_objects, (catalogue,), (SCORE,), gone,
                          key=(sorted(models.items()),))  # fmt: skip
    return StageResult("score", todo.num_rows, source_id.size, run_incrementally(run, increment))


def _read_sources(lake: Lake, dataset: str, models: Mapping[str, str]) -> pa.Table:
    """source_id, tile, input_hash (of its features) of every source; and for each target if it has no such score."""
    where = {"dataset": dataset}
    sources = lake.read(SOURCE, columns=["source_id", "tile"], where=where)
    features = lake.read(FEATURES, columns=["source_id", "input_hash"], where=where)
    source_id = sources["source_id"].to_numpy()
    hashes = features["input_hash"].to_numpy()[align_all(source_id, features["source_id"].to_numpy(), FEATURES.name)]
    sources = sources.append_column("input_hash", pa.array(hashes))
    for target, model_id in models.items():
        new = find_outdated(lake, SCORE, dataset, source_id, hashes, "feature_hash", {"model_id": model_id})
        sources = sources.append_column(UNSCORED.format(target), pa.array(new))
    return sources


def _gone(lake: Lake, run: Run, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sources of the catalogue that are no longer in the sample."""
    if not lake.exists(CATALOGUE):
        return np.empty(0, np.int64)
    rows = lake.read(CATALOGUE, columns=["source_id"], where={"dataset": run.dataset})
    return np.setdiff1d(rows["source_id"].to_numpy(), source_id)


def score_chunk(job: ChunkJob, models: Mapping[str, str], now: datetime) -> None:
    """In a worker: score these sources, and leave their scores and their catalogue rows for the commit.

    The history gets what it does not hold: a column of `job.sources` says of each target what has no such score yet.
    """
    run, source_id, n = job.run, job.source_id, job.sources.num_rows
    scorers = scorers_of(run, models)
    examples = read_examples(run, source_id, columns_read(scorers), reads_curves(scorers))
    scores = [each.score(examples) for each in scorers]
    base = {
        "dataset": pa.repeat(run.dataset, n), "tile": job.tile, "source_id": source_id,
        "feature_hash": job.input_hash, "run_id": pa.repeat(run.run_id, n),
        "scored_at": pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), n),
    }  # fmt: skip
    unscored = [job.sources[UNSCORED.format(target)].to_numpy() for target in models]
    history = [_history(each, own, base, new) for each, own, new in zip(scorers, scores, unscored, strict=True)]
    job.stage(SCORE, pa.concat_tables(history))
    own = {"is_training": has_trained_any(scorers, source_id), "model_id": pa.repeat(" ".join(models.values()), n)}
    values = {"class_pred": pa.nulls(n, pa.string()), **catalogue_values(scorers, scores)}
    rows = pa.table({**base, **_of_source(run, source_id), **own, **values})
    job.stage(CATALOGUE.bind(scored_columns(run, models)), rows)


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
