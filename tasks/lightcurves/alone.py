"""The trial frequency of an object at which each of its bands, taken alone, has the highest power."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.lightcurves.series import ROUNDING

MIN_EPOCH = 6  # of a band; a sine with an offset has three parameters, so fewer constrain nothing


@njit(cache=True, nogil=True)
def choose_by_band(
    time: NDArray, mag: NDArray, weight: NDArray, offsets: NDArray, frequency: NDArray
) -> NDArray[np.float64]:
    """Frequency of the highest power of each band, (S,B) 1/day; NaN where it has too few epochs or no power.

    time (N,) day, mag (N,) and weight (N,) mag^-2 of the slices bounded by `offsets` (S*B+1,); `frequency` (S,C) 1/day,
    the trials of each object, NaN where there are fewer. The power is that of a sine with a floating mean (Zechmeister
    & Kurster 2009, A&A 496, 577, eq. 5).
    """
    n_object = frequency.shape[0]
    n_band = (offsets.size - 1) // max(n_object, 1)
    chosen = np.full((n_object, n_band), np.nan)
    for i in range(n_object):
        for band in range(n_band):
            low, high = offsets[i * n_band + band], offsets[i * n_band + band + 1]
            if high - low < MIN_EPOCH:
                continue
            w = weight[low:high] / np.sum(weight[low:high])
            y = mag[low:high] - np.sum(w * mag[low:high])
            y = np.where(np.abs(y) > ROUNDING, y, 0.0)
            highest = 0.0
            for k in range(frequency.shape[1]):
                if frequency[i, k] > 0:
                    value = _explained(time[low:high] - time[low], y, w, frequency[i, k])
                    if value > highest:
                        highest, chosen[i, band] = value, frequency[i, k]
    return chosen


@njit(cache=True, nogil=True)
def _explained(time: NDArray, y: NDArray, w: NDArray, frequency: float) -> float:
    """Part of sum(w y^2) that a sine explains, for sum(w) = 1 and sum(w y) = 0."""
    c = s = yc = ys = cc = cs = 0.0
    for j in range(time.size):
        turns = frequency * time[j]
        angle = 2 * np.pi * (turns - np.floor(turns))
        cosine, sine = np.cos(angle), np.sin(angle)
        c, s = c + w[j] * cosine, s + w[j] * sine
        yc, ys = yc + w[j] * y[j] * cosine, ys + w[j] * y[j] * sine
        cc, cs = cc + w[j] * cosine * cosine, cs + w[j] * cosine * sine
    ss = 1 - cc - s * s
    cc, cs = cc - c * c, cs - c * s
    determinant = cc * ss - cs * cs
    return (yc * yc * ss + ys * ys * cc - 2 * yc * ys * cs) / determinant if determinant > 1e-9 else 0.0
