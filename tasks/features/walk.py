"""Damped random walk of each band: amplitude and time of memory, and the memory over one day alone (IAR).

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
N_TAU, N_VARIANCE = 8, 5  # coarse grid
NAMES = ("drw_sigma_mag_{band}", "drw_tau_day_{band}", "iar_phi_{band}")
TOLERANCE_DEX = 0.005  # of the search that follows it


def walk(curves: Curves, earlier: Arrays) -> Arrays:
    """drw_sigma (mag), drw_tau (day), iar_phi, (S,B) each; NaN without errors, time or `min_epoch` epochs."""
    batch = curves.batch
    known = (curves.n_epoch >= curves.config.min_epoch) & curves.has_errors & curves.has_spread
    fitted = curves.per_band(
        _fit(batch.time, batch.mag.astype(np.float64), batch.mag_err.astype(np.float64) ** 2, curves.band_offsets,
             (known & curves.config.has_time).ravel())
    )  # fmt: skip
    return dict(zip(NAMES, np.moveaxis(fitted, -1, 0), strict=True))


@njit(cache=True, nogil=True)
def minus_log_likelihood(time: NDArray, y: NDArray, noise: NDArray, variance: float, tau: float) -> float:
    """-2 ln L but for a constant, of residuals y (n,) mag with error variances `noise` (n,) at ordered times (n,)."""
    mean, spread, total, product = 0.0, variance, 0.0, 1.0
    for i in range(y.size):
        if i:
            memory = np.exp((time[i - 1] - time[i]) / tau)
            mean *= memory
            spread = variance + memory * memory * (spread - variance)
        expected = spread + noise[i]
        residual = y[i] - mean
        total += residual * residual / expected
        product *= expected
        if product < 1e-200 or product > 1e200:  # one logarithm for many epochs
            total += np.log(product)
            product = 1.0
        gain = spread / expected
        mean += gain * residual
        spread *= 1 - gain
    return total + np.log(product)


@njit(cache=True, nogil=True)
def _best(time: NDArray, y: NDArray, noise: NDArray, centre: float, half: float, n: int, top: float) -> tuple:
    """log10 of the variance (within `half` dex of `centre`) and of tau of least -2 ln L: a grid, then halved steps."""
    low, best = np.log10(TAU_MIN), np.inf
    step_t, step_v = (top - low) / (N_TAU - 1), 2 * half / max(n - 1, 1)
    at_v, at_t = centre, low
    for j in range(n):
        for i in range(N_TAU):
            v, t = centre - half + j * step_v, low + i * step_t
            value = minus_log_likelihood(time, y, noise, 10.0**v, 10.0**t)
            if value < best:
                best, at_v, at_t = value, v, t
    step_t, step_v = step_t / 2, step_v / 2
    while step_t > TOLERANCE_DEX:
        moved = False
        for k in range(4):
            v = at_v + (step_v if k == 0 else -step_v if k == 1 else 0.0)
            t = at_t + (step_t if k == 2 else -step_t if k == 3 else 0.0)
            if abs(v - centre) > half or t < low or t > top or (v == at_v and t == at_t):
                continue
            value = minus_log_likelihood(time, y, noise, 10.0**v, 10.0**t)
            if value < best:
                best, at_v, at_t, moved = value, v, t, True
        if not moved:
            step_t, step_v = step_t / 2, step_v / 2
    return at_v, at_t


@njit(cache=True, nogil=True)
def _fit(time: NDArray, mag: NDArray, noise: NDArray, offsets: NDArray, known: NDArray) -> NDArray:
    """sigma, tau and phi of every slice, (S,3); NaN where not `known` (S,) or where all magnitudes are equal."""
    out = np.full((offsets.size - 1, 3), np.nan)
    for s in range(offsets.size - 1):
        part = slice(offsets[s], offsets[s + 1])
        if not known[s]:
            continue
        y = mag[part] - mag[part].mean()
        variance = (y * y).mean()
        if variance <= 0:
            continue
        t, e = time[part], noise[part]
        top = np.log10(max(TAU_SPANS * (t[-1] - t[0]), 10 * TAU_MIN))
        v, tau = _best(t, y, e, np.log10(variance), VARIANCE_DEX, N_VARIANCE, top)
        out[s, 0], out[s, 1] = 10.0 ** (v / 2), 10.0**tau
        out[s, 2] = np.exp(-1 / 10.0 ** _best(t, y, e, np.log10(variance), 0.0, 1, top)[1])
    return out


def _column(
    name: str, doc: str, unit: str = "", ucd: str = "src.var;stat.fit.param", high: float | None = None
) -> Column:
    return Column(name, pa.float32(), doc, unit, ucd, nullable=True, range=(0, high))


WALK = Feature(
    "walk",
    source="Kelly, Bechtold & Siemiginowska 2009, ApJ 698, 895; Eyheramendy, Elorrieta & Palma 2018, MNRAS 481, 4311.",
    compute=walk,
    of_errors=NAMES,
    columns=(
        _column(NAMES[0], "Standard deviation of the damped random walk.", "mag"),
        _column(NAMES[1], "Time in which the damped random walk forgets.", "d"),
        _column(NAMES[2], "Autocorrelation over one day (IAR, Eyheramendy et al. 2018).", high=1),
    ),
)
