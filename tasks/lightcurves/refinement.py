"""Fourier fits around the candidate frequencies of a period search, all objects of a chunk at once.

Per band where there are epochs enough, else with one set of harmonics for the sparse bands of a survey (shared phase).
One Cholesky factorisation gives the chi2 of every number of harmonics up to K: with the harmonics in order, the squares
of the forward-substituted vector are what each term takes off chi2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.fourier import assemble, power_sums, segment_sum

TURN = 2j * np.pi
CHUNK = 32_768  # epochs at once: the complex work arrays stay in the cache


@dataclass(frozen=True)
class PeriodConfig:
    """Settings of the period search, one for all datasets.

    Scan: frequencies f_min to f_max (1/day) in steps of 1 / (oversampling * longest baseline of one survey); the step
    widens where that would need more than max_points. f_min is never below one cycle in the baseline. `error_floor`
    (mag) is added to the errors in quadrature. Fewer than min_epoch epochs: no period.

    Refinement: n_candidates peaks, fitted with n_harmonics on `refine_grids`, nested, each (half width in points,
    divisor of the scan's step). The n_finalists best, at each of `multiples` of their period, are compared with up to
    max_harmonics by BIC; a multiple must win by `evidence` (10: very strong; Kass & Raftery 1995, JASA 90, 773).
    A band with fewer than epochs_per_term * (2K + 1) epochs shares its harmonics with such bands of its survey.
    """

    f_min: float = 0.001
    f_max: float = 24.0
    oversampling: float = 3.0
    max_points: int = 1 << 20
    error_floor: float = 0.02
    n_candidates: int = 6
    n_harmonics: int = 3
    refine_grids: tuple[tuple[int, int], ...] = ((4, 4), (4, 24))
    n_finalists: int = 3
    multiples: tuple[float, ...] = (1.0, 2.0)
    evidence: float = 10.0
    max_harmonics: int = 8
    epochs_per_term: float = 3.0
    min_epoch: int = 10

    def __post_init__(self) -> None:
        if not 0 < self.f_min < self.f_max:
            raise ValueError(f"PeriodConfig: need 0 < f_min < f_max, got f_min={self.f_min}, f_max={self.f_max} 1/day.")


@dataclass(frozen=True, eq=False)
class Series:
    """Epochs sorted by object, survey group, band and time, each band minus its weighted mean.

    time (N,) day from the object's first epoch; residual (N,) mag; weight (N,) mag^-2; group_offsets (S*G+1,);
    band_offsets (S*B+1,), offsets (S+1,). group (B,) is the survey of each band in this order.
    """

    time: NDArray[np.float64]
    residual: NDArray[np.float64]
    weight: NDArray[np.float64]
    group_offsets: NDArray[np.int64]
    band_offsets: NDArray[np.int64]
    offsets: NDArray[np.int64]
    group: NDArray[np.int64]

    @property
    def n_group(self) -> int:
        return (self.group_offsets.size - 1) // max(self.offsets.size - 1, 1)


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive objects, their filled bands, and the slots: fits with harmonics of their own.

    band_offsets (F+1,) of the F filled bands; slot_order (F,) sorts the bands by slot and slot_offsets (L+1,) bounds
    them there; object_offsets (S+1,) are the slots of each object; n_epoch and free (L,) the epochs and harmonics of
    each slot, constant (L,) its chi2 without harmonics.
    """

    time: NDArray[np.float64]
    n_epoch_object: NDArray[np.int64]
    weight: NDArray[np.float64]
    weighted: NDArray[np.float64]
    band_offsets: NDArray[np.int64]
    total: NDArray[np.float64]
    slot_order: NDArray[np.int64]
    slot_offsets: NDArray[np.int64]
    object_offsets: NDArray[np.int64]
    n_epoch: NDArray[np.int64]
    free: NDArray[np.int64]
    constant: NDArray[np.float64]


def chunks(series: Series, config: PeriodConfig) -> Iterator[tuple[slice, Chunk]]:
    """The objects in runs of about CHUNK epochs."""
    start, n_object = 0, series.offsets.size - 1
    while start < n_object:
        stop = max(start + 1, int(np.searchsorted(series.offsets, series.offsets[start] + CHUNK, side="right")) - 1)
        yield slice(start, stop), build_chunk(series, start, stop, config)
        start = stop


def build_chunk(series: Series, start: int, stop: int, config: PeriodConfig) -> Chunk:
    """Slots of objects start to stop: a band with epochs enough is one, the sparse bands of a survey are one."""
    n_band, first, last = series.group.size, series.offsets[start], series.offsets[stop]
    count = np.diff(series.band_offsets[start * n_band : stop * n_band + 1])
    rich = count >= config.epochs_per_term * (2 * config.n_harmonics + 1)
    # within an object: slots 0..B-1 are the bands with epochs enough, B + g is the rest of survey g
    own = np.where(rich, np.tile(np.arange(n_band), stop - start), n_band + np.tile(series.group, stop - start))
    slot = np.repeat(np.arange(stop - start), n_band) * 2 * n_band + own
    filled = np.flatnonzero(count > 0)
    order = np.argsort(slot[filled], kind="stable")
    used, slot_start = np.unique(slot[filled][order], return_index=True)
    slot_offsets = np.append(slot_start, filled.size)
    band_offsets = np.append(0, np.cumsum(count[filled]))
    weight, residual = series.weight[first:last], series.residual[first:last]
    n_epoch = segment_sum(count[filled][order], slot_offsets)
    constant = segment_sum(segment_sum(weight * residual**2, band_offsets)[order], slot_offsets)
    free = np.maximum((n_epoch / config.epochs_per_term - 1) // 2, 1).astype(np.int64)
    object_offsets = np.searchsorted(used, np.arange(stop - start + 1) * 2 * n_band)
    return Chunk(
        series.time[first:last],
        np.diff(series.offsets[start : stop + 1]),
        weight,
        weight * residual,
        band_offsets,
        segment_sum(weight, band_offsets),
        order,
        slot_offsets,
        object_offsets,
        n_epoch,
        free,
        constant,
    )


def nested_gain(chunk: Chunk, unit: NDArray, n_harmonics: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Log-likelihood gain n ln(chi2_constant / chi2) and number of free terms with 1..K harmonics, (S,K) both.

    `unit` (N,) is exp(2 pi i f t) at each object's own frequency.
    """
    trig, data = power_sums(unit, chunk.weight, chunk.weighted, chunk.band_offsets, n_harmonics)
    by_harmonic = np.arange(2 * n_harmonics).reshape(2, n_harmonics).T.ravel()
    matrix = assemble(trig, chunk.total)[0][:, by_harmonic][:, :, by_harmonic]
    vector = np.concatenate([data.real, data.imag]).T[:, by_harmonic]
    matrix = segment_sum(np.moveaxis(matrix[chunk.slot_order], 0, -1), chunk.slot_offsets)
    vector = segment_sum(vector[chunk.slot_order].T, chunk.slot_offsets)
    lower = np.linalg.cholesky(np.moveaxis(matrix, -1, 0))
    drop = np.cumsum(np.linalg.solve(lower, vector.T[..., None])[..., 0] ** 2, axis=1)[:, 1::2]
    harmonics = np.minimum(np.arange(1, n_harmonics + 1), chunk.free[:, None])
    drop = np.take_along_axis(drop, harmonics - 1, axis=1)
    left = np.clip(1 - drop / np.where(chunk.constant > 0, chunk.constant, 1.0)[:, None], 1e-6, 1.0)
    gain = -chunk.n_epoch[:, None] * np.log(left)
    return (segment_sum(gain.T, chunk.object_offsets).T, segment_sum(2.0 * harmonics.T, chunk.object_offsets).T)


def phasor(chunk: Chunk, frequency: NDArray) -> NDArray[np.complex128]:
    """exp(2 pi i f t) of every epoch for one frequency per object, (N,)."""
    turns = chunk.time * np.repeat(frequency, chunk.n_epoch_object)
    return np.exp(TURN * (turns - np.floor(turns)))


def climb(
    chunk: Chunk,
    frequency: NDArray,
    spacing: NDArray,
    half: int,
    n_harmonics: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Best frequency (S,) of the 2 half + 1 around `frequency` (S,), `spacing` (S,) apart, and its gain."""
    unit, turn = phasor(chunk, frequency - half * spacing), phasor(chunk, spacing)
    gain = np.empty((2 * half + 1, frequency.size))
    for point in range(2 * half + 1):
        gain[point] = nested_gain(chunk, unit, n_harmonics)[0][:, -1]
        unit = unit * turn
    best = np.argmax(gain, axis=0)
    return frequency + (best - half) * spacing, gain.max(axis=0)


def refine(series: Series, frequency: NDArray, step: NDArray, config: PeriodConfig) -> tuple[NDArray, NDArray]:
    """Periods (S,) and refined candidate periods (S,C), best first, in day, of scan frequencies (S,C) in 1/day."""
    period = np.full(frequency.shape[0], np.nan)
    candidates = np.full(frequency.shape, np.nan)
    for rows, chunk in chunks(series, config):
        refined, gain = frequency[rows].copy(), np.full(frequency[rows].shape, -np.inf)
        for column in range(refined.shape[1]):
            known = np.isfinite(refined[:, column])
            best = np.where(known, refined[:, column], 0.0)
            for half, divisor in config.refine_grids:
                spacing = np.where(known, step[rows] / divisor, 0.0)
                best, gain[:, column] = climb(chunk, best, spacing, half, config.n_harmonics)
            refined[known, column] = best[known]
            gain[~known, column] = -np.inf
        order = np.argsort(-gain, axis=1, kind="stable")
        candidates[rows] = 1 / np.take_along_axis(refined, order, axis=1)
        period[rows] = choose(chunk, candidates[rows][:, : config.n_finalists], config)
    return period, candidates


def choose(chunk: Chunk, finalists: NDArray, config: PeriodConfig) -> NDArray[np.float64]:
    """Period (S,) of the best Bayesian information criterion among the finalists (S,C) and their multiples.

    Twice the true period fits as well as the period, with twice the terms: it wins only where its odd harmonics are
    real, as for an eclipsing binary with unlike minima.
    """
    n_object = finalists.shape[0]
    best, period = np.full(n_object, -np.inf), np.full(n_object, np.nan)
    first = np.minimum(np.append(0, np.cumsum(chunk.n_epoch_object))[:-1], max(chunk.time.size - 1, 0))
    longest = np.maximum.reduceat(chunk.time, first) if chunk.time.size else np.zeros(n_object)
    log_n = np.log(np.maximum(chunk.n_epoch_object, 2))
    for column in range(finalists.shape[1]):
        for multiple in config.multiples:
            trial = finalists[:, column] * multiple
            possible = np.isfinite(trial) & (trial <= longest)
            gain, terms = nested_gain(chunk, phasor(chunk, np.where(possible, 1 / trial, 0.0)), config.max_harmonics)
            score = np.max(gain - terms * log_n[:, None], axis=1) - (config.evidence if multiple != 1 else 0.0)
            score = np.where(possible, score, -np.inf)
            better = score > best
            best, period = np.where(better, score, best), np.where(better, trial, period)
    return period
