"""All pairs of two sets of positions within a radius on the sphere.

Positions are sorted once along the nested HEALPix curve (`SortedPositions`); a match then walks both sets in step and
looks through the cells that the disc around each position touches. Right at the poles, at right ascension 0 and at
every edge of the grid, for radii up to 39 degrees; nothing is indexed but the positions themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from schemas import BadInput
from tasks.crossmatch.cells import ORDER, narrowest_order, reach_of
from tasks.crossmatch.kernel import join, unsort

MAX_RADIUS_ARCSEC = 142_000.0  # NARROWEST of the cells: the search looks one cell around


class Pairs(NamedTuple):
    """Pairs, (P,): rows `i` of the first and `j` of the second set, ascending by i, the nearest first; separations."""

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    sep_arcsec: NDArray[np.float64]

    def rank(self) -> NDArray[np.int64]:
        """Place of each pair among those of its row i, (P,): 1 is the nearest."""
        starts, counts = runs(self.i)
        return np.arange(1, self.i.size + 1) - np.repeat(starts, counts)

    def n_candidates(self) -> NDArray[np.int64]:
        """Number of pairs that share each pair's row i, (P,)."""
        _, counts = runs(self.i)
        return np.repeat(counts, counts)


def runs(ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and lengths, (R,) each, of the runs of equal values in `ids` (N,)."""
    starts = np.flatnonzero(np.diff(ids, prepend=ids[:1] - 1))
    return starts, np.diff(starts, append=ids.size)


@dataclass(frozen=True, eq=False)
class SortedPositions:
    """Positions in the order of their cells: cell (N,) nested HEALPix of order 29, ascending; ra, dec (N,) deg; row
    (N,), where each stood before, a permutation.
    """

    cell: NDArray[np.int64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    row: NDArray[np.int64]

    def __len__(self) -> int:
        return self.cell.size

    @classmethod
    def of(cls, ra: ArrayLike, dec: ArrayLike) -> SortedPositions:
        """Sorts ICRS positions (N,) deg. Raises BadInput for positions that are not on the sphere."""
        ra, dec = np.ascontiguousarray(ra, np.float64), np.ascontiguousarray(dec, np.float64)
        if ra.shape != dec.shape or ra.ndim != 1:
            raise ValueError(f"SortedPositions: ra {ra.shape} and dec {dec.shape} must be of one length.")
        cell = cells_of(ra, dec)
        if np.all(cell[1:] >= cell[:-1]):  # as in the files of HATS
            return cls(cell, ra, dec, np.arange(cell.size))
        row = np.argsort(cell, kind="stable")
        return cls(cell[row], ra[row], dec[row], row)

    def take(self, at: NDArray[np.int64]) -> SortedPositions:
        """The positions at the ascending indices `at`; their rows count from 0 in that order."""
        return SortedPositions(self.cell[at], self.ra[at], self.dec[at], np.arange(at.size))


def on_sphere(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which positions (N,) deg are positions at all: not NaN, not -999."""
    return (np.abs(ra) <= 360) & (np.abs(dec) <= 90)


def cells_of(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.int64]:
    """Nested HEALPix cell of order 29 of each position, (N,); deg. Raises BadInput for those not on the sphere."""
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix.nested import lonlat_to_healpix

    off = int(np.count_nonzero(~on_sphere(ra, dec)))
    if off:
        raise BadInput(f"{off:,} of {ra.size:,} positions are not on the sphere (NaN, |dec| > 90 or |ra| > 360).")
    if not ra.size:
        return np.empty(0, np.int64)
    return lonlat_to_healpix(Longitude(ra, "deg"), Latitude(dec, "deg"), ORDER, num_threads=1).view(np.int64)


def neighbours(ra1: ArrayLike, dec1: ArrayLike, ra2: ArrayLike, dec2: ArrayLike, radius_arcsec: float) -> Pairs:
    """All pairs (i, j, sep_arcsec) of ICRS positions, (N,) and (M,) deg, at most `radius_arcsec` apart."""
    return pairs(SortedPositions.of(ra1, dec1), SortedPositions.of(ra2, dec2), radius_arcsec)


def pairs(first: SortedPositions, second: SortedPositions, radius_arcsec: float) -> Pairs:
    """`neighbours` of positions that are sorted already; rows count as before the sorting."""
    if not 0 <= radius_arcsec <= MAX_RADIUS_ARCSEC:
        raise BadInput(f"A radius of {radius_arcsec} arcsec: give one between 0 and {MAX_RADIUS_ARCSEC:,.0f}.")
    if len(first) and not (first.row.min() == 0 and first.row.max() == len(first) - 1):
        raise ValueError("pairs: the rows of the first positions are no permutation; see SortedPositions.take.")
    reach = reach_of(np.radians(radius_arcsec / 3600))
    found, at, apart = join(
        first.cell,
        first.ra,
        first.dec,
        second.cell,
        second.ra,
        second.dec,
        float(radius_arcsec),
        search_order(second, reach),
        reach,
    )
    return Pairs(*unsort(found, first.row, at, second.row, apart))


def search_order(positions: SortedPositions, reach: int) -> int:
    """Order of the cells to look through: no narrower than `reach` steps, and else with a third of a position in each.

    Any order up to the narrowest gives the same pairs; this one is near the fastest where the typical density holds.
    """
    stride = max(1, len(positions) // 4096)
    gaps = np.diff(positions.cell[::stride])
    typical = float(np.median(gaps)) / stride if gaps.size else 1.0  # cells of order 29 for each position
    return int(np.clip(ORDER + 1 - np.log2(max(typical, 1.0)) / 2, 0, narrowest_order(reach)))
