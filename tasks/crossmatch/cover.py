"""Which cells, and which partitions of a catalogue, the discs around some positions touch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.crossmatch.cells import ORDER, narrowest_order
from tasks.crossmatch.kernel import cells_around

CHUNK = 2**17  # positions at a time, of nine cells each at most
_Ints = NDArray[np.int64]


def keep_distinct(values: _Ints) -> _Ints:
    """The different `values`, ascending. Merges runs, of which cells around sorted positions consist."""
    ordered = np.sort(values, kind="stable")  # np.unique of NumPy 2.4 hashes, at nine times the cost
    return ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0]


def cells_within(cells: _Ints, order: int, reach: int) -> _Ints:
    """Cells of `order`, (C,) ascending, that discs of `reach` steps around `cells` (S,) of order 29 touch."""
    chunks = (cells[i : i + CHUNK] for i in range(0, cells.size, CHUNK))
    found = [keep_distinct(cells_around(chunk, order, reach)[1]) for chunk in chunks]
    return keep_distinct(np.concatenate(found)) if found else np.empty(0, np.int64)


def cover(cells: _Ints, start: _Ints, stop: _Ints, reach: int) -> tuple[_Ints, _Ints]:
    """(position, partition) pairs, (T,) ascending: partitions from `start` to `stop` (P,; cells of order 29, ascending
    and disjoint) that discs of `reach` steps around the positions in `cells` (S,) may touch.
    """
    if not start.size or not cells.size:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    finest = ORDER - (int((stop - start).min()).bit_length() - 1) // 2  # no finer than the partitions: fewer cells
    order = max(0, min(narrowest_order(reach), finest))
    shift = 2 * (ORDER - order)
    keys = []
    for begin in range(0, cells.size, CHUNK):
        which, cell = cells_around(cells[begin : begin + CHUNK], order, reach)
        first = np.searchsorted(stop, cell << shift, side="right")
        n = np.maximum(np.searchsorted(start, (cell + 1) << shift) - first, 0)
        partition = np.repeat(first - np.cumsum(n) + n, n) + np.arange(n.sum())
        keys.append(keep_distinct((np.repeat(which, n) + begin) * start.size + partition))
    position, partition = np.divmod(np.concatenate(keys), start.size)
    return position, partition
