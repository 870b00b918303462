"""A second period: the same search on the residuals of the Fourier series of the first (prewhitening)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.fourier import fit_fourier
from tasks.lightcurves.normal_equations import TURN
from tasks.lightcurves.periodogram import Scan, log_fap, try_periods
from tasks.lightcurves.scan import scan as compiled_scan
from tasks.lightcurves.series import PeriodConfig

N_HARMONICS = 6  # of the first period, in each band
EPOCHS_PER_TERM = 3.0
LEFT_OVER = 1.5  # cycles in the time span: nearer to the first frequency or its harmonics lies what the series left


@dataclass(frozen=True, eq=False)
class SecondPeriod:
    """period (S,) day; power (S,), share of the remaining variance that a sine at it explains; log_fap (S,), log10 of
    the false alarm probability; amplitude (S,) mag, half of the range of that sine, underestimated where epochs are
    few, because the first series absorbs part of it. NaN where there is none.
    """

    period: NDArray[np.float64]
    power: NDArray[np.float64]
    log_fap: NDArray[np.float64]
    amplitude: NDArray[np.float64]


def find_second_period(
    batch: LightCurveBatch,
    offsets: NDArray[np.int64],
    period: NDArray[np.float64],
    config: PeriodConfig,
    groups: tuple[int, ...] | None = None,
    scan: Scan = compiled_scan,
) -> SecondPeriod:
    """The second period of every object whose first is `period` (S,) day.

    `batch` is sorted by band, `offsets` (S*B+1,) bound the bands of each object. Bands with too few epochs for a series
    of their own take no part.
    """
    rest = prewhiten(batch, offsets, period, config)
    _, grid, _, trials = try_periods(rest, config, groups, scan)
    frequency, gain = trials.frequency, trials.gain[:, :, 0, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = frequency * period[:, None]
        width = LEFT_OVER / grid.baseline * period
        is_left_over = np.abs(ratio - np.maximum(np.rint(ratio), 1)) < width[:, None]
    height = np.where(np.isfinite(gain) & ~is_left_over, gain, -np.inf)
    row, best = np.arange(len(batch)), np.argmax(height, axis=1)
    known = np.isfinite(height[row, best]) & (grid.freedom > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.where(known, -np.expm1(-gain[row, best] / grid.freedom), np.nan)
    shape = trials.shape[row, best, 0]
    fap = log_fap(power, grid.freedom, grid.n_slot, config.f_max, grid.baseline)
    second = (1 / frequency[row, best], power, fap, np.hypot(shape[:, 0], shape[:, 1]))
    return SecondPeriod(*(np.where(known, value, np.nan) for value in second))


def prewhiten(
    batch: LightCurveBatch, offsets: NDArray[np.int64], period: NDArray[np.float64], config: PeriodConfig
) -> LightCurveBatch:
    """The light curves less the series of each band, only of bands that have one."""
    n_band = len(batch.bands)
    fold = np.repeat(period, n_band)
    fit = fit_fourier(batch, fold, N_HARMONICS, offsets, config.error_floor, EPOCHS_PER_TERM)
    slice_ = np.repeat(np.arange(offsets.size - 1), np.diff(offsets))
    with np.errstate(divide="ignore", invalid="ignore"):
        turns = np.nan_to_num(batch.time / fold[slice_], posinf=0.0, neginf=0.0)
    model = fit.offset[slice_]
    for k in range(N_HARMONICS):
        angle = TURN * (k + 1) * (turns - np.floor(turns))
        model = model + fit.cosine[slice_, k] * np.cos(angle) + fit.sine[slice_, k] * np.sin(angle)
    rest = replace(batch, mag=(batch.mag - model).astype(np.float32))
    return rest.keep(fit.n_harmonics[slice_] > 0)
