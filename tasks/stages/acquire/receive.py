"""A chunk of objects as an archive gave it, as rows of the lake's tables; what is new of its light curves is staged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.delta.staging import stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import find_outdated
from lakehouse.run import Run
from schemas import TABLES
from schemas.arrays import align_all
from tasks.stages.archive import Archive, ObjectChunk
from tasks.stages.rows import epoch_rows, identity, source_rows

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


def _with_place(dataset: str, table: pa.Table, source_id: NDArray[np.int64], tile: NDArray[np.int32]) -> pa.Table:
    """`table`, whose rows have a source_id, with the dataset and the tile of each row."""
    own = table["source_id"].to_numpy()
    place = align_all(own, source_id, SOURCE.name)
    rest = {name: table[name] for name in table.column_names if name != "source_id"}
    return pa.table({**identity(dataset, own, tile[place]), **rest})
