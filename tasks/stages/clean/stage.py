"""Keep the good epochs of every light curve; the ledger says how many each cut removed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.bands import bands
from lakehouse.delta.staging import commit_staged, finished_parts, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import among, chained, chunks, outdated, stage_key
from lakehouse.run import Run, StageResult
from schemas import TABLES
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import CUTS_VERSION, CutConfig, apply_cuts
from tasks.stages.fanout import fan_out
from tasks.stages.inputs import places

RAW, CLEAN, LEDGER = (TABLES[name] for name in ("raw_sample__epoch", "core_sample__epoch", "core_cut__ledger"))
IDENTITY = ("dataset", "tile", "source_id", "survey")


def clean_sources(run: Run, cuts: CutConfig) -> StageResult:
    """Clean the sources whose epochs or cuts are new; one commit per table, the ledger first."""
    lake = Lake(run.lake)
    sources = lake.read(TABLES["core_sample__source"], columns=["source_id", "tile", "content_hash", "n_epoch"],
                        where={"dataset": run.dataset})  # fmt: skip
    sources = sources.filter(pa.compute.greater(sources["n_epoch"], 0))
    if not sources.num_rows:
        return StageResult("clean", 0, 0, notes=("no light curves: nothing to clean",))
    source_id, tile = sources["source_id"].to_numpy(), sources["tile"].to_numpy()
    expected = chained(sources["content_hash"].to_numpy(), f"clean {CUTS_VERSION} {cuts}")
    todo = np.flatnonzero(outdated(lake, CLEAN, run.dataset, source_id, expected))
    if not todo.size:
        return StageResult("clean", 0, len(source_id))

    key = stage_key(lake, CLEAN, "clean", run.dataset, run.chunk_objects, np.sort(expected[todo]))
    names = bands(lake, run.dataset).names
    parts = chunks(source_id[todo], tile[todo], run.chunk_objects)
    finished = finished_parts(run.lake, CLEAN, key)
    jobs = [(run, names, cuts, key, i, source_id[todo[part]], tile[todo[part]], expected[todo[part]])
            for i, part in enumerate(parts) if str(i) not in finished]  # fmt: skip
    fan_out(run.scheduler, clean_chunk, jobs, "clean", [job[5].size for job in jobs], run.retries)
    commit = partial(
        commit_staged, lake, run.run_id, stage_key=key, replace_sources=source_id[todo], dataset=run.dataset
    )
    tables = tuple(commit(spec=spec, stage="clean") for spec in (LEDGER, CLEAN))
    return StageResult("clean", todo.size, len(source_id), tables)


def clean_chunk(
    run: Run, names: tuple[str, ...], cuts: CutConfig, key: str, part: int,
    source_id: NDArray[np.int64], tile: NDArray[np.int32], expected: NDArray[np.int64],
) -> None:  # fmt: skip
    """In a worker: cut the light curves of these sources and leave them and their ledger for the commit."""
    where = among(source_id) & (pa.compute.field("dataset") == run.dataset)
    rows = Lake(run.lake).read(RAW, where=where & pa.compute.field("tile").isin(np.unique(tile)))
    places(source_id, np.unique(rows["source_id"].to_numpy()), RAW.name)
    kept, removed, first = cut_curves(rows, names, cuts)
    identity = {name: rows[name].take(pa.array(first)) for name in IDENTITY}
    order = np.argsort(source_id)
    hashes = expected[order][np.searchsorted(source_id[order], kept.source_id)]
    epochs = kept.to_arrow()
    cleaned = pa.table({**identity, "input_hash": hashes, **{c: epochs[c] for c in epochs.column_names[1:]}})
    stage_rows(run.lake, LEDGER, _ledger(identity, removed, cuts.names), key, part)
    stage_rows(run.lake, CLEAN, cleaned, key, part)


def cut_curves(
    rows: pa.Table, names: tuple[str, ...], cuts: CutConfig
) -> tuple[LightCurveBatch, NDArray[np.int32], NDArray[np.int64]]:
    """One cut light curve for each source and survey, how many epochs each cut took of it, and its first row.

    Each of the survey's objects (rows of raw_sample__epoch) is cut by itself, and they are joined after: their zero
    points differ, so what is far out in one need not be so among all.
    """
    objects, removed, _ = apply_cuts(LightCurveBatch.from_arrow(rows, names), cuts)
    kept, first = _by_survey(objects, rows)
    return kept, np.add.reduceat(removed, first) if first.size else removed, first


def _by_survey(batch: LightCurveBatch, rows: pa.Table) -> tuple[LightCurveBatch, NDArray[np.int64]]:
    """One light curve for each source and survey, of all the survey's objects; and the first row of each."""
    survey = rows["survey"].combine_chunks().dictionary_encode().indices.to_numpy()
    differs = (np.diff(batch.source_id) != 0) | (np.diff(survey) != 0)
    first = np.flatnonzero(np.concatenate([[len(batch) > 0], differs])[: len(batch)])
    offsets = np.append(batch.offsets[first], batch.offsets[-1])
    return replace(batch, source_id=batch.source_id[first], offsets=offsets).sorted_by_time(), first


def _ledger(identity: dict[str, pa.ChunkedArray], removed: NDArray[np.int32], names: tuple[str, ...]) -> pa.Table:
    row, cut = np.nonzero(removed)
    columns = {name: values.take(pa.array(row)) for name, values in identity.items()}
    return pa.table({**columns, "cut": pa.array(names).take(pa.array(cut)), "n_removed": removed[row, cut]}).cast(
        LEDGER.arrow()
    )
