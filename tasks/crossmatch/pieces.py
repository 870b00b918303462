"""Reading a partition of a catalogue piece by piece: few columns, only row groups that may matter, bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from tasks.crossmatch.catalogue import Catalogue
from tasks.crossmatch.cells import ORDER

PIECE = 2**20  # rows at a time: 32 MB of positions and their cells
PIECE_BYTES = 2**26  # of all columns, as Parquet counts them before compression; wide columns make shorter pieces
# Least and greatest value of a column in a row group; None where the file does not say
Bounds = Callable[[str], tuple[Any, Any] | None]


def read_pieces(
    catalogue: Catalogue, partition: int, columns: Sequence[str], may_hold: Callable[[Bounds], bool]
) -> Iterator[pa.Table]:
    """Tables of `columns`, each about a piece, from the row groups of a partition that `may_hold` what is sought."""
    for path in catalogue.files(partition):
        with catalogue.parquet(path) as file:
            for groups, rows in _packs(file.metadata, columns, may_hold):
                if len(groups) > 1:
                    yield file.read_row_groups(groups, columns, use_threads=False)
                else:
                    for batch in file.iter_batches(rows, groups, columns, use_threads=False):
                        yield pa.Table.from_batches([batch])


def _packs(
    metadata: pq.FileMetaData, columns: Sequence[str], may_hold: Callable[[Bounds], bool]
) -> Iterator[tuple[list[int], int]]:
    """Row groups that may matter, several as long as they are one piece, and how many rows a piece of them has."""
    if not metadata.num_row_groups:
        return
    first = metadata.row_group(0)
    index = {first.column(leaf).path_in_schema: leaf for leaf in range(first.num_columns)}
    leaves = [leaf for path, leaf in index.items() if any(f"{path}.".startswith(f"{name}.") for name in columns)]
    pack: list[int] = []
    share = 0.0  # of a piece
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        if not row_group.num_rows or not may_hold(_bounds(row_group, index)):
            continue
        size = sum(row_group.column(leaf).total_uncompressed_size for leaf in leaves)
        pieces = max(row_group.num_rows / PIECE, size / PIECE_BYTES)
        if pack and share + pieces > 1:
            yield pack, PIECE
            pack, share = [], 0.0
        if pieces > 1:
            yield [group], max(1, int(row_group.num_rows / pieces))
        else:
            pack, share = [*pack, group], share + pieces
    if pack:
        yield pack, PIECE


def _bounds(row_group: pq.RowGroupMetaData, index: dict[str, int]) -> Bounds:
    def bounds(name: str) -> tuple[Any, Any] | None:
        statistics = row_group.column(index[name]).statistics if name in index else None
        return (statistics.min, statistics.max) if statistics is not None and statistics.has_min_max else None

    return bounds


def may_hold_cells(catalogue: Catalogue, cells: NDArray[np.int64], order: int, dec: tuple[float, float]) -> Callable:
    """Whether a row group may hold positions in some `cells` (ascending, of `order`) between two declinations (deg)."""
    starts, stops = cells << (2 * (ORDER - order)), (cells + 1) << (2 * (ORDER - order))

    def may_hold(bounds: Bounds) -> bool:
        column = catalogue.healpix
        indexed = bounds(column.name) if column else None
        if column and indexed:
            shift = 2 * (ORDER - column.order)
            first, last = int(indexed[0]) << shift, (int(indexed[1]) + 1) << shift
            return bool(np.searchsorted(starts, last) > np.searchsorted(stops, first, side="right"))
        span = bounds(catalogue.dec)
        return span is None or (span[0] <= dec[1] and span[1] >= dec[0])

    return may_hold


def may_hold_ids(column: str, ids: NDArray) -> Callable[[Bounds], bool]:
    """Whether a row group may hold some of the ascending `ids` in `column`."""

    def may_hold(bounds: Bounds) -> bool:
        span = bounds(column)
        return span is None or bool(np.searchsorted(ids, span[1], side="right") > np.searchsorted(ids, span[0]))

    return may_hold
