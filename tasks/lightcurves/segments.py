"""Order statistics of ragged slices, all slices at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def segment_quantile(values: NDArray, offsets: NDArray[np.int64], q: float) -> NDArray[np.float64]:
    """Quantile q of each slice of `values` (N,), linear interpolation, (S,); NaN if empty. Values are finite."""
    length = np.diff(offsets)
    ordered = np.asarray(values)[np.lexsort((values, np.repeat(np.arange(length.size), length)))]
    if ordered.size == 0:
        return np.full(length.size, np.nan)
    position = np.maximum(length - 1, 0) * q
    low = np.floor(position).astype(np.int64)
    fraction = position - low
    first = np.minimum(offsets[:-1] + low, ordered.size - 1)
    second = np.minimum(first + (fraction > 0), ordered.size - 1)
    return np.where(length > 0, ordered[first] * (1 - fraction) + ordered[second] * fraction, np.nan)


def segment_median(values: NDArray, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Median of each slice, (S,); NaN for an empty slice."""
    return segment_quantile(values, offsets, 0.5)


def segment_mad_sigma(values: NDArray, offsets: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """Median and 1.4826 times the median absolute deviation of each slice (Hampel 1974, JASA 69, 383): (S,), (S,)."""
    median = segment_median(values, offsets)
    deviation = np.abs(values - np.repeat(median, np.diff(offsets)))
    return median, 1.4826 * segment_median(deviation, offsets)
