"""Colours known by each epoch: differences of the mean magnitudes of the epochs up to it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves import LightCurveBatch

MAG_UNIT = 2**-20  # magnitudes are summed as integers of this unit (1e-6 mag): sums that no order can change


def running_colours(
    epochs: LightCurveBatch, order: NDArray[np.int64], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Colours (R, B(B-1)/2) [mag] at the wanted places in time, and which of them are known by then.

    `order` (N,) puts the epochs in order of object and time, `wanted` (N,) marks places in that order. A colour of a
    band without an epoch yet is 0. After Becker et al. 2025 (A&A 694, A183, appendix B), who give an apparent
    magnitude there.
    """
    mean, seen = _running_means(epochs, order, wanted)
    first, second = np.triu_indices(len(epochs.bands), 1)
    both = seen[:, first] & seen[:, second]
    return np.where(both, mean[:, first] - mean[:, second], 0.0), both


def _running_means(
    epochs: LightCurveBatch, order: NDArray[np.int64], wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mean magnitude of each band's epochs up to each wanted place (R, B), and whether there is one yet."""
    unit = np.rint(epochs.mag[order].astype(np.float64) / MAG_UNIT).astype(np.int64)
    band = epochs.band[order]
    start = epochs.offsets[:-1][epochs.row[order][wanted]]
    mean = np.zeros((start.size, len(epochs.bands)))
    seen = np.zeros(mean.shape, bool)
    for b in range(len(epochs.bands)):
        total = _sums_since(np.where(band == b, unit, 0), start, wanted)
        n = _sums_since(band == b, start, wanted)
        seen[:, b] = n > 0
        mean[:, b] = total / np.maximum(n, 1) * MAG_UNIT
    return mean, seen


def _sums_since(value: NDArray, start: NDArray[np.int64], wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Sums (R,) of `value` from `start` (R,) up to and with each wanted place."""
    total = np.concatenate([[0], np.cumsum(value)])
    return total[1:][wanted] - total[start]
