"""Periods of multiband light curves: a scan over frequencies, Fourier fits around its peaks, and a choice, in batch.

Scan: Lomb-Scargle power (Scargle 1982, ApJ 263, 835) with a floating mean. A band with epochs enough is a slot of its
own; the sparse bands of a survey are one, with a common phase and amplitude and an offset each; the slots add their
log-likelihood gains. Direct sums (`scan.py`), beyond LONG epochs a fast transform: nifty-ls in float64 (Garrison et al.
2024, RNAAS 8, 250; its float32 maths fails on sparse bands). Around the peaks: `trials.py`; which is it: `choice.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import nifty_ls
import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.choice import Choice, choose
from tasks.lightcurves.scan import PERFECT, highest_peaks, scan, slots_gain
from tasks.lightcurves.series import PeriodConfig, Series, residual_series
from tasks.lightcurves.slots import Grid, Slots, build_grid, build_slots
from tasks.lightcurves.trials import Trials, fit_trials

Scan = Callable[..., tuple[NDArray, NDArray]]
LONG = 750  # epochs of one band beyond which nifty-ls is faster, on any grid (python -m benchmarks.period_scan)


@dataclass(frozen=True, eq=False)
class PeriodResult:
    """power (S,), 1 - chi2 / chi2_constant of the highest peak of the scan; log_fap (S,), log10 of its false alarm
    probability (Baluev 2008); trials, the fits around the peaks, and choice, the period chosen among them. NaN where an
    object has no period.
    """

    power: NDArray[np.float64]
    log_fap: NDArray[np.float64]
    trials: Trials
    choice: Choice

    @property
    def period(self) -> NDArray[np.float64]:
        """The most probable period, (S,) day."""
        return self.choice.period

    @property
    def fap(self) -> NDArray[np.float64]:
        """False alarm probability of the highest peak of the scan, (S,); 0 where it underflows."""
        return 10.0**self.log_fap


def find_period(
    batch: LightCurveBatch,
    config: PeriodConfig | None = None,
    groups: tuple[int, ...] | None = None,
    scan: Scan = scan,
) -> PeriodResult:
    """Best period of every object. `groups` gives the survey of each band, aligned to `batch.bands` (None: one).

    `scan` may be that of `scan_torch`. ValueError: `groups` does not fit the bands.
    """
    config = config or PeriodConfig()
    series, grid, gain, trials = try_periods(batch, config, groups, scan)
    power = -np.expm1(-gain / grid.freedom)
    fap = log_fap(power, grid.freedom, grid.n_slot, config.f_max, grid.baseline)
    return PeriodResult(power, fap, trials, choose(series, trials))


def try_periods(
    batch: LightCurveBatch, config: PeriodConfig, groups: tuple[int, ...] | None = None, scan: Scan = scan
) -> tuple[Series, Grid, NDArray[np.float64], Trials]:
    """The series, the grid of frequencies, the gain of each object's highest peak (S,), and the trials of its peaks."""
    series = residual_series(batch, groups, config)
    slots = build_slots(series, config)
    grid = build_grid(slots, config)
    is_long = np.isin(np.arange(len(batch)), slots.row[(slots.n_band == 1) & (slots.n_epoch > LONG)])
    frequency, gain = scan(
        series.time,
        series.residual,
        series.weight,
        slots.bands,
        slots.slot_offsets,
        slots.object_offsets,
        grid.first,
        grid.step,
        np.where(is_long, 0, grid.n_point),
        config.n_candidates,
    )
    for i in np.flatnonzero(is_long & (grid.n_point > 0)):
        frequency[i], gain[i] = scan_long(series, slots, grid, int(i), config.n_candidates)
    return series, grid, gain[:, 0], fit_trials(series, slots, frequency, grid.step, config)


def scan_long(
    series: Series, slots: Slots, grid: Grid, i: int, n_peak: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Peaks of object i as `scan` gives them, its long bands by nifty-ls."""
    first, step, n_point = grid.first[i], grid.step[i], grid.n_point[i]
    gain = np.zeros(n_point, np.float32)
    for slot in range(slots.object_offsets[i], slots.object_offsets[i + 1]):
        if slots.n_band[slot] == 1 and slots.n_epoch[slot] > LONG:
            power = long_power(series, slice(*slots.bands[slots.slot_offsets[slot]]), first, step, n_point)
            gain -= slots.freedom[slot] * np.log1p(-power)
        else:
            edges = slots.slot_offsets[slot : slot + 2]
            gain += slots_gain(series.time, series.residual, series.weight, slots.bands, edges, first, step, n_point)
    place, height = highest_peaks(gain, n_peak)
    return np.where(place >= 0, first + place * step, np.nan), np.where(place >= 0, height, np.nan)


def long_power(series: Series, epochs: slice, first: float, step: float, n_point: int) -> NDArray[np.float64]:
    """1 - chi2 / chi2_constant of one band at each frequency, with a floating mean, below 1."""
    result = nifty_ls.lombscargle(
        series.time[epochs],
        series.residual[epochs],
        series.weight[epochs] ** -0.5,
        fmin=first,
        fmax=first + (n_point - 1) * step,
        Nf=n_point,
        center_data=False,
        backend="finufft",
        nthreads=1,
    )
    return np.clip(np.nan_to_num(result.power), 0.0, PERFECT)


def log_fap(power: NDArray, freedom: NDArray, n_slot: NDArray, f_max: float, baseline: NDArray) -> NDArray[np.float64]:
    """log10 of the false alarm probability, (S,) as all arguments, NaN where `power` is.

    Baluev 2008, MNRAS 385, 1279, eqs. 5-6, standard normalisation, for one slot. The gain of L slots is chi2 with 2 L
    degrees of freedom at each frequency under noise, and its up-crossings go as z^(L - 1/2) exp(-z) / Gamma(L), z half
    the gain. A bound, with f_max sqrt(4 pi var(t)) for the width, the variance of uniform times over the baseline.
    """
    z = -0.5 * freedom * np.log1p(-power)
    log_sum, log_term = np.zeros_like(z), np.zeros_like(z)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_z = np.log(z)
        for k in range(1, int(n_slot.max(initial=1))):  # upper tail of the gamma distribution of integer shape
            log_term = log_term + log_z - np.log(k)
            log_sum = np.where(k < n_slot, np.logaddexp(log_sum, log_term), log_sum)
        log_width = np.log(f_max * baseline * np.sqrt(np.pi / 3))
        log_level = np.log(0.5 * (freedom + 2) * power)
        log_tau = log_width + (n_slot - 0.5) * log_level - gammaln(n_slot) + 0.5 * (freedom - 1) * np.log1p(-power)
        return np.minimum(0.0, np.logaddexp(log_sum - z, log_tau) / np.log(10))
