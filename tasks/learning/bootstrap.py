"""Intervals of figures: the bootstrap over objects, all resamples at once in bounded memory, and Wilson's of shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

DRAWS = 1_000
PAIRED_DRAWS = 400  # of differences, of which only their spread is asked
LEVEL = 0.95
Z = 1.959964  # of that level: Phi^-1(0.975)
CELLS = 4_000_000  # draws times objects held at once: 32 MB


def resamples(n: int, draws: int = DRAWS, seed: int = 0) -> Iterator[NDArray[np.int64]]:
    """Blocks (d, n) of indices drawn with replacement, `draws` rows in all; the same for the same n and seed."""
    rng = np.random.default_rng(seed)
    block = max(1, min(draws, CELLS // max(n, 1)))
    for start in range(0, draws, block):
        yield rng.integers(0, n, (min(block, draws - start), n))


def bootstrap(
    statistic: Callable[[NDArray[np.int64]], NDArray[np.float64]], n: int, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Values (draws, M) of `statistic`, which maps indices (d, n) to (d, M)."""
    return np.concatenate([statistic(index) for index in resamples(n, draws, seed)])


def interval(values: NDArray[np.float64], level: float = LEVEL) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Percentile interval (M,), (M,) of bootstrap values (draws, M); NaN draws are left out, all NaN gives NaN."""
    found = np.full((2, values.shape[1]), np.nan)
    defined = np.isfinite(values).any(0)
    tails = [(1 - level) / 2, (1 + level) / 2]
    found[:, defined] = np.nanquantile(values[:, defined], tails, axis=0)
    return found[0], found[1]


def paired_counts(cells: NDArray[np.int64], n_cell: int, draws: int = PAIRED_DRAWS, seed: int = 0) -> NDArray[np.int64]:
    """Resampled counts (draws, n_cell) of objects that fall in `cells` (S,), the same objects for every call.

    So the counts of two predictions of the same objects, draw by draw, differ by the predictions alone.
    """

    def count(index: NDArray[np.int64]) -> NDArray[np.int64]:
        place = cells[index] + n_cell * np.arange(len(index))[:, None]
        return np.bincount(place.ravel(), minlength=n_cell * len(index)).reshape(len(index), n_cell)

    return np.concatenate([np.empty((0, n_cell), np.int64), *map(count, resamples(cells.size, draws, seed))])


def class_counts(cells: NDArray[np.int64], n_cell: int, draws: int = DRAWS, seed: int = 0) -> NDArray[np.int64]:
    """Resampled counts (draws, n_cell) of objects that fall in `cells` (S,).

    Drawing S objects with replacement and counting is a multinomial draw of the counts: no object need be touched.
    """
    count = np.bincount(cells, minlength=n_cell)
    return np.random.default_rng(seed).multinomial(cells.size, count / cells.size, size=draws)


def wilson(hits: ArrayLike, n: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """95 % interval of the share hits / n (Wilson 1927, JASA 22, 209), which stays inside 0 to 1 in small samples."""
    n = np.asarray(n, np.float64)
    share = np.asarray(hits, np.float64) / n
    centre = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * np.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return centre - half, centre + half
