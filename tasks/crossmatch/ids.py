"""Rows of a catalogue on disk by their ids: detections by objID, light curves by source_id."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import ArrayLike, NDArray

from schemas import BadInput
from tasks.crossmatch.catalogue import Catalogue
from tasks.crossmatch.cells import narrowest_order, reach_of
from tasks.crossmatch.cover import cells_within, cover
from tasks.crossmatch.neighbours import cells_of, runs
from tasks.crossmatch.partitions import FINE
from tasks.crossmatch.pieces import Bounds, may_hold_cells, may_hold_ids, read_pieces

MayHold = Callable[[Bounds], bool]


def rows_by_id(
    catalogue: Catalogue,
    column: str,
    ids: ArrayLike,
    columns: Sequence[str] = (),
    near: tuple[ArrayLike, ArrayLike] | None = None,
    margin_arcsec: float = 60.0,
) -> Iterator[pa.Table]:
    """All rows of `catalogue` whose `column` is one of `ids` (N,), in the catalogue's order: tables of `column` and
    `columns` (all, where none is named).

    `near`: (ra, dec), (M,) deg each, about where the rows are; only partitions, and row groups of these, that may hold
    something within `margin_arcsec` of there are read. Row groups whose statistics exclude every id are not read.
    Raises BadInput for unknown columns and ids of another type than the column's.
    """
    schema = catalogue.schema()
    asked = catalogue.check_columns([column, *(columns or schema.names)])
    kind = schema.field(column).type
    wanted = pa.array(np.unique(np.asarray(ids)))
    if pa.types.is_string(wanted.type) != (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise BadInput(f"{catalogue.name}: {column!r} is of type {kind}, the ids are of type {wanted.type}.")
    sought = may_hold_ids(column, wanted.to_numpy(zero_copy_only=False))
    places: Iterable[tuple[int, MayHold]] = ((partition, _anything) for partition in range(len(catalogue.paths)))
    if near is not None:
        ra, dec = (np.asarray(angle, np.float64) for angle in near)
        places = _near(catalogue, ra, dec, margin_arcsec)
    for partition, is_near in places:
        for piece in read_pieces(catalogue, partition, asked, _both(sought, is_near)):
            found = piece.filter(pc.is_in(piece[column], wanted.cast(kind)))
            if len(found):
                yield found


def _near(
    catalogue: Catalogue, ra: NDArray[np.float64], dec: NDArray[np.float64], margin_arcsec: float
) -> Iterator[tuple[int, MayHold]]:
    """Partitions within reach of some positions (M,) deg, and which of their row groups may hold something there."""
    reach = reach_of(np.radians(margin_arcsec / 3600))
    order = min(narrowest_order(reach), FINE)
    cell = cells_of(ra, dec)
    where, partition = cover(cell, catalogue.start, catalogue.stop, reach)
    by_partition = np.argsort(partition, kind="stable")
    for first, n in zip(*runs(partition[by_partition]), strict=True):
        here = by_partition[first : first + n]
        mine = where[here]
        span = dec[mine].min() - margin_arcsec / 3600, dec[mine].max() + margin_arcsec / 3600
        cells = cells_within(cell[mine], order, reach)
        yield int(partition[here[0]]), may_hold_cells(catalogue, cells, order, span)


def _anything(bounds: Bounds) -> bool:
    return True


def _both(one: MayHold, other: MayHold) -> MayHold:
    return lambda bounds: one(bounds) and other(bounds)
