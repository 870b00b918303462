"""Features of ALeRCE's light-curve classifier (Sanchez-Saez et al. 2021, AJ 161, 141), written from their definitions.

One slow function each of a star's epochs in one band, and the light curve that the table of docs/alerce_features.md is
tried on. Definitions: FATS (Nun et al. 2015, arXiv:1506.00010) as their extractor configures it, and their own
harmonics, power ratios and folded statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import optimize, stats

N_HARMONICS = 7


@dataclass(frozen=True)
class Band:
    """The epochs of one band, in order of time, and the period that both sides fold with."""

    time: np.ndarray
    mag: np.ndarray
    err: np.ndarray
    period: float

    @property
    def n(self) -> int:
        return self.time.size

    @property
    def residual(self) -> np.ndarray:
        return self.mag - self.mag.mean()

    def folded(self, period: float) -> np.ndarray:
        """Magnitudes in order of phase."""
        return self.mag[np.argsort(np.mod(self.time, period))]


def weighted_mean(mag: np.ndarray, err: np.ndarray) -> float:
    return float(np.average(mag, weights=err**-2.0))


def tails(b: Band) -> float:
    n, ordered = int(np.ceil(0.05 * b.n)), np.sort(b.mag)
    return (np.median(ordered[-n:]) - np.median(ordered[:n])) / 2


def anderson_darling(b: Band) -> float:
    z = np.sort(b.residual) / b.mag.std(ddof=1)
    log_share = stats.norm.logcdf(z) + stats.norm.logsf(z[::-1])
    return 1 / (1 + np.exp(-10 * (-b.n - np.mean((2 * np.arange(1, b.n + 1) - 1) * log_share) - 0.3)))


def autocorrelation_length(b: Band) -> float:
    acf = [np.sum(b.residual[lag:] * b.residual[: b.n - lag]) for lag in range(b.n)] / np.sum(b.residual**2)
    return float(np.flatnonzero(acf < np.exp(-1))[0])


def beyond(b: Band) -> float:
    mean = weighted_mean(b.mag, b.err)
    return np.mean(np.abs(b.mag - mean) > np.sqrt(np.sum((b.mag - mean) ** 2) / (b.n - 1)))


def con(b: Band) -> float:
    far = np.abs(b.residual) > 2 * b.mag.std()
    return np.mean(far[:-2] & far[1:-1] & far[2:])


def eta_e(b: Band) -> float:
    weight = np.diff(b.time) ** -2.0
    return np.sum(weight * np.diff(b.mag) ** 2) / weight.sum() / b.mag.var()


def gskew(b: Band) -> float:
    low, high = np.percentile(b.mag, [3, 97])
    return np.median(b.mag[b.mag <= low]) + np.median(b.mag[b.mag >= high]) - 2 * np.median(b.mag)


def pair_slope_trend(b: Band) -> float:
    step = np.diff(b.mag[-30:])
    return (np.sum(step > 0) - np.sum(step <= 0)) / 30


def small_kurtosis(b: Band) -> float:
    n, total = b.n, np.sum((b.residual / b.mag.std()) ** 4)
    return n * (n + 1) / ((n - 1) * (n - 2) * (n - 3)) * total - 3 * (n - 1) ** 2 / ((n - 2) * (n - 3))


def stetson_k(b: Band) -> float:
    sigma = (b.mag - weighted_mean(b.mag, b.err)) / b.err
    return np.sum(np.abs(sigma)) / np.sqrt(b.n * np.sum(sigma**2))


def structure_function(b: Band) -> tuple[float, float]:
    """Slope and logarithm of the amplitude at a year."""
    i, j = np.triu_indices(b.n, k=1)
    lag, square = b.time[j] - b.time[i], (b.mag[i] - b.mag[j]) ** 2 - b.err[i] ** 2 - b.err[j] ** 2
    x, y = [], []
    for low, high in pairwise(5 * 10 ** np.arange(0, 2.6, 0.1)):
        inside = (lag >= low) & (lag < high) & (lag <= 365)
        if inside.any() and square[inside].mean() > 0 and (low + high) / 2 <= 0.5 * 365:
            x.append(np.log10((low + high) / 2 / 365))
            y.append(np.log10(square[inside].mean()) / 2)
    slope, level = np.polyfit(x, y, 1)
    return float(slope), float(level)


def likelihood(b: Band, variance: float, tau: float, noise: np.ndarray) -> float:
    """-2 ln L of a damped random walk, with the whole covariance."""
    covariance = variance * np.exp(-np.abs(b.time[:, None] - b.time) / tau) + np.diag(noise)
    return np.linalg.slogdet(covariance)[1] + b.residual @ np.linalg.solve(covariance, b.residual)


def walk(b: Band) -> np.ndarray:
    """Variance and tau of the most likely walk."""
    starts = [(v, t) for v in (-1.0, 0.0) for t in (-0.5, 0.5, 1.5)]
    found = [
        optimize.minimize(
            lambda p: likelihood(b, b.mag.var() * 10 ** p[0], 10 ** p[1], b.err**2),
            start, method="L-BFGS-B", bounds=[(-2, 2), (-1, 3)],
        ) for start in starts
    ]  # fmt: skip
    best = min(found, key=lambda each: each.fun).x
    return np.array([b.mag.var() * 10 ** best[0], 10 ** best[1]])


def iar(b: Band) -> float:
    """phi of the irregular autoregressive model; its filter takes the error of the epoch after."""
    y, err = b.residual / b.mag.std(ddof=1), b.err / b.mag.std(ddof=1)

    def cost(phi: float) -> float:
        spread, expected, total = 1.0, 0.0, 0.0
        for i, gap in enumerate(np.diff(b.time)):
            variance, memory = spread + err[i + 1] ** 2, phi**gap
            total += np.log(variance) + (y[i] - expected) ** 2 / variance
            gain = memory * spread / variance
            expected = memory * expected + gain * (y[i] - expected)
            spread = memory**2 * spread + 1 - memory**2 - gain**2 * variance
        return total

    return float(optimize.minimize_scalar(cost, bounds=(0, 1), method="bounded").x)


def series(b: Band, n: int, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amplitudes, phases (m = sum A cos(k w t - phase)) and residuals of a weighted Fourier series of n harmonics."""
    angle = 2 * np.pi * np.outer(b.time / b.period, np.arange(1, n + 1))
    design = np.column_stack([np.ones(b.n), np.cos(angle), np.sin(angle)])
    found = np.linalg.lstsq(design * np.sqrt(weight)[:, None], b.mag * np.sqrt(weight))[0]
    cosine, sine = found[1 : n + 1], found[n + 1 :]
    return np.hypot(cosine, sine), np.arctan2(sine, cosine), b.mag - design @ found


def harmonics(b: Band) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    amplitude, phase, residual = series(b, N_HARMONICS, (b.err + 0.01) ** -2.0)
    return amplitude, np.mod(phase - phase[0] * np.arange(1, N_HARMONICS + 1), 2 * np.pi), residual


def folded_cusum(b: Band) -> float:
    mag = b.folded(2 * b.period)
    return np.ptp(np.cumsum(mag - mag.mean())) / (b.n * mag.std())


def folded_eta(b: Band) -> float:
    mag = b.folded(2 * b.period)
    return np.sum(np.diff(mag) ** 2) / ((b.n - 1) * mag.var())


THEIRS: dict[str, Callable[[Band], float]] = {
    "Amplitude": tails,
    "AndersonDarling": anderson_darling,
    "Autocor_length": autocorrelation_length,
    "Beyond1Std": beyond,
    "Con": con,
    "Eta_e": eta_e,
    "ExcessVar": lambda b: np.sum(b.residual**2 - b.err**2) / (b.n * b.mag.mean() ** 2),
    "GP_DRW_sigma": lambda b: walk(b)[0],
    "GP_DRW_tau": lambda b: walk(b)[1],
    "Gskew": gskew,
    "Harmonics_mse": lambda b: np.mean(harmonics(b)[2] ** 2),
    **{f"Harmonics_mag_{k}": lambda b, k=k: harmonics(b)[0][k - 1] for k in range(1, N_HARMONICS + 1)},
    **{f"Harmonics_phase_{k}": lambda b, k=k: harmonics(b)[1][k - 1] for k in range(2, N_HARMONICS + 1)},
    "IAR_phi": iar,
    "LinearTrend": lambda b: stats.linregress(b.time, b.mag).slope,
    "MaxSlope": lambda b: np.max(np.abs(np.diff(b.mag)) / np.diff(b.time)),
    "Mean": lambda b: b.mag.mean(),
    "Meanvariance": lambda b: b.mag.std() / b.mag.mean(),
    "MedianAbsDev": lambda b: np.median(np.abs(b.mag - np.median(b.mag))),
    "MedianBRP": lambda b: np.mean(np.abs(b.mag - np.median(b.mag)) < np.ptp(b.mag) / 10),
    "PairSlopeTrend": pair_slope_trend,
    "PercentAmplitude": lambda b: np.max(np.abs(b.mag - np.median(b.mag))) / np.median(b.mag),
    "Psi_CS": folded_cusum,
    "Psi_eta": folded_eta,
    "Pvar": lambda b: stats.chi2.cdf(np.sum((b.residual / b.err) ** 2), b.n - 1),
    "Q31": lambda b: np.subtract(*np.percentile(b.mag, [75, 25])),
    "Rcs": lambda b: np.ptp(np.cumsum(b.residual)) / (b.n * b.mag.std()),
    "SF_ML_amplitude": lambda b: 10 ** structure_function(b)[1],
    "SF_ML_gamma": lambda b: structure_function(b)[0],
    "Skew": lambda b: stats.skew(b.mag),
    "SmallKurtosis": small_kurtosis,
    "Std": lambda b: b.mag.std(),
    "StetsonK": stetson_k,
    "iqr": lambda b: stats.iqr(b.mag),
}
