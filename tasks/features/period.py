"""The period, how well it is determined, and how the data fit at half and at twice the period."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.fourier import fit_fourier
from tasks.lightcurves.periodogram import find_period

EXPLAIN_HARMONICS = 2


def period(curves: Curves, earlier: Arrays) -> Arrays:
    """Period search and fits at P, P/2 and 2P, (S,) each; times that are phases have no period, but they have fits."""
    n_object = len(curves.batch)
    found = dict.fromkeys(
        ("period_day", "period_power", "period_log_fap", "period_second_ratio"), np.full(n_object, np.nan)
    )
    if curves.config.has_time:
        result = find_period(curves.batch, curves.config.period, curves.config.groups or None)
        second = second_candidate(result.period, result.candidates)
        found = {
            "period_day": result.period,
            "period_power": result.power,
            "period_log_fap": result.log_fap,
            "period_second_ratio": second / result.period,
        }
    fold = curves.fold_period(found["period_day"])
    double = 2.0 if curves.config.has_time else np.nan  # phases in [0, 1) cover half of twice the period
    explained = {
        name: explained_variance(curves, fold * factor)
        for name, factor in (("period_r2", 1.0), ("half_period_r2", 0.5), ("double_period_r2", double))
    }
    return {**found, "log_period": np.log10(found["period_day"]), **explained}


def second_candidate(best: NDArray, candidates: NDArray) -> NDArray[np.float64]:
    """First candidate period that is neither the best, nor half, nor twice it (within 1 %), (S,); NaN if none."""
    ratio = candidates / best[:, None]
    same = np.any(np.abs(ratio[..., None] / np.array([0.5, 1.0, 2.0]) - 1) < 0.01, axis=-1)
    other = np.isfinite(ratio) & ~same
    first = np.argmax(other, axis=1)
    return np.where(other.any(axis=1), candidates[np.arange(best.size), first], np.nan)


def explained_variance(curves: Curves, fold: NDArray) -> NDArray[np.float64]:
    """1 - chi2 / chi2_constant of a two-harmonic series per band, all bands together, (S,)."""
    n_band = len(curves.batch.bands)
    fit = fit_fourier(
        curves.batch,
        np.repeat(fold, n_band),
        EXPLAIN_HARMONICS,
        curves.band_offsets,
        floor=curves.config.period.error_floor,
        epochs_per_term=2.0,
    )
    chi2, constant = (np.nansum(curves.per_band(value), axis=1) for value in (fit.chi2, fit.chi2_constant))
    known = (constant > 0) & np.isfinite(fold)
    return np.where(known, 1 - chi2 / np.where(known, constant, 1.0), np.nan)


PERIOD = Feature(
    "period",
    compute=period,
    columns=(
        Column(
            "period_day",
            pa.float64(),
            "Best period of the multiband search.",
            "d",
            "time.period",
            nullable=True,
            range=(0, None),
        ),
        Column("log_period", pa.float32(), "log10 of the period in days.", ucd="time.period", nullable=True),
        Column(
            "period_power",
            pa.float32(),
            "Power of the highest Lomb-Scargle peak, 1 - chi2 / chi2_constant.",
            ucd="stat.value",
            nullable=True,
            range=(0, 1),
        ),
        Column(
            "period_log_fap",
            pa.float32(),
            "log10 of the peak's false alarm probability (Baluev 2008).",
            ucd="stat.probability",
            nullable=True,
        ),
        Column(
            "period_second_ratio",
            pa.float32(),
            "Period of the next unrelated candidate over the best.",
            ucd="time.period;arith.ratio",
            nullable=True,
        ),
        *(
            Column(
                name,
                pa.float32(),
                f"Variance explained by two harmonics at {where} the period.",
                ucd="stat.value",
                nullable=True,
            )
            for name, where in (("period_r2", "once"), ("half_period_r2", "half"), ("double_period_r2", "twice"))
        ),
    ),
)
