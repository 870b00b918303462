"""Variability by timescale: structure function and Mexican-hat power of each band, over all pairs of its epochs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature

YEAR = 365.0  # day, the lag at which the amplitude is given
SHORTEST = 5.0  # day
BIN_DEX = 0.1
N_BIN = 16  # the last whose middle is within half a year of lag
EDGES = SHORTEST * 10.0 ** (BIN_DEX * np.arange(N_BIN + 1))  # day, of the bins of lag
SLOW, FAST = 100.0, 10.0  # day, the timescales of ALeRCE (Sanchez-Saez et al. 2021)
# The power response of the hat, k^4 exp(-4 pi^2 k^2 sigma^2), is highest at k = 1 / (sqrt(2) pi sigma).
WIDTH = 1 / (np.sqrt(2) * np.pi)
REACH = 10.0  # sigma; beyond it the wider Gaussian is below exp(-25)
NAMES = (
    "sf_amplitude_mag_{band}",
    "sf_gamma_{band}",
    "mhps_low_{band}",
    "mhps_high_{band}",
    "mhps_ratio_{band}",
)


def compute_timescales(curves: Curves, earlier: Arrays) -> Arrays:
    """Each column (S,B); NaN without errors, time or `min_epoch` epochs, or where the noise explains everything."""
    return dict(zip(NAMES, np.moveaxis(curves.with_noise(_timescales), -1, 0), strict=True))


@njit(cache=True, nogil=True)
def _timescales(time: NDArray, mag: NDArray, noise: NDArray, offsets: NDArray, known: NDArray) -> NDArray:
    out = np.full((offsets.size - 1, 5), np.nan)
    for s in range(offsets.size - 1):
        if not known[s]:
            continue
        part = slice(offsets[s], offsets[s + 1])
        t, m, e = time[part], mag[part], noise[part]
        out[s, 0], out[s, 1] = structure_function(t, m, e)
        flux = 10.0 ** (-0.4 * (m - m.mean()))
        flux_noise = e * (0.4 * np.log(10.0) * flux) ** 2
        low, high = hat_power(t, flux, flux_noise, SLOW), hat_power(t, flux, flux_noise, FAST)
        out[s, 2], out[s, 3] = low, high
        if low > 0 and high > 0:
            out[s, 4] = low / high
    return out


@njit(cache=True, nogil=True)
def structure_function(time: NDArray, mag: NDArray, noise: NDArray) -> tuple:
    """Amplitude at a year (mag) and slope of SF = A (lag / 1 yr)^gamma: a line through the logarithms of the bins.

    SF^2 = <dm^2 - err_i^2 - err_j^2> in bins of 0.1 dex from 5 days on, where positive, at the middle of the bin; bins
    beyond half a year are left out. So ALeRCE fits the model of Schmidt et al. 2010, ApJ 714, 1194, but it clips.
    """
    count, square = np.zeros(N_BIN), np.zeros(N_BIN)
    for i in range(time.size):
        k = -1  # the lag only grows, and the bin with it
        for j in range(i + 1, time.size):
            lag = time[j] - time[i]
            while k < N_BIN and lag >= EDGES[k + 1]:
                k += 1
            if k == N_BIN:
                break
            if k >= 0:
                count[k] += 1
                square[k] += (mag[i] - mag[j]) ** 2 - noise[i] - noise[j]
    n, sx, sy, sxx, sxy = 0, 0.0, 0.0, 0.0, 0.0
    for k in range(N_BIN):
        if square[k] > 0:
            x, y = np.log10(0.5 * (EDGES[k] + EDGES[k + 1]) / YEAR), 0.5 * np.log10(square[k] / count[k])
            n, sx, sy, sxx, sxy = n + 1, sx + x, sy + y, sxx + x * x, sxy + x * y
    if n < 2:
        return np.nan, np.nan
    slope = (n * sxy - sx * sy) / (n * sxx - sx * sx)
    return 10.0 ** ((sy - slope * sx) / n), slope


@njit(cache=True, nogil=True)
def hat_power(time: NDArray, flux: NDArray, noise: NDArray, timescale: float) -> float:
    """Variance of the flux, filtered by a Mexican hat, above that of the noise (Arevalo et al. 2012, MNRAS 426, 1793).

    The hat is the difference of two Gaussian means, of sigma / sqrt(2) and sigma sqrt(2) (epsilon = 1, as ALeRCE), each
    over the epochs there are, which is their division by the filtered mask; the narrow weight is the wide one^4.
    """
    sigma, total = WIDTH * timescale, 0.0
    first = 0
    for i in range(time.size):
        while time[i] - time[first] > REACH * sigma:
            first += 1
        a = b = fa = fb = aa = ab = bb = 0.0
        for j in range(first, time.size):
            distance = (time[j] - time[i]) / sigma
            if distance > REACH:
                break
            wide = np.exp(-0.25 * distance * distance)
            narrow = wide**4
            a, b = a + narrow, b + wide
            fa, fb = fa + narrow * flux[j], fb + wide * flux[j]
            aa, ab, bb = aa + narrow**2 * noise[j], ab + narrow * wide * noise[j], bb + wide**2 * noise[j]
        total += (fa / a - fb / b) ** 2 - (aa / a**2 - 2 * ab / (a * b) + bb / b**2)
    return total / time.size


def _column(name: str, doc: str, unit: str = "", low: float | None = None) -> Column:
    return Column(name, pa.float32(), doc, unit, "src.var;stat.value", nullable=True, range=(low, None))


TIMESCALES = Feature(
    "timescales",
    source="Schmidt et al. 2010, ApJ 714, 1194; Arevalo et al. 2012, MNRAS 426, 1793.",
    compute=compute_timescales,
    of_errors=NAMES,
    of_times=NAMES,
    columns=(
        _column(NAMES[0], "Structure function at a lag of a year (Schmidt et al. 2010).", "mag", 0),
        _column(NAMES[1], "Logarithmic slope of the structure function with lag."),
        _column(NAMES[2], "Mexican-hat variance at 100 days, flux over mean, noise subtracted."),
        _column(NAMES[3], "Mexican-hat variance at 10 days, flux over mean, noise subtracted."),
        _column(NAMES[4], "Mexican-hat variance at 100 days over that at 10 days.", low=0),
    ),
)
