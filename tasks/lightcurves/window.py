"""The window function: how the times of the epochs alone would show a frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.series import Series
from tasks.lightcurves.trials import compiled


def window(series: Series, frequency: NDArray) -> NDArray[np.float64]:
    """Amplitude of the window function, |sum w exp(2 pi i f t)| / sum w, at frequencies (S,Q) 1/day, (S,Q)."""
    return windows(series, frequency, np.zeros(frequency.shape[0]))[0]


def windows(series: Series, frequency: NDArray, centre: NDArray) -> NDArray[np.float64]:
    """Amplitude of the window function at `frequency` (S,Q), and at |frequency - centre| and frequency + centre, for
    `centre` (S,), all 1/day: (3,S,Q).
    """
    found = np.zeros((3, *frequency.shape))
    _windows(series.time, series.weight, series.offsets, np.nan_to_num(frequency), np.nan_to_num(centre), found)
    return found


@compiled
def _windows(
    time: NDArray[np.float64],
    weight: NDArray[np.float64],
    offsets: NDArray[np.int64],
    frequency: NDArray[np.float64],
    centre: NDArray[np.float64],
    found: NDArray[np.float64],
) -> None:
    """Fills `found` (3,S,Q), as `windows` returns it."""
    longest = 0
    for i in range(offsets.size - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    work = np.empty((2, longest))
    for i in range(offsets.size - 1):
        low, n = offsets[i], offsets[i + 1] - offsets[i]
        total = np.sum(weight[low : low + n])
        if total <= 0:
            continue
        for j in range(n):
            angle = _angle(centre[i] * time[low + j])
            work[0, j], work[1, j] = np.cos(angle), np.sin(angle)
        for q in range(frequency.shape[1]):
            real, imaginary, difference_r, difference_i, sum_r, sum_i = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for j in range(n):
                angle = _angle(frequency[i, q] * time[low + j])
                c, s = weight[low + j] * np.cos(angle), weight[low + j] * np.sin(angle)
                real, imaginary = real + c, imaginary + s
                cc, ss, cs, sc = c * work[0, j], s * work[1, j], c * work[1, j], s * work[0, j]
                difference_r, difference_i = difference_r + cc + ss, difference_i + sc - cs
                sum_r, sum_i = sum_r + cc - ss, sum_i + sc + cs
            found[0, i, q] = np.sqrt(real**2 + imaginary**2) / total
            found[1, i, q] = np.sqrt(difference_r**2 + difference_i**2) / total
            found[2, i, q] = np.sqrt(sum_r**2 + sum_i**2) / total


@compiled
def _angle(turns: float) -> float:
    return 2 * np.pi * (turns - np.floor(turns))
