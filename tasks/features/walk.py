"""Damped random walk of each band: amplitude and relaxation time, and the autocorrelation over one day (IAR).

Covariance sigma^2 exp(-|dt| / tau) plus the quoted errors (Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895). The
likelihood is their recursion over the epochs, O(n). The IAR model of Eyheramendy, Elorrieta & Palma
2018, MNRAS 481, 4311 is the same process with sigma^2 held at the variance of the data, and phi = exp(-1 day / tau).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature

TAU_MIN = 0.1  # day; exp(-1 / TAU_MIN) is no memory at all
TAU_SPANS = 10.0  # longest tau, in time spans: longer ones are not told apart (Kozlowski 2017, A&A 597, A128)
VARIANCE_DEX = 2.0  # searched each way around the variance of the data
N_TAU, N_VARIANCE = 8, 5  # coarse grid; the middle variance is that of the data
NAMES = ("drw_sigma_mag_{band}", "drw_tau_day_{band}", "iar_phi_{band}")
TOLERANCE_DEX = 0.005  # of the search that follows it
FINER = 4.0  # each of its grids than the one before
TOGETHER = 8  # epochs whose variances are multiplied before a logarithm is taken


def compute_walk(curves: Curves, earlier: Arrays) -> Arrays:
    """drw_sigma (mag), drw_tau (day), iar_phi, (S,B) each; NaN without errors, time or `min_epoch` epochs."""
    return dict(zip(NAMES, np.moveaxis(curves.with_noise(_fit), -1, 0), strict=True))


@njit(cache=True, nogil=True, fastmath=True)  # all numbers are finite
def minus_log_likelihood(time: NDArray, y: NDArray, noise: NDArray, variance: NDArray, tau: float) -> NDArray:
    """-2 ln L but for a constant, (V,), for each `variance` (V,) of the walk.

    Of residuals y (n,) mag with error variances `noise` (n,) at ordered times (n,). Side by side the walks share the
    exponentials, and none waits for a division.
    """
    state = np.zeros((4, variance.size))
    mean, spread, product, total = state[0], state[1], state[2], state[3]
    spread[:], product[:] = variance, 1.0
    for i in range(y.size):
        memory = np.exp((time[i - 1] - time[i]) / tau) if i else 1.0
        for v in range(variance.size):
            before = variance[v] + memory * memory * (spread[v] - variance[v])
            expected, residual = before + noise[i], y[i] - memory * mean[v]
            inverse = 1 / expected
            total[v] += residual * residual * inverse
            product[v] *= expected
            mean[v] = memory * mean[v] + before * inverse * residual
            spread[v] = before * noise[i] * inverse
        if i % TOGETHER == TOGETHER - 1:
            for v in range(variance.size):
                total[v] += np.log(product[v])
                product[v] = 1.0
    for v in range(variance.size):
        total[v] += np.log(product[v])
    return total


@njit(cache=True, nogil=True)
def _best(
    time: NDArray, y: NDArray, noise: NDArray, start: tuple, step: tuple, low: tuple, high: tuple
) -> tuple[float, float]:
    """log10 of tau and of the variance of least -2 ln L, from `start` within `low` and `high`, each of the two.

    On ever finer grids of three by three around the best, each centred by parabolas; a step of 0 holds the variance.
    """
    (at_t, at_v), (step_t, step_v) = start, step
    side = np.arange(-1, 2) if step_v > 0 else np.zeros(1, np.int64)
    value, middle = np.empty((3, side.size)), side.size // 2
    while step_t > TOLERANCE_DEX:
        taus = np.minimum(np.maximum(at_t + step_t * np.arange(-1, 2), low[0]), high[0])
        variances = np.minimum(np.maximum(at_v + step_v * side, low[1]), high[1])
        for i in range(3):
            value[i] = minus_log_likelihood(time, y, noise, 10.0**variances, 10.0 ** taus[i])
        i, j = divmod(int(np.argmin(value)), side.size)
        if value[i, j] < value[1, middle]:
            at_t, at_v = taus[i], variances[j]
            continue
        at_t = min(max(at_t + step_t * _lowest(value[:, middle]), low[0]), high[0])
        if side.size > 1:
            at_v = min(max(at_v + step_v * _lowest(value[1]), low[1]), high[1])
        step_t, step_v = step_t / FINER, step_v / FINER
    return at_t, at_v


@njit(cache=True, nogil=True)
def _lowest(value: NDArray) -> float:
    """Where a parabola through values (3,) at -1, 0, 1 is lowest, that at 0 being no higher than the others."""
    curvature = value[0] - 2 * value[1] + value[2]
    return 0.5 * (value[0] - value[2]) / curvature if curvature > 0 else 0.0


@njit(cache=True, nogil=True)
def _fit(time: NDArray, mag: NDArray, noise: NDArray, offsets: NDArray, known: NDArray) -> NDArray:
    """sigma, tau and phi of every slice, (S,3); NaN where not `known` (S,) or where all magnitudes are equal."""
    out = np.full((offsets.size - 1, 3), np.nan)
    value = np.empty((N_TAU, N_VARIANCE))
    for s in range(offsets.size - 1):
        part = slice(offsets[s], offsets[s + 1])
        if not known[s]:
            continue
        y = mag[part] - mag[part].mean()
        variance = (y * y).mean()
        if variance <= 0:
            continue
        t, e, centre = time[part], noise[part], np.log10(variance)
        low = np.log10(TAU_MIN), centre - VARIANCE_DEX
        high = np.log10(max(TAU_SPANS * (t[-1] - t[0]), 10 * TAU_MIN)), centre + VARIANCE_DEX
        step = (high[0] - low[0]) / (N_TAU - 1), (high[1] - low[1]) / (N_VARIANCE - 1)
        variances = 10.0 ** (low[1] + step[1] * np.arange(N_VARIANCE))
        for i in range(N_TAU):
            value[i] = minus_log_likelihood(t, y, e, variances, 10.0 ** (low[0] + i * step[0]))
        i, j = divmod(int(np.argmin(value)), N_VARIANCE)
        start, half = (low[0] + i * step[0], low[1] + j * step[1]), (step[0] / 2, step[1] / 2)
        tau, v = _best(t, y, e, start, half, low, high)
        out[s, 0], out[s, 1] = 10.0 ** (v / 2), 10.0**tau
        start = low[0] + np.argmin(value[:, N_VARIANCE // 2]) * step[0], centre
        out[s, 2] = np.exp(-1 / 10.0 ** _best(t, y, e, start, (half[0], 0.0), low, high)[0])
    return out


def _column(
    name: str, doc: str, unit: str = "", ucd: str = "src.var;stat.fit.param", high: float | None = None
) -> Column:
    return Column(name, pa.float32(), doc, unit, ucd, nullable=True, range=(0, high))


WALK = Feature(
    "walk",
    version=2,  # a finer search
    source="Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895; Eyheramendy, Elorrieta & Palma 2018, MNRAS 481, 4311.",
    compute=compute_walk,
    of_errors=NAMES,
    of_times=NAMES,
    columns=(
        _column(NAMES[0], "Standard deviation of the damped random walk.", "mag"),
        _column(NAMES[1], "Time in which the damped random walk forgets.", "d"),
        _column(NAMES[2], "Autocorrelation over one day (IAR, Eyheramendy et al. 2018).", high=1),
    ),
)
