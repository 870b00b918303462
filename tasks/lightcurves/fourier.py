"""Fourier series of folded light curves: weighted least squares for all objects at once, by sums over slices.

Convention (OGLE; Simon & Lee 1981, ApJ 248, 291, in the cosine form of Soszynski et al. 2008, Acta Astron. 58, 163):

    m(t) = m_0 + sum_k A_k cos(2 pi k t / P + phi_k),   R_k1 = A_k / A_1,   phi_k1 = phi_k - k phi_1  in [0, 2 pi)

R_k1 and phi_k1 do not depend on the zero point of time. `sine_phase` gives phi_k1 of the sine convention.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.normal_equations import TURN, normal_equations, solve_free

UNKNOWN_ANGLE = np.pi / np.sqrt(3)  # standard deviation of an angle uniform over a turn
UNQUOTED_ERR = 0.05  # mag, error assumed where none is quoted; only ratios of chi2 are meaningful then


@dataclass(frozen=True, eq=False)
class FourierFit:
    """Fits of S slices (objects, or object-band pairs) with up to K harmonics. A slice without epochs is NaN.

    offset (S,) mag; cosine, sine (S,K) mag, coefficients of cos and sin of 2 pi k t / P; chi2 and chi2_constant (S,),
    of the series and of a constant; n_epoch (S,); n_harmonics (S,), the harmonics that were free; normal (S,2K,2K)
    mag^-2, the normal matrix of these coefficients, cosines first, that of a coefficient held at 0 is 1.
    """

    offset: NDArray[np.float64]
    cosine: NDArray[np.float64]
    sine: NDArray[np.float64]
    chi2: NDArray[np.float64]
    chi2_constant: NDArray[np.float64]
    n_epoch: NDArray[np.int64]
    n_harmonics: NDArray[np.int64]
    normal: NDArray[np.float64]

    @cached_property
    def amplitude(self) -> NDArray[np.float64]:
        """A_k, (S,K) mag; 0 for a harmonic that was not free."""
        return np.hypot(self.cosine, self.sine)

    @cached_property
    def phase(self) -> NDArray[np.float64]:
        """phi_k, (S,K) radian in [0, 2 pi), cosine convention."""
        return np.mod(np.arctan2(-self.sine, self.cosine), TURN)

    def ratio(self, k: int) -> NDArray[np.float64]:
        """R_k1 = A_k / A_1, (S,); NaN where harmonic k was not free."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.amplitude[:, k - 1] / self.amplitude[:, 0]
        return np.where((self.n_harmonics >= k) & np.isfinite(ratio), ratio, np.nan)

    def phase_difference(self, k: int) -> NDArray[np.float64]:
        """phi_k1 = phi_k - k phi_1, (S,) radian in [0, 2 pi), cosine convention; NaN where k was not free."""
        difference = np.mod(self.phase[:, k - 1] - k * self.phase[:, 0], TURN)
        return np.where(self.n_harmonics >= k, difference, np.nan)

    def ratio_error(self, k: int) -> NDArray[np.float64]:
        """Standard error of R_k1, (S,); NaN where R_k1 is."""
        own, first = ((self.cosine[:, j], self.sine[:, j], self.amplitude[:, j]) for j in (k - 1, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = own[2] / first[2]
            of_own, of_first = 1 / (own[2] * first[2]), -ratio / first[2] ** 2
            slope = np.stack([own[0] * of_own, own[1] * of_own, first[0] * of_first, first[1] * of_first], axis=1)
        return self._error(k, slope)

    def phase_error(self, k: int) -> NDArray[np.float64]:
        """Standard error of phi_k1, (S,) radian, at most that of an angle of which nothing is known; NaN as phi_k1."""
        own, first = ((self.cosine[:, j], self.sine[:, j], self.amplitude[:, j] ** 2) for j in (k - 1, 0))
        with np.errstate(divide="ignore", invalid="ignore"):
            of_own = own[1] / own[2], -own[0] / own[2]
            of_first = -k * first[1] / first[2], k * first[0] / first[2]
        slope = np.stack([*of_own, *of_first], axis=1)
        return np.minimum(self._error(k, slope), UNKNOWN_ANGLE)

    def _error(self, k: int, slope: NDArray) -> NDArray[np.float64]:
        """Standard error of what has `slope` (S,4) in the cosine and sine of harmonics k and 1; NaN where k is held."""
        n = self.cosine.shape[1]
        place = np.array([k - 1, n + k - 1, 0, n])
        variance = np.einsum("sp,spq,sq->s", slope, self.covariance[:, place[:, None], place], slope)
        return np.where(self.n_harmonics >= k, np.sqrt(np.maximum(variance, 0)), np.nan)

    @cached_property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance of the coefficients, (S,2K,2K) mag^2, cosines first; only where they are free.

        Scaled by chi2 per degree of freedom: the quoted errors, with a floor added, say which epochs are better, not
        how good they are.
        """
        freedom = np.maximum(self.n_epoch - 1 - 2 * self.n_harmonics, 1)
        return np.linalg.inv(self.normal) * (self.chi2 / freedom)[:, None, None]

    def evaluate(self, phase: ArrayLike) -> NDArray[np.float64]:
        """The series at the G given phases (in turns, of t / P), (S,G) mag."""
        return self.offset[:, None] + _series(self.cosine, self.sine, phase)

    def at(self, phase: NDArray) -> NDArray[np.float64]:
        """The series of each slice at its own phases (S,M), in turns of t / P, (S,M) mag."""
        angle = TURN * phase[..., None] * np.arange(1, self.cosine.shape[1] + 1)
        series = self.cosine[:, None] * np.cos(angle) + self.sine[:, None] * np.sin(angle)
        return self.offset[:, None] + series.sum(axis=-1)

    def shape(self, phase: ArrayLike) -> NDArray[np.float64]:
        """The series without its offset, with phase 0 where the first harmonic is faintest, (S,G) mag.

        Unlike `evaluate` it does not depend on the zero point of time.
        """
        k = np.arange(1, self.cosine.shape[1] + 1)
        turned = self.phase - k * self.phase[:, :1]
        return _series(self.amplitude * np.cos(turned), -self.amplitude * np.sin(turned), phase)


def _series(cosine: NDArray, sine: NDArray, phase: ArrayLike) -> NDArray[np.float64]:
    angle = TURN * np.outer(np.arange(1, cosine.shape[1] + 1), np.asarray(phase))
    return cosine @ np.cos(angle) + sine @ np.sin(angle)


def sine_phase(phi_k1: ArrayLike, k: int) -> NDArray[np.float64]:
    """phi_k1 of the sine convention, radian in [0, 2 pi), from the cosine one: each phi_k shifts by pi / 2."""
    return np.mod(np.asarray(phi_k1) + (1 - k) * np.pi / 2, TURN)


def weights(mag_err: NDArray, floor: float = 0.0) -> NDArray[np.float64]:
    """1 / (err^2 + floor^2), (N,) mag^-2. An error that was not quoted (NaN, 0) counts as UNQUOTED_ERR."""
    err = np.where(np.isfinite(mag_err) & (mag_err > 0), mag_err, UNQUOTED_ERR).astype(np.float64)
    return 1.0 / (err**2 + floor**2)


def fit_fourier(
    batch: LightCurveBatch,
    period: ArrayLike,
    n_harmonics: int,
    offsets: NDArray | None = None,
    floor: float = 0.0,
    epochs_per_term: float = 1.0,
    swing: float = np.inf,
) -> FourierFit:
    """Weighted least-squares Fourier series of every slice at its own period.

    `period` (S,) day, > 0; NaN gives a constant fit. `offsets` (S+1,) are slices of the batch's epochs: by default the
    objects; for a fit per band pass `batch.by_band()` and repeat the periods B times. `floor` (mag) is added to the
    errors in quadrature. A slice with fewer than epochs_per_term * (2K + 1) + 1 epochs gets fewer harmonics, and so
    does one with a gap in phase in which more would swing farther than `swing` (`limit_harmonics`).
    """
    offsets = batch.offsets if offsets is None else offsets
    n_epoch, period = np.diff(offsets), np.asarray(period, np.float64)
    frequency = np.divide(1.0, period, out=np.zeros_like(period), where=np.isfinite(period) & (period > 0))
    turns = batch.time * np.repeat(frequency, n_epoch)
    most = np.clip(((n_epoch - 1) / epochs_per_term - 1) // 2, 0, n_harmonics)
    if np.isfinite(swing):
        most = np.minimum(most, limit_harmonics(largest_gap(turns, offsets), swing))
    free = np.where(frequency > 0, most, 0).astype(np.int64)
    return _fit(turns, batch.mag, weights(batch.mag_err, floor), offsets, free, n_harmonics)


def _fit(
    turns: NDArray, mag: NDArray, weight: NDArray, offsets: NDArray, free: NDArray[np.int64], n_harmonics: int
) -> FourierFit:
    """The fit with the first `free` (S,) harmonics of each slice; `turns` (N,) is t / P."""
    matrix, vector, mean, constant = normal_equations(turns, mag, weight, offsets, n_harmonics)
    solution, normal = solve_free(matrix, vector, free)
    offset = mean.magnitude - np.einsum("sp,sp->s", mean.design, solution)
    n_epoch = np.diff(offsets)
    chi2 = np.where(n_epoch > 0, constant - np.einsum("sp,sp->s", vector, solution), np.nan)
    empty = n_epoch == 0
    return FourierFit(
        np.where(empty, np.nan, offset),
        np.where(empty[:, None], np.nan, solution[:, :n_harmonics]),
        np.where(empty[:, None], np.nan, solution[:, n_harmonics:]),
        np.maximum(chi2, 0.0),
        np.where(empty, np.nan, constant),
        n_epoch,
        free,
        normal,
    )


def limit_harmonics(gap: NDArray, swing: float) -> NDArray[np.float64]:
    """Harmonics, (S,), with which a series swings in a gap of `gap` (S,) turns at most `swing` times as far as outside.

    Of all series of K harmonics within 1 outside the gap the highest reaches T_2K(1 / cos(pi gap / 2)) in it, T the
    Chebyshev polynomial (Erdelyi 1992, J. London Math. Soc. 45, 255).
    """
    reach = np.arccosh(1 / np.maximum(np.cos(np.pi * np.clip(gap, 1e-9, 1) / 2), 1e-9))
    return np.floor(np.arccosh(swing) / (2 * reach))


@njit(cache=True, nogil=True)
def largest_gap(turns: NDArray, offsets: NDArray) -> NDArray[np.float64]:
    """The largest gap in phase of each slice, (S,) turns; 1 without epochs. `turns` (N,) is t / P."""
    gap = np.ones(offsets.size - 1)
    for s in range(gap.size):
        if offsets[s + 1] > offsets[s]:
            of_slice = turns[offsets[s] : offsets[s + 1]]
            phase = np.sort(of_slice - np.floor(of_slice))
            gap[s] = phase[0] + 1 - phase[-1]
            for i in range(phase.size - 1):
                gap[s] = max(gap[s], phase[i + 1] - phase[i])
    return gap
