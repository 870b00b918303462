"""Compiled code of the crossmatch: cells of the nested HEALPix grid, and the join of positions sorted along it.

Gorski et al. 2005, ApJ 622, 759: twelve faces, each a square grid of 2**order cells a side; x grows to the north-east,
y to the north-west, and the index of a cell interleaves the bits of x and y under the face. Faces 0-3 are north,
4-7 on the equator, 8-11 south.

All of it is in one file: numba compiles a cached function again when its own file changes, not when one that it calls
does.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64
from numpy.typing import NDArray

from tasks.crossmatch.cells import ORDER

ARCSEC = 180 * 3600 / np.pi
_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_SPREAD = tuple(
    (np.uint64(shift), np.uint64(mask))
    for shift, mask in (
        (16, 0x0000FFFF0000FFFF),
        (8, 0x00FF00FF00FF00FF),
        (4, 0x0F0F0F0F0F0F0F0F),
        (2, 0x3333333333333333),
        (1, 0x5555555555555555),
    )
)
(_S16, _M16), (_S8, _M8), (_S4, _M4), (_S2, _M2), (_S1, _M1) = _SPREAD


@njit(cache=True, nogil=True, inline="always")
def spread(value: int) -> int:
    """The low 32 bits of `value`, one at every other place."""
    v = uint64(value)
    v = (v | (v << _S16)) & _M16
    v = (v | (v << _S8)) & _M8
    v = (v | (v << _S4)) & _M4
    v = (v | (v << _S2)) & _M2
    return int(np.int64((v | (v << _S1)) & _M1))


@njit(cache=True, nogil=True, inline="always")
def gather(value: int) -> int:
    """Every other bit of `value`, close together: undoes `spread`."""
    v = uint64(value) & _M1
    v = (v | (v >> _S1)) & _M2
    v = (v | (v >> _S2)) & _M4
    v = (v | (v >> _S4)) & _M8
    v = (v | (v >> _S8)) & _M16
    return int(np.int64((v | (v >> _S16)) & uint64(0xFFFFFFFF)))


@njit(cache=True, nogil=True)
def adjacent(face: int, x: int, y: int, side: int) -> tuple[int, int, int]:
    """(face, x, y) of a cell that may lie one step beyond the `side` cells of its face; face -1 where there is none."""
    if 0 <= x < side and 0 <= y < side:
        return face, x, y
    row, column = face // 4, face % 4
    east, west = (column + 1) % 4, (column + 3) % 4
    beyond_x, beyond_y = (x >= side) - (x < 0), (y >= side) - (y < 0)
    inner_x, inner_y = x - beyond_x * side, y - beyond_y * side
    if beyond_x * beyond_y < 0:  # the east and west corners join four faces on the equator only
        return (4 + (east if beyond_x > 0 else west) if row == 1 else -1), inner_x, inner_y
    if row == 1:
        if beyond_x and beyond_y:
            return -1, x, y
        if beyond_x + beyond_y > 0:
            return (column if beyond_x else west), inner_x, inner_y
        return 8 + (west if beyond_x else column), inner_x, inner_y
    if beyond_x and beyond_y:  # over the pole to the opposite face, or across the equator
        if (row == 0) == (beyond_x > 0):
            return 4 * row + (column + 2) % 4, (side - 1 - inner_x), (side - 1 - inner_y)
        return 8 - 4 * row + column, inner_x, inner_y
    if (row == 0) == (beyond_x + beyond_y < 0):  # towards the equator
        is_east = (beyond_y != 0) if row == 0 else (beyond_x != 0)
        return 4 + (east if is_east else column), inner_x, inner_y
    if row == 0:  # around the pole the grid turns by a quarter
        return (east, y, side - 1 - inner_x) if beyond_x else (west, side - 1 - inner_y, x)
    return (8 + east, side - 1 - inner_y, x) if beyond_y else (8 + west, y, side - 1 - inner_x)


@njit(cache=True, nogil=True)
def touch_cells(cell: int, order: int, reach: int, out: NDArray[np.int64]) -> int:
    """Cells of `order` that a disc may touch, in out[:n], its own first; returns n <= 9.

    `cell` is the disc's centre, a cell of order 29; `reach` its radius in steps of order 29 (`reach_of`), at most the
    2**(29 - order) that are the side of a cell.
    """
    shift = ORDER - order
    side, size = 1 << order, 1 << shift
    face = cell >> (2 * ORDER)
    within = cell & ((1 << (2 * ORDER)) - 1)
    x, y = gather(within), gather(within >> 1)
    inner_x, inner_y = x & (size - 1), y & (size - 1)
    x, y = x >> shift, y >> shift
    out[0] = cell >> (2 * shift)
    n = 1
    for dx in range(-1 if inner_x < reach else 0, 2 if inner_x + reach >= size else 1):
        for dy in range(-1 if inner_y < reach else 0, 2 if inner_y + reach >= size else 1):
            if dx != 0 or dy != 0:
                near, near_x, near_y = adjacent(face, x + dx, y + dy, side)
                if near >= 0:
                    out[n] = (near << (2 * order)) | spread(near_x) | (spread(near_y) << 1)
                    n += 1
    return n


@njit(cache=True, nogil=True, inline="always")
def seek(cells: _Ints, value: int, start: int) -> int:
    """Index of the first of the ascending `cells` that is >= `value`: strides away from `start`, then halves."""
    n = cells.size
    step = 1
    if start < n and cells[start] < value:
        low = start
        while low + step < n and cells[low + step] < value:
            low += step
            step *= 2
        low, high = low + 1, min(low + step, n)
    else:
        high = start
        while high - step >= 0 and cells[high - step] >= value:
            high -= step
            step *= 2
        low = max(high - step + 1, 0)
    while low < high:
        middle = (low + high) >> 1
        if cells[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def separation(ra1: float, dec1: float, ra2: float, dec2: float) -> float:
    """Great-circle distance, arcsec, of positions in degrees, by haversines: no loss at small angles."""
    across = np.sin(np.radians(ra2 - ra1) / 2)
    along = np.sin(np.radians(dec2 - dec1) / 2)
    haversine = along * along + np.cos(np.radians(dec1)) * np.cos(np.radians(dec2)) * across * across
    return 2 * ARCSEC * np.arcsin(min(1.0, np.sqrt(haversine)))


@njit(cache=True, nogil=True)
def nearest_first(apart: _Floats, second: _Ints) -> None:
    """Sorts both (K,) by `apart`, in place; equal ones keep their order."""
    if apart.size > 32:
        order = np.argsort(apart, kind="mergesort")
        apart[:], second[:] = apart[order], second[order]
        return
    for n in range(1, apart.size):
        distance, j, k = apart[n], second[n], n
        while k > 0 and apart[k - 1] > distance:
            apart[k], second[k] = apart[k - 1], second[k - 1]
            k -= 1
        apart[k], second[k] = distance, j


@njit(cache=True, nogil=True)
def join(
    cells1: _Ints,
    ra1: _Floats,
    dec1: _Floats,
    cells2: _Ints,
    ra2: _Floats,
    dec2: _Floats,
    radius: float,
    order: int,
    reach: int,
) -> tuple[_Ints, _Ints, _Floats]:
    """Pairs within `radius` (arcsec): for each first position its number of pairs; for each pair, nearest first, the
    index of the second position and the separation (arcsec).

    `cells` ascend (order 29), positions are degrees; `order` says how large the cells are that are looked through.
    """
    found = np.zeros(cells1.size, np.int64)
    second = np.empty(max(1024, cells1.size), np.int64)
    apart = np.empty(second.size, np.float64)
    near = np.empty(9, np.int64)
    shift = 2 * (ORDER - order)
    slack = radius / 3600 * (1 + 1e-9) + 1e-12  # a band in declination that surely holds the disc
    n = cursor = 0
    for i in range(cells1.size):
        start = n
        for c in range(touch_cells(cells1[i], order, reach, near)):
            j = seek(cells2, near[c] << shift, cursor)
            if c == 0:
                cursor = j
            end = (near[c] + 1) << shift
            while j < cells2.size and cells2[j] < end:
                if abs(dec2[j] - dec1[i]) <= slack:
                    distance = separation(ra1[i], dec1[i], ra2[j], dec2[j])
                    if distance <= radius:
                        if n == second.size:
                            second = np.concatenate((second, np.empty(n, np.int64)))
                            apart = np.concatenate((apart, np.empty(n, np.float64)))
                        second[n], apart[n] = j, distance
                        n += 1
                j += 1
        found[i] = n - start
        if found[i] > 1:
            nearest_first(apart[start:n], second[start:n])
    return found, second[:n].copy(), apart[:n].copy()


@njit(cache=True, nogil=True)
def unsort(n_found: _Ints, row1: _Ints, second: _Ints, row2: _Ints, apart: _Floats) -> tuple[_Ints, _Ints, _Floats]:
    """Pairs of `join` as (row of the first, row of the second, arcsec), ascending by the first, nearest first."""
    offsets = np.zeros(row1.size + 1, np.int64)
    for i in range(row1.size):
        offsets[row1[i] + 1] = n_found[i]
    for i in range(row1.size):
        offsets[i + 1] += offsets[i]
    first, other, distance = np.empty(second.size, np.int64), np.empty(second.size, np.int64), np.empty(second.size)
    n = 0
    for i in range(row1.size):
        for k in range(offsets[row1[i]], offsets[row1[i] + 1]):
            first[k], other[k], distance[k] = row1[i], row2[second[n]], apart[n]
            n += 1
    return first, other, distance


@njit(cache=True, nogil=True)
def separations(ra1: _Floats, dec1: _Floats, ra2: _Floats, dec2: _Floats) -> _Floats:
    """`separation` of each pair, (P,) arcsec."""
    apart = np.empty(ra1.size)
    for k in range(ra1.size):
        apart[k] = separation(ra1[k], dec1[k], ra2[k], dec2[k])
    return apart


@njit(cache=True, nogil=True)
def cells_around(cells: _Ints, order: int, reach: int) -> tuple[_Ints, _Ints]:
    """(index of a disc, cell of `order` that it touches) for all discs of `reach` steps around `cells` of order 29."""
    which, cell = np.empty(9 * cells.size, np.int64), np.empty(9 * cells.size, np.int64)
    n = 0
    for i in range(cells.size):
        count = touch_cells(cells[i], order, reach, cell[n:])
        which[n : n + count] = i
        n += count
    return which[:n].copy(), cell[:n].copy()
