"""A chunk of objects as an archive gave it, as rows of the lake's tables; what is new of its light curves is staged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse import ids
from lakehouse.delta.staging import stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import find_outdated
from lakehouse.run import Run
from schemas import TABLES
from schemas.arrays import align_all
from tasks.folder import local
from tasks.lightcurves.batch import LightCurveBatch, offsets_of
from tasks.stages.acquire.archive import Archive, ObjectChunk

SOURCE, RAW = TABLES["core_sample__source"], TABLES["raw_sample__epoch"]


@dataclass(frozen=True, eq=False)
class ReceivedRows:
    """Rows of a chunk that wait for the commit: of core_sample__source, of the tables beside, and what was refused."""

    sources: pa.Table
    beside: dict[str, pa.Table]
    rejected: pa.Table | None


def receive_chunk(
    run: Run, lake: Lake, archive: Archive, chunk: ObjectChunk, key: str, part: int
) -> tuple[ReceivedRows, NDArray[np.int64]]:
    """Stage the new and changed light curves of a chunk; returns its other rows, and the ids of what is new."""
    sources = source_rows(run.dataset, archive, chunk, lake.tile_order)
    source_id, tile = (sources[name].to_numpy() for name in ("source_id", "tile"))
    beside = {name: _with_place(run.dataset, rows, source_id, tile) for name, rows in chunk.beside.items()}
    judge = RAW if archive.has_epochs else SOURCE
    new = find_outdated(lake, judge, run.dataset, source_id, sources["content_hash"].to_numpy(), "content_hash")
    if archive.has_epochs and new.any():
        rows = epoch_rows(chunk.epochs, chunk.objid, [band.survey for band in archive.bands], sources, new)
        stage_rows(run.lake, RAW, rows, key, part)
    return ReceivedRows(sources, beside, chunk.rejected), source_id[new]


def source_rows(dataset: str, archive: Archive, chunk: ObjectChunk, tile_order: int) -> pa.Table:
    """Rows of core_sample__source, one for each object of the chunk (S).

    The position decides the tile, so it is part of the content hash: a source that moved is a changed source.
    """
    table, batch = chunk.sources, chunk.epochs
    source_id = table["source_id"].to_numpy()
    ra, dec = (table[name].to_numpy(zero_copy_only=False).astype(float) for name in ("ra", "dec"))
    tile = ids.tiles(source_id, ra, dec, archive.is_gaia, tile_order)
    named = [f"{name} {where}" for name, *where in zip(table["object_id"].to_pylist(), ra, dec, strict=True)]
    return pa.table(
        {
            **identity(dataset, source_id, tile),
            "object_id": table["object_id"],
            "ra": ra,
            "dec": dec,
            "n_epoch": batch.n_epoch.astype(np.int32) * archive.has_epochs,
            "content_hash": local.content_hash(batch, named),
        }
    )


def epoch_rows(
    batch: LightCurveBatch,
    objid: NDArray[np.int64] | None,
    survey_of_band: Sequence[str],
    sources: pa.Table,
    wanted: NDArray[np.bool_],
) -> pa.Table:
    """Rows of raw_sample__epoch of the `wanted` (S,) sources: one for each object of a survey that has seen them.

    `sources` has the rows of core_sample__source of the batch; `objid` (N,) the survey's object of each epoch, 0
    where it is None.
    """
    surveys, code = np.unique(survey_of_band, return_inverse=True)
    row, survey = batch.row, code[batch.band]
    objid = np.zeros(row.size, np.int64) if objid is None else objid
    order, first = _group_epochs(batch.time, (row, survey, objid), wanted[row])
    lead = order[first]
    offsets = offsets_of(np.diff(np.append(first, order.size)))
    curves = LightCurveBatch(
        batch.source_id[row[lead]],
        offsets,
        batch.time[order],
        batch.mag[order],
        batch.mag_err[order],
        batch.band[order],
        batch.flags[order],
        batch.bands,
    ).to_arrow()
    own = sources.select(["dataset", "tile", "source_id", "content_hash"]).take(pa.array(row[lead]))
    return pa.table(
        {
            **{name: own[name] for name in own.column_names},
            "survey": pa.array(surveys).take(pa.array(survey[lead])),
            "objid": objid[lead],
            **{name: curves[name] for name in curves.column_names if name != "source_id"},
        }
    )


def _group_epochs(
    time: NDArray[np.float64], keys: Sequence[NDArray[np.int64]], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The `wanted` (N,) epochs in the order of the keys and of time, and where in that order each group begins (L,)."""
    epoch = np.flatnonzero(wanted)
    order = epoch[np.lexsort((time[epoch], *(key[epoch] for key in reversed(keys))))]
    differs = [np.diff(key[order]) != 0 for key in keys]
    first = np.concatenate([[order.size > 0], np.logical_or.reduce(differs)])[: order.size]
    return order, np.flatnonzero(first)


def identity(dataset: str, source_id: NDArray[np.int64], tile: NDArray[np.int32]) -> dict[str, Any]:
    """The columns that every table by source begins with, (S,) each."""
    return {"dataset": pa.repeat(dataset, source_id.size), "tile": tile, "source_id": source_id}


def _with_place(dataset: str, table: pa.Table, source_id: NDArray[np.int64], tile: NDArray[np.int32]) -> pa.Table:
    """`table`, whose rows have a source_id, with the dataset and the tile of each row."""
    own = table["source_id"].to_numpy()
    place = align_all(own, source_id, SOURCE.name)
    rest = {name: table[name] for name in table.column_names if name != "source_id"}
    return pa.table({**identity(dataset, own, tile[place]), **rest})
