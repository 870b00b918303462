"""A chunk of objects as an archive gave it, as rows of core_sample__source and raw_sample__epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse import ids
from tasks.folder import local
from tasks.lightcurves.batch import LightCurveBatch, offsets_of
from tasks.stages.archive import Archive, ObjectChunk


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
