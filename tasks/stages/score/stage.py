"""Score every source with the current models, and write the catalogue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.delta.store import Lake
from lakehouse.lineage import find_outdated
from lakehouse.models import ModelPlace, read_current
from lakehouse.run import Run, StageResult
from schemas import TABLES
from schemas.arrays import align_all
from tasks.learning.catalogue import Scorer, columns_read, has_trained_any, reads_curves, score_rows
from tasks.learning.light_curves import PERIOD, catalogue_rows
from tasks.learning.splits import TEST
from tasks.stages.incremental import ChunkJob, Increment, Work, run_incrementally
from tasks.stages.inputs import count_epochs, read_light_curves
from tasks.stages.score.models import scored_columns, scorers_of

FEATURES, SOURCE = TABLES["feature_sample__source"], TABLES["core_sample__source"]
UNSCORED = "unscored {}"  # column of a chunk's sources: true where the target has no score of these features yet
CHUNKS = 4  # of the other stages in one of this one: scoring is quick
SCORE, CATALOGUE = TABLES["score__value"], TABLES["out__catalogue"]


def score_sources(run: Run, place: ModelPlace | None = None) -> StageResult:
    """Score the sources whose features or models are new; the history is committed first, the catalogue last.

    The models are those of `place`, of the dataset itself where it is None; without any the catalogue has no scores.
    """
    place = place or ModelPlace(run.lake, run.dataset)
    lake, models = Lake(run.lake), read_current(place.lake, place.dataset)
    notes = () if models else (f"no model of {place.dataset}: the catalogue has no class and no quantity",)
    catalogue = CATALOGUE.bind(scored_columns(place, models))  # refuses models of another version before any work
    sources = _read_sources(lake, run.dataset, models)
    source_id, hashes = (sources[name].to_numpy() for name in ("source_id", "input_hash"))
    same_models = {"model_id": " ".join(models.values())}
    todo = sources.filter(
        pa.array(find_outdated(lake, CATALOGUE, run.dataset, source_id, hashes, "feature_hash", same_models))
    )
    gone = _gone(lake, run, source_id)
    if not todo.num_rows and not gone.size:
        return StageResult("score", 0, source_id.size, notes=notes)
    work = [Work(todo, (place, models, datetime.now(UTC)))]
    increment = Increment("score", score_chunk, work, CHUNKS * run.chunk_objects, (catalogue,), (SCORE,), gone,
                          key=(sorted(models.items()),))  # fmt: skip
    return StageResult("score", todo.num_rows, source_id.size, run_incrementally(run, increment), notes)


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


def score_chunk(job: ChunkJob, place: ModelPlace, models: Mapping[str, str], now: datetime) -> None:
    """In a worker: score these sources, and leave their scores and their catalogue rows for the commit.

    The history gets what it does not hold: a column of `job.sources` says of each target what has no such score yet.
    """
    run, source_id, n = job.run, job.source_id, job.sources.num_rows
    scorers = scorers_of(place, models)
    curves = read_light_curves(run, source_id) if reads_curves(scorers) else None
    n_epoch = count_epochs(Lake(run.lake), job.where, source_id)
    rows = catalogue_rows(_read_features(job, columns_read(scorers)), n_epoch, curves, scorers)
    base = {
        "dataset": pa.repeat(run.dataset, n),
        "tile": job.tile,
        "source_id": source_id,
        "feature_hash": job.input_hash,
        "run_id": pa.repeat(run.run_id, n),
        "scored_at": pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), n),
    }
    unscored = [job.sources[UNSCORED.format(target)].to_numpy() for target in models]
    scored = {name: pa.array(values).filter(pa.array(rows.is_scored)) for name, values in base.items()}
    history = [
        _history(each, own, scored, new[rows.is_scored])
        for each, own, new in zip(scorers, rows.scores, unscored, strict=bool(rows.scores))
    ]
    job.stage(SCORE, pa.concat_tables([SCORE.empty(), *history]))
    own = {"is_training": has_trained_any(scorers, source_id), "model_id": pa.repeat(" ".join(models.values()), n)}
    found = {name: rows.table[name] for name in rows.table.column_names}
    table = pa.table({**found, **base, **_read_identity(job), **own})
    job.stage(CATALOGUE.bind(scored_columns(place, models)), table)


def _read_identity(job: ChunkJob) -> dict[str, Any]:
    """Name and position of the sources of a job, in their order."""
    identity = Lake(job.run.lake).read(SOURCE, columns=["source_id", "object_id", "ra", "dec"], where=job.where)
    order = pa.array(align_all(job.source_id, identity["source_id"].to_numpy(), SOURCE.name))
    return {name: identity[name].take(order) for name in ("object_id", "ra", "dec")}


def _read_features(job: ChunkJob, names: Sequence[str]) -> pa.Table:
    """source_id, the features `names` and the period of the sources of a job, in their order."""
    lake = Lake(job.run.lake)
    stored = lake.dataset(FEATURES).schema.names
    period = [column.name for column in PERIOD if column.name in stored]
    rows = lake.read(FEATURES, columns=["source_id", *dict.fromkeys((*names, *period))], where=job.where)
    return rows.take(pa.array(align_all(job.source_id, rows["source_id"].to_numpy(), FEATURES.name)))


def _history(scorer: Scorer, scores: Any, of_source: Mapping[str, Any], unscored: NDArray[np.bool_]) -> pa.Table:
    """Rows of score__value of one scorer for the `unscored` sources (S,)."""
    about = {**of_source, "model_id": pa.repeat(scorer.model_id, unscored.size)}
    about["is_training"] = scorer.folds(of_source["source_id"].to_numpy()) != TEST
    index = pa.array(np.flatnonzero(unscored))
    kept = {name: pa.array(column).take(index) for name, column in about.items()}
    parts = scorer.target.score_values(scores.select(unscored))
    rows = pa.concat_tables([score_rows(values, kept) for values in parts])
    return rows.select(SCORE.arrow().names).cast(SCORE.arrow())
