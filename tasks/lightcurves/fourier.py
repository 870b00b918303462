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

TURN = 2 * np.pi
RIDGE = 1e-6  # relative to the sum of weights: keeps the normal equations solvable, far below any measured amplitude
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
            slope = np.stack([own[1] / own[2], -own[0] / own[2], -k * first[1] / first[2], k * first[0] / first[2]],
                             axis=1)  # fmt: skip
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


def segment_sum(values: NDArray, offsets: NDArray[np.int64]) -> NDArray:
    """Sums of `values` (..., N) over the S slices of `offsets` (S+1,), (..., S); 0 for an empty slice.

    `np.add.reduceat` alone would return a neighbour's value for an empty slice.
    """
    filled = np.flatnonzero(np.diff(offsets) > 0)
    total = np.zeros((*values.shape[:-1], offsets.size - 1), values.dtype)
    if filled.size:
        total[..., filled] = np.add.reduceat(values[..., : offsets[-1]], offsets[:-1][filled], axis=-1)
    return total


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
    does one with a gap in phase that lets more swing farther than `swing`, as `steady` says.
    """
    offsets = batch.offsets if offsets is None else offsets
    period = np.asarray(period, np.float64)
    n_epoch = np.diff(offsets)
    frequency = np.divide(1.0, period, out=np.zeros_like(period), where=np.isfinite(period) & (period > 0))
    turns = batch.time * np.repeat(frequency, n_epoch)
    most = np.clip(((n_epoch - 1) / epochs_per_term - 1) // 2, 0, n_harmonics)
    if np.isfinite(swing):
        most = np.minimum(most, steady(largest_gap(turns, offsets), swing))
    free = np.where(frequency > 0, most, 0).astype(np.int64)
    matrix, vector, mean, constant = normal_equations(
        turns, batch.mag, weights(batch.mag_err, floor), offsets, n_harmonics
    )
    solution, normal = solve_free(matrix, vector, free)
    cosine, sine = solution[:, :n_harmonics], solution[:, n_harmonics:]
    offset = mean.magnitude - np.einsum("sp,sp->s", mean.design, solution)
    chi2 = np.where(n_epoch > 0, constant - np.einsum("sp,sp->s", vector, solution), np.nan)
    empty = n_epoch == 0
    return FourierFit(
        np.where(empty, np.nan, offset),
        np.where(empty[:, None], np.nan, cosine),
        np.where(empty[:, None], np.nan, sine),
        np.maximum(chi2, 0.0),
        np.where(empty, np.nan, constant),
        n_epoch,
        free,
        normal,
    )


def steady(gap: NDArray, swing: float) -> NDArray[np.float64]:
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


@dataclass(frozen=True, eq=False)
class SliceMean:
    """Weighted means of each slice: magnitude (S,) mag, and design (S,2K), the means of the cosines and sines."""

    magnitude: NDArray[np.float64]
    design: NDArray[np.float64]


def normal_equations(
    turns: NDArray,
    mag: NDArray,
    weight: NDArray,
    offsets: NDArray,
    n_harmonics: int,
) -> tuple[NDArray, NDArray, SliceMean, NDArray]:
    """Normal matrix (S,2K,2K), vector (S,2K), means, and chi2 of a constant (S,), with the offset eliminated.

    `turns` (N,) is t / P. The offset is eliminated by the Schur complement, so the equations of several bands (one
    offset each, common harmonics) may simply be added. Products of cosines and sines are sums at k - l and k + l:
    cos a cos b = (cos(a - b) + cos(a + b)) / 2 and so on, so 2K complex sums build the whole matrix.
    """
    total = segment_sum(weight, offsets)
    safe = np.where(total > 0, total, 1.0)
    magnitude = segment_sum(weight * mag, offsets) / safe
    residual = mag - np.repeat(magnitude, np.diff(offsets))
    constant = segment_sum(weight * residual**2, offsets)
    trig, vector = power_sums(turns, weight, weight * residual, offsets, n_harmonics)
    matrix, design = assemble(trig, total)
    return matrix, vector, SliceMean(magnitude, design / safe[:, None]), constant


@njit(cache=True, nogil=True)
def power_sums(
    turns: NDArray, weight: NDArray, weighted: NDArray, offsets: NDArray, n_harmonics: int
) -> tuple[NDArray, NDArray]:
    """Sums over slices, for z = exp(2 pi i t / P): of w z^k, k = 1..2K, (S,2K) complex; of (w y) z^k, k = 1..K, (S,2K),
    real parts first.
    """
    n_slice = offsets.size - 1
    trig, data = np.zeros((n_slice, 2 * n_harmonics), np.complex128), np.zeros((n_slice, 2 * n_harmonics))
    for s in range(n_slice):
        for i in range(offsets[s], offsets[s + 1]):
            angle = TURN * (turns[i] - np.floor(turns[i]))
            unit = complex(np.cos(angle), np.sin(angle))
            power = unit
            for k in range(2 * n_harmonics):
                trig[s, k] += weight[i] * power
                if k < n_harmonics:
                    data[s, k] += weighted[i] * power.real
                    data[s, n_harmonics + k] += weighted[i] * power.imag
                power *= unit
    return trig, data


@njit(cache=True, nogil=True)
def assemble(trig: NDArray, total: NDArray) -> tuple[NDArray, NDArray]:
    """Normal matrix (S,2K,2K) without the offset, and the design sums (S,2K), from sums of w z^k (S,2K) and of w (S,);
    zeros where that is 0.
    """
    n_slice, n = trig.shape[0], trig.shape[1] // 2
    matrix, design = np.zeros((n_slice, 2 * n, 2 * n)), np.zeros((n_slice, 2 * n))
    for s in range(n_slice):
        if total[s] == 0:
            continue
        design[s, :n], design[s, n:] = trig[s, :n].real, trig[s, :n].imag
        for k in range(n):
            for j in range(k + 1):
                plus = trig[s, k + j + 1]
                minus = trig[s, k - j - 1] if k > j else complex(total[s], 0.0)
                matrix[s, k, j] = (minus.real + plus.real) / 2
                matrix[s, n + k, n + j] = (minus.real - plus.real) / 2
                matrix[s, n + j, k] = (plus.imag - minus.imag) / 2  # cosine of k, sine of j
                matrix[s, n + k, j] = (plus.imag + minus.imag) / 2
        for k in range(2 * n):
            for j in range(k + 1):
                matrix[s, k, j] -= design[s, k] * design[s, j] / total[s]
                matrix[s, j, k] = matrix[s, k, j]
            matrix[s, k, k] += RIDGE * total[s]
    return matrix, design


def solve_free(matrix: NDArray, vector: NDArray, free: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
    """Solutions (S,2K) with only the first `free` (S,) harmonics fitted, the others exactly 0; and their matrix."""
    n_harmonics = vector.shape[1] // 2
    held = np.tile(np.arange(n_harmonics) >= free[:, None], 2)
    matrix = np.where(held[:, :, None] | held[:, None, :], 0.0, matrix)
    diagonal = np.arange(2 * n_harmonics)
    matrix[:, diagonal, diagonal] += held
    return np.linalg.solve(matrix, np.where(held, 0.0, vector)[..., None])[..., 0], matrix
