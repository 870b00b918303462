"""Periods of multiband light curves: a Lomb-Scargle scan per object, then Fourier fits around its peaks, in batch.

Scan: Lomb-Scargle (Scargle 1982, ApJ 263, 835) by nifty-ls in float64 (Garrison et al. 2024, RNAAS 8, 250); its
float32 maths fails on sparse bands. The bands of one survey, each minus its weighted mean, form one series (the shared
phase of VanderPlas & Ivezic 2015, ApJ 812, 18); surveys add their log-likelihood gains.
Refinement: Fourier series with free offsets around every candidate, then each at its period and at twice that: an
eclipsing binary, whose two minima differ, must pay for its odd harmonics (BIC; Schwarz 1978, Ann. Stat. 6, 461).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import nifty_ls
import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch, offsets_of
from tasks.lightcurves.fourier import segment_sum, weights
from tasks.lightcurves.refinement import PeriodConfig, Series, refine

TINY = 1e-12


@dataclass(frozen=True, eq=False)
class PeriodResult:
    """period (S,) day; power (S,), 1 - chi2 / chi2_constant of the best scan peak; log_fap (S,), log10 of its false
    alarm probability (Baluev 2008); candidates (S,C) day, best first. NaN where there is no period.
    """

    period: NDArray[np.float64]
    power: NDArray[np.float64]
    log_fap: NDArray[np.float64]
    candidates: NDArray[np.float64]

    @property
    def fap(self) -> NDArray[np.float64]:
        """False alarm probability of the best scan peak, (S,); 0 where it underflows."""
        return 10.0**self.log_fap


def find_period(
    batch: LightCurveBatch,
    config: PeriodConfig | None = None,
    groups: tuple[int, ...] | None = None,
) -> PeriodResult:
    """Best period of every object. `groups` gives the survey of each band, aligned to `batch.bands` (None: one)."""
    config = config or PeriodConfig()
    groups = (0,) * len(batch.bands) if groups is None else groups
    if len(groups) != len(batch.bands):
        raise ValueError(f"find_period: {len(groups)} survey groups for the {len(batch.bands)} bands {batch.bands}.")
    series = residual_series(batch, groups, config)
    scan = np.full((len(batch), 2 + config.n_candidates), np.nan)
    step = np.full(len(batch), np.nan)
    for i in range(len(batch)):  # nifty-ls 1.1 has no call for objects with different times, so one call each
        found = scan_object(series, i, config)
        if found is not None:
            step[i], scan[i] = found
    period, candidates = refine(series, scan[:, 2:], step, config)
    return PeriodResult(period, scan[:, 0], scan[:, 1], candidates)


def residual_series(batch: LightCurveBatch, groups: tuple[int, ...], config: PeriodConfig) -> Series:
    """The series that the scan and the refinement work on."""
    names, group = np.unique(groups, return_inverse=True)
    rank = np.argsort(np.argsort(group, kind="stable"), kind="stable")  # bands in order of their survey
    n_band, row = len(batch.bands), batch.row
    key = row * n_band + rank[batch.band]
    order = np.lexsort((batch.time, key))
    band_offsets = offsets_of(np.bincount(key, minlength=len(batch) * n_band))
    last = np.cumsum(np.bincount(group, minlength=names.size))
    edge = (np.arange(len(batch))[:, None] * n_band + last).ravel()
    weight = weights(batch.mag_err[order], config.error_floor)
    mag = batch.mag[order].astype(np.float64)
    total = segment_sum(weight, band_offsets)
    mean = segment_sum(weight * mag, band_offsets) / np.where(total > 0, total, 1.0)
    start = np.full(len(batch), np.inf)
    np.minimum.at(start, row, batch.time)
    return Series(
        batch.time[order] - start[row],
        mag - np.repeat(mean, np.diff(band_offsets)),
        weight,
        np.concatenate([[0], band_offsets[edge]]),
        band_offsets,
        batch.offsets,
        np.sort(group),
    )


def scan_object(series: Series, i: int, config: PeriodConfig) -> tuple[float, NDArray] | None:
    """Frequency step and (power, log10 FAP, n_candidates frequencies) of object i; None if it has too few epochs."""
    edges = series.group_offsets[i * series.n_group : (i + 1) * series.n_group + 1]
    slices = [slice(a, b) for a, b in pairwise(edges) if b - a >= 5]
    n = sum(s.stop - s.start for s in slices)
    baseline = max((np.ptp(series.time[s]) for s in slices), default=0.0)
    f_min = max(config.f_min, 1 / baseline) if baseline > 0 else np.inf
    if n < config.min_epoch or f_min >= config.f_max:
        return None
    step = max(1 / (config.oversampling * baseline), (config.f_max - f_min) / (config.max_points - 1))
    n_point = int((config.f_max - f_min) / step) + 1
    gain = np.zeros(n_point)
    for s in slices:
        gain += group_gain(series, s, f_min, step, n_point)
    frequency, best = peaks(gain, f_min, step, config.n_candidates)
    power = -np.expm1(-best / n)
    return step, np.concatenate([[power, log_fap(power, n, config.f_max, baseline)], frequency])


def group_gain(series: Series, epochs: slice, f_min: float, step: float, n_point: int) -> NDArray[np.float64]:
    """-n ln(chi2 / chi2_constant) of one survey's series at each frequency: twice its gain in log-likelihood when the
    true scale of the errors is unknown.
    """
    order = np.argsort(series.time[epochs], kind="stable")
    time, residual = series.time[epochs][order], series.residual[epochs][order]
    # the means are gone already; letting one float for all bands costs half as much again and finds nothing more
    result = nifty_ls.lombscargle(
        time,
        residual,
        series.weight[epochs][order] ** -0.5,
        fmin=f_min,
        fmax=f_min + (n_point - 1) * step,
        Nf=n_point,
        center_data=False,
        fit_mean=False,
        backend="finufft",
        nthreads=1,
    )
    power = np.clip(np.nan_to_num(result.power), 0.0, 1.0 - 1e-6)
    return -time.size * np.log1p(-power)


def peaks(gain: NDArray, f_min: float, step: float, n_peak: int) -> tuple[NDArray[np.float64], float]:
    """Frequencies of the n_peak highest local maxima, highest first (NaN if there are fewer), and the highest gain."""
    inner = gain[1:-1]
    at = np.flatnonzero((inner >= gain[:-2]) & (inner > gain[2:])) + 1
    at = np.union1d(at, [np.argmax(gain)])
    at = at[np.argsort(-gain[at], kind="stable")[:n_peak]]
    frequency = np.full(n_peak, np.nan)
    frequency[: at.size] = f_min + at * step
    return frequency, float(gain[at[0]])


def log_fap(power: float, n: int, f_max: float, baseline: float) -> float:
    """log10 of the false alarm probability, Baluev 2008, MNRAS 385, 1279, eqs. 5-6, standard normalisation.

    Taken as if the surveys were one series of n epochs; a bound, since they share one baseline at most.
    """
    log_single = 0.5 * (n - 3) * np.log1p(-power)
    width = f_max * baseline * np.sqrt(np.pi / 3)  # f_max sqrt(4 pi var(t)), the variance of uniform times
    log_tau = np.log(width * np.sqrt(0.5 * n * power) + TINY) + 0.5 * (n - 4) * np.log1p(-power)
    log_either = np.logaddexp(log_single, log_tau)
    return float(min(0.0, log_either / np.log(10)))
