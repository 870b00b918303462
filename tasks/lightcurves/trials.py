"""Trial periods: each peak of a scan refined, and Fourier series fitted at that period and at twice that.

One series for each slot: a band with epochs enough, or all sparse bands of a survey (shared phase, VanderPlas & Ivezic
2015, ApJ 812, 18). Sums of w z^k and w y z^k, z = exp(2 pi i f t), build the normal equations of all harmonics up to K;
one Cholesky factorisation then gives the chi2 of every number of harmonics: with the harmonics in order, the squares of
the forward-substituted vector are what each term takes off chi2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from tasks.lightcurves.normal_equations import RIDGE
from tasks.lightcurves.series import PeriodConfig, Series
from tasks.lightcurves.slots import Slots

MULTIPLES = (1.0, 2.0)  # of the period of a peak: a binary with two alike minima peaks at half its period
N_HARMONICS = 8
N_SHAPE = 4  # harmonics of the series that all bands share, which gives a trial its shape
FINER = 3.0  # of the spacing of the climb: half the width of the last parabola
LEAST = 1e-6  # of chi2 that a fit leaves
compiled = njit(cache=True, nogil=True, fastmath=True, error_model="numpy")  # fastmath: all numbers are finite
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Trials:
    """Fits of S objects at M multiples of C peaks. NaN where an object has fewer peaks.

    frequency (S,C) 1/day of the refined peaks; sigma (S,C) 1/day, from the curvature of the likelihood; gain (S,C,M,K),
    n ln(chi2_constant / chi2) with 1..K harmonics, summed over slots; terms (S,C,M,K), the free terms; shape
    (S,C,M,2Q), cosine and sine amplitudes (mag, in turn) of the series common to all bands.
    """

    frequency: NDArray[np.float64]
    sigma: NDArray[np.float64]
    gain: NDArray[np.float64]
    terms: NDArray[np.float64]
    shape: NDArray[np.float64]

    @property
    def period(self) -> NDArray[np.float64]:
        """Trial periods, (S,C,M) day."""
        return np.asarray(MULTIPLES) / self.frequency[:, :, None]


def fit_trials(series: Series, slots: Slots, peaks: NDArray, step: NDArray, config: PeriodConfig) -> Trials:
    """Trials of the scan's peaks, (S,C) 1/day, whose frequencies lie `step` (S,) apart."""
    n_object, n_peak = peaks.shape
    shape = (n_object, n_peak, len(MULTIPLES))
    frequency, sigma = np.full((n_object, n_peak), np.nan), np.full((n_object, n_peak), np.nan)
    gain, terms = np.full((*shape, N_HARMONICS), np.nan), np.full((*shape, N_HARMONICS), np.nan)
    fits = frequency, sigma, gain, terms, np.full((*shape, 2 * N_SHAPE), np.nan)
    epochs = series.time, series.weight, series.weight * series.residual, series.offsets
    bounds = slots.bands, slots.slot_offsets, slots.object_offsets
    grid = np.array(config.refine), config.n_harmonics, np.array(MULTIPLES)
    _fit_all(*epochs, *bounds, slots.n_epoch, slots.free, slots.constant, peaks, step, *grid, *fits)
    return Trials(*fits)


class Object(NamedTuple):
    """Epochs of one object, the first is epoch `low` of the batch; all slots, its own are `first` to `last`."""

    time: _Floats
    weight: _Floats
    weighted: _Floats
    low: int
    bands: _Ints
    slot_offsets: _Ints
    first: int
    last: int
    n_epoch: _Ints
    free: _Ints
    constant: _Floats


@compiled
def _fit_all(
    time: _Floats, weight: _Floats, weighted: _Floats, offsets: _Ints, bands: _Ints, slot_offsets: _Ints,
    object_offsets: _Ints, n_epoch: _Ints, free: _Ints, constant: _Floats, peaks: _Floats, step: _Floats, refine: _Ints,
    n_climb: int, multiples: _Floats, frequency: _Floats, sigma: _Floats, gain: _Floats, terms: _Floats, shape: _Floats,
) -> None:  # fmt: skip
    """Refines every peak (S,C) into `frequency` and `sigma`, and fits its multiples (M,) into the other three."""
    longest = 0
    for i in range(offsets.size - 1):
        longest = max(longest, offsets[i + 1] - offsets[i])
    work = np.empty((8, longest))
    climbed, n_term = np.empty(n_climb), np.empty(n_climb)
    half = refine[0]
    heights = np.empty(2 * half + 1)
    for i in range(offsets.size - 1):
        low, high = offsets[i], offsets[i + 1]
        star = Object(
            time[low:high], weight[low:high], weighted[low:high], low, bands, slot_offsets,
            object_offsets[i], object_offsets[i + 1], n_epoch, free, constant,
        )  # fmt: skip
        spacing = step[i] / refine[1]
        fill_units(star.time, spacing, work[4], work[5])
        fill_units(star.time, spacing / FINER, work[6], work[7])
        for c in range(peaks.shape[1]):
            if not peaks[i, c] > 0:
                continue
            _climb(star, work, peaks[i, c] - half * spacing, work[4], work[5], heights, climbed, n_term)
            best = int(np.argmax(heights))
            inner = min(max(best, 1), heights.size - 2)
            shift, rough = _parabola(heights[inner - 1 : inner + 2])
            place = peaks[i, c] + (best - half + (shift if best == inner else 0.0)) * spacing
            _climb(star, work, place - spacing / FINER, work[6], work[7], heights[:3], climbed, n_term)
            shift, fine = _parabola(heights[:3])
            frequency[i, c] = place + shift * spacing / FINER
            # twice the log-likelihood falls by 1 at one standard error; the residuals of the series are below the noise
            sigma[i, c] = spacing / (FINER * np.sqrt(fine)) if fine > 0 else spacing / np.sqrt(rough)
            sigma[i, c] *= _noise_ratio(star, n_term[-1])
            for m in range(multiples.size):
                fill_units(star.time, frequency[i, c] / multiples[m], work[0], work[1])
                _gains(star, work, gain[i, c, m], terms[i, c, m], shape[i, c, m])


@compiled
def _climb(
    star: Object,
    work: _Floats,
    first: float,
    real: _Floats,
    imaginary: _Floats,
    heights: _Floats,
    gain: _Floats,
    terms: _Floats,
) -> None:
    """Gains with all of the harmonics of `gain` at `first` and on, as many as `heights`; the step from one to the next
    turns the epochs by `real` and `imaginary`.
    """
    none = np.empty(0)
    fill_units(star.time, first, work[0], work[1])
    for point in range(heights.size):
        _gains(star, work, gain, terms, none)
        heights[point] = gain[-1]
        for j in range(star.time.size):
            turned = work[0, j] * real[j] - work[1, j] * imaginary[j]
            work[1, j] = work[0, j] * imaginary[j] + work[1, j] * real[j]
            work[0, j] = turned


@compiled
def _parabola(heights: _Floats) -> tuple[float, float]:
    """Place of the top of the parabola through three points 1 apart, at most 1 from the middle, and its fall over 1.

    Where it has no top, the higher end and a fall of 0.
    """
    before, at, after = heights
    fall = at - 0.5 * (before + after)
    if fall <= 0:
        return (1.0 if after > before else -1.0 if before > after else 0.0), 0.0
    return min(max(0.25 * (after - before) / fall, -1.0), 1.0), fall


@compiled
def _noise_ratio(star: Object, n_term: float) -> float:
    """Noise over the scatter of the residuals of `n_term` amplitudes, an offset for each band and the frequency."""
    n_epoch = np.sum(star.n_epoch[star.first : star.last])
    n_band = star.slot_offsets[star.last] - star.slot_offsets[star.first]
    return np.sqrt(n_epoch / max(n_epoch - n_band - n_term - 1.0, 1.0))


@compiled
def fill_units(time: _Floats, frequency: float, real: _Floats, imaginary: _Floats) -> None:
    """z = exp(2 pi i f t) of every epoch."""
    for j in range(time.size):
        turns = frequency * time[j]
        angle = 2 * np.pi * (turns - np.floor(turns))
        real[j], imaginary[j] = np.cos(angle), np.sin(angle)


@compiled
def _gains(star: Object, work: _Floats, gain: _Floats, terms: _Floats, shape: _Floats) -> None:
    """Gain in twice the log-likelihood with 1..K harmonics and their free terms, (K,) both, for z in work[:2].

    Into `shape` (2Q,), unless empty: the first Q harmonics of the series that all slots share.
    """
    n_harmonic = gain.size
    size = 2 * n_harmonic
    sums, data = np.empty((2, size + 1)), np.empty((2, n_harmonic + 1))
    matrix, vector = np.empty((size, size)), np.empty(size)
    common, common_vector = np.zeros((shape.size, shape.size)), np.zeros(shape.size)
    gain[:], terms[:] = 0.0, 0.0
    for slot in range(star.first, star.last):
        matrix[:], vector[:] = 0.0, 0.0
        for band in range(star.slot_offsets[slot], star.slot_offsets[slot + 1]):
            start, stop = star.bands[band, 0] - star.low, star.bands[band, 1] - star.low
            _band_sums(star, work, start, stop, sums, data)
            _add_equations(sums, data, matrix, vector)
        for row in range(shape.size):
            common_vector[row] += vector[row]
            for column in range(row + 1):
                common[row, column] += matrix[row, column]
        _add_nested(star.n_epoch[slot], star.constant[slot], star.free[slot], matrix, vector, gain, terms)
    for row in range(shape.size):
        _factor_row(common, common_vector, row)
    for row in range(shape.size - 1, -1, -1):
        value = common_vector[row]
        for later in range(row + 1, shape.size):
            value -= common[later, row] * shape[later]
        shape[row] = value / common[row, row]


@compiled
def _add_nested(
    n_epoch: int, constant: float, free: int, matrix: _Floats, vector: _Floats, gain: _Floats, terms: _Floats
) -> None:
    """Adds the gains of a slot with 1..K harmonics, of which at most `free` are fitted."""
    drop = 0.0
    for k in range(gain.size):
        if k < free:
            for row in (2 * k, 2 * k + 1):
                _factor_row(matrix, vector, row)
                drop += vector[row] ** 2
        left = 1.0 - drop / constant if constant > 0 else 1.0
        gain[k] -= n_epoch * np.log(min(max(left, LEAST), 1.0))
        terms[k] += 2 * min(k + 1, free)


@compiled
def _band_sums(star: Object, work: _Floats, low: int, high: int, sums: _Floats, data: _Floats) -> None:
    """Sums of w z^k, k = 0..2K, and of w y z^k, k = 1..K, over the epochs low to high of an object.

    One loop does one thing on arrays of one dimension: so it vectorises, which makes it three times faster.
    """
    weight, weighted = star.weight[low:high], star.weighted[low:high]
    unit_real, unit_imaginary = work[0, low:high], work[1, low:high]
    real, imaginary = work[2, low:high], work[3, low:high]
    real[:], imaginary[:] = 1.0, 0.0
    for k in range(sums.shape[1]):
        if k < data.shape[1]:
            data_real, data_imaginary = 0.0, 0.0
            for j in range(weight.size):
                data_real += weighted[j] * real[j]
                data_imaginary += weighted[j] * imaginary[j]
            data[0, k], data[1, k] = data_real, data_imaginary
        sum_real, sum_imaginary = 0.0, 0.0
        for j in range(weight.size):
            sum_real += weight[j] * real[j]
            sum_imaginary += weight[j] * imaginary[j]
        sums[0, k], sums[1, k] = sum_real, sum_imaginary
        for j in range(weight.size):
            turned = real[j] * unit_real[j] - imaginary[j] * unit_imaginary[j]
            imaginary[j] = real[j] * unit_imaginary[j] + imaginary[j] * unit_real[j]
            real[j] = turned


@compiled
def _add_equations(sums: _Floats, data: _Floats, matrix: _Floats, vector: _Floats) -> None:
    """Adds the normal equations of a band (lower triangle), its offset eliminated by the Schur complement.

    Unknowns are cos and sin of each harmonic in turn: cos a cos b = (cos(a - b) + cos(a + b)) / 2 and so on.
    """
    total = sums[0, 0]
    if total <= 0:
        return
    for k in range(1, data.shape[1]):
        row = 2 * (k - 1)
        vector[row] += data[0, k] - data[0, 0] * sums[0, k] / total
        vector[row + 1] += data[1, k] - data[0, 0] * sums[1, k] / total
        for m in range(1, k + 1):
            column = 2 * (m - 1)
            minus_real, minus_imaginary = sums[0, k - m], sums[1, k - m]
            plus_real, plus_imaginary = sums[0, k + m], sums[1, k + m]
            matrix[row, column] += 0.5 * (minus_real + plus_real) - sums[0, k] * sums[0, m] / total
            matrix[row + 1, column + 1] += 0.5 * (minus_real - plus_real) - sums[1, k] * sums[1, m] / total
            matrix[row + 1, column] += 0.5 * (plus_imaginary + minus_imaginary) - sums[1, k] * sums[0, m] / total
            if k > m:
                matrix[row, column + 1] += 0.5 * (plus_imaginary - minus_imaginary) - sums[0, k] * sums[1, m] / total
        matrix[row, row] += RIDGE * total
        matrix[row + 1, row + 1] += RIDGE * total


@compiled
def _factor_row(matrix: _Floats, vector: _Floats, row: int) -> None:
    """One row of the Cholesky factor, in place of the lower triangle, and of the forward substitution."""
    for column in range(row):
        value = matrix[row, column]
        for inner in range(column):
            value -= matrix[row, inner] * matrix[column, inner]
        matrix[row, column] = value / matrix[column, column]
    pivot, value = matrix[row, row], vector[row]
    for inner in range(row):
        pivot -= matrix[row, inner] ** 2
        value -= matrix[row, inner] * vector[inner]
    matrix[row, row] = np.sqrt(max(pivot, 1e-300))
    vector[row] = value / matrix[row, row]
