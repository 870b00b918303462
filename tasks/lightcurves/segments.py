"""Sums and order statistics of ragged slices."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


def segment_sum(values: NDArray, offsets: NDArray[np.int64]) -> NDArray:
    """Sums of `values` (..., N) over the S slices of `offsets` (S+1,), (..., S); 0 for an empty slice.

    `np.add.reduceat` alone would return a neighbour's value for an empty slice.
    """
    filled = np.flatnonzero(np.diff(offsets) > 0)
    total = np.zeros((*values.shape[:-1], offsets.size - 1), values.dtype)
    if filled.size:
        total[..., filled] = np.add.reduceat(values[..., : offsets[-1]], offsets[:-1][filled], axis=-1)
    return total


@njit(cache=True, nogil=True)
def segment_quantile(values: NDArray, offsets: NDArray[np.int64], q: float) -> NDArray[np.float64]:
    """Quantile q of each slice of `values` (N,), linear interpolation, (S,); NaN if empty. Values are finite."""
    found = np.full(offsets.size - 1, np.nan)
    for s in range(found.size):
        if offsets[s + 1] > offsets[s]:
            found[s] = quantile(np.sort(values[offsets[s] : offsets[s + 1]]), q)
    return found


@njit(cache=True, nogil=True)
def segment_gskew(values: NDArray, offsets: NDArray[np.int64], tail: float) -> NDArray[np.float64]:
    """Median of the lowest `tail` plus that of the highest, minus twice the median of each slice, (S,); NaN if empty.

    Gskew of Nun et al. 2015, arXiv:1506.00010, where `tail` is 0.03.
    """
    found = np.full(offsets.size - 1, np.nan)
    for s in range(found.size):
        if offsets[s + 1] > offsets[s]:
            ordered = np.sort(values[offsets[s] : offsets[s + 1]])
            low = np.searchsorted(ordered, quantile(ordered, tail), side="right")
            high = np.searchsorted(ordered, quantile(ordered, 1 - tail), side="left")
            found[s] = quantile(ordered[:low], 0.5) + quantile(ordered[high:], 0.5) - 2 * quantile(ordered, 0.5)
    return found


@njit(cache=True, nogil=True)
def quantile(ordered: NDArray, q: float) -> float:
    """Quantile q of sorted values, linear interpolation."""
    place = (ordered.size - 1) * q
    first = int(place)
    second = min(first + 1, ordered.size - 1)
    return ordered[first] + (place - first) * (ordered[second] - ordered[first])


def segment_median(values: NDArray, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Median of each slice, (S,); NaN for an empty slice."""
    return segment_quantile(values, offsets, 0.5)


def segment_mad_sigma(values: NDArray, offsets: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """Median and 1.4826 times the median absolute deviation of each slice (Hampel 1974, JASA 69, 383): (S,), (S,)."""
    median = segment_median(values, offsets)
    deviation = np.abs(values - np.repeat(median, np.diff(offsets)))
    return median, 1.4826 * segment_median(deviation, offsets)
