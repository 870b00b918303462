"""Keep the good epochs of every light curve; the ledger says how many each cut removed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.bands import read_bands
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.lineage import chain_hashes, find_outdated
from lakehouse.run import Run, StageResult
from schemas import TABLES, BadInput
from schemas.arrays import align, align_all
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import CUTS_VERSION, cut_by_survey
from tasks.stages.incremental import ChunkJob, Increment, Work, run_incrementally
from tasks.stages.inputs import count_epochs
from tasks.surveys.cuts import CutConfig

SOURCE, RAW, CLEAN, LEDGER = (
    TABLES[name] for name in ("core_sample__source", "raw_sample__epoch", "core_sample__epoch", "core_cut__ledger")
)
IDENTITY = ("dataset", "tile", "source_id", "survey")


def clean_sources(run: Run, cuts: CutConfig) -> StageResult:
    """Clean the sources whose epochs or cuts are new; one commit per table, the ledger first.

    BadInput where the cuts leave no epoch of any source: what they removed is in the ledger.
    """
    lake = Lake(run.lake)
    sources = _sources_with_epochs(lake, run.dataset, cuts)
    if not sources.num_rows:
        return StageResult("clean", 0, 0, notes=("no light curves: nothing to clean",))
    source_id, expected = (sources[name].to_numpy() for name in ("source_id", "input_hash"))
    todo = sources.filter(pa.array(find_outdated(lake, CLEAN, run.dataset, source_id, expected)))
    tables: tuple[TableRef, ...] = ()
    if todo.num_rows:
        work = [Work(todo, (read_bands(lake, run.dataset).names, cuts))]
        tables = run_incrementally(run, Increment("clean", clean_chunk, work, run.chunk_objects, (LEDGER, CLEAN)))
    n_empty = count_empty(lake, run.dataset, source_id)
    notes = (f"no epoch of {n_empty:,} of {source_id.size:,} sources is left: they get no scores",) if n_empty else ()
    return StageResult("clean", todo.num_rows, sources.num_rows, tables, notes)


def count_empty(lake: Lake, dataset: str, source_id: NDArray[np.int64]) -> int:
    """How many of the sources (S,) the cuts leave no epoch of; BadInput where it is all of them."""
    n_epoch = count_epochs(lake, {"dataset": dataset}, source_id)
    n_empty = 0 if n_epoch is None else int(np.count_nonzero(n_epoch == 0))
    if n_empty < source_id.size:
        return n_empty
    ledger = lake.read(LEDGER, columns=["cut", "n_removed"], where={"dataset": dataset})
    removed = ledger.group_by("cut").aggregate([("n_removed", "sum")]).sort_by([("n_removed_sum", "descending")])
    words = ", ".join(f"{row['cut']} removed {row['n_removed_sum']:,} epochs" for row in removed.to_pylist())
    raise BadInput(
        f"The cuts leave no epoch of the {n_empty:,} sources of {dataset} ({words}): check the column that the first "
        "of these reads, or name the cuts to keep with --set cuts.names=[finite, duplicate_time]."
    )


def _sources_with_epochs(lake: Lake, dataset: str, cuts: CutConfig) -> pa.Table:
    """source_id, tile and input_hash, which changes with epochs and cuts, of every source that has epochs."""
    columns = ["source_id", "tile", "content_hash", "n_epoch"]
    sources = lake.read(SOURCE, columns=columns, where={"dataset": dataset})
    sources = sources.filter(pc.greater(sources["n_epoch"], 0))
    hashes = chain_hashes(sources["content_hash"].to_numpy(), f"clean {CUTS_VERSION} {cuts}")
    return sources.select(["source_id", "tile"]).append_column("input_hash", pa.array(hashes))


def clean_chunk(job: ChunkJob, names: tuple[str, ...], cuts: CutConfig) -> None:
    """In a worker: cut the light curves of these sources and leave them and their ledger for the commit."""
    rows = Lake(job.run.lake).read(RAW, where=job.where & pc.field("tile").isin(np.unique(job.tile)))
    align_all(job.source_id, rows["source_id"].to_numpy(), RAW.name)
    survey = rows["survey"].combine_chunks().dictionary_encode().indices.to_numpy()
    kept, removed, first = cut_by_survey(LightCurveBatch.from_arrow(rows, names), survey, cuts)
    identity = {name: rows[name].take(pa.array(first)) for name in IDENTITY}
    hashes = job.input_hash[align(kept.source_id, job.source_id)]
    epochs = kept.to_arrow()
    columns = {**identity, "input_hash": hashes, **{name: epochs[name] for name in epochs.column_names[1:]}}
    job.stage(LEDGER, _ledger(identity, removed, cuts.names))
    job.stage(CLEAN, pa.table(columns))


def _ledger(identity: dict[str, pa.ChunkedArray], removed: NDArray[np.int32], names: tuple[str, ...]) -> pa.Table:
    """Rows of core_cut__ledger: one for each light curve (L,) and cut that took epochs of it; `removed` is (L,C)."""
    row, cut = np.nonzero(removed)
    columns = {name: values.take(pa.array(row)) for name, values in identity.items()}
    return pa.table({**columns, "cut": pa.array(names).take(pa.array(cut)), "n_removed": removed[row, cut]}).cast(
        LEDGER.arrow()
    )
