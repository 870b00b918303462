"""Photometric [Fe/H] that the light curve would mean if the star were an RRab: from the period and phi31 of Gaia's G.

[Fe/H] = -6.93 (0.58) - 6.04 (0.37) P + 1.65 (0.11) phi31, P in days, scatter 0.26 dex, calibrated on 72 RRab with
high-resolution spectra (arXiv:2605.13811). Its phi31 is that of the sine series: with that of the cosine series the
labels of Dekany & Grebel 2022 would be off by 4.6 dex. With it they are at +0.14 dex, with a scatter of 0.3 dex
(`argelander bench metallicity`): two scales.

Only G has a column. The V relation of Jurcsik & Kovacs 1996, A&A 312, 111, is on another scale of metallicity, and
phi31 grows with wavelength: for phi31 in G it gives a common RRab 0.8 dex more. RRc have none: no coefficients of a
relation in G were at hand.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.fourier import TURN, fit_fourier, sine_phase

BAND = "G"
CONSTANT, OF_PERIOD, OF_PHASE = -6.93, -6.04, 1.65  # dex, dex/day, dex/rad
OF_PERIOD_ERROR, OF_PHASE_ERROR, SCATTER, N_STAR = 0.37, 0.11, 0.26, 72
PERIODS = (0.35, 1.0)  # day, of RRab
METALLICITIES = (-3.0, 0.5)  # dex; beyond is no RRab
TYPICAL_PERIOD, TYPICAL = 0.57, -1.5  # a common RRab: the errors of the slopes are taken about it
N_HARMONICS, EPOCHS_PER_TERM = 6, 3.0
WORST_PHASE = 0.5  # rad, standard error beyond which phi31 says nothing


def metallicity(curves: Curves, earlier: Arrays) -> Arrays:
    """[Fe/H] and its error, (S,) dex; NaN without the band, a period of RRab, a good phi31 or a possible value."""
    period = earlier["period_day"]
    if BAND not in curves.batch.bands:
        return dict.fromkeys(("feh_rrab_dex", "feh_rrab_error"), np.full(period.size, np.nan))
    one = curves.batch.keep(curves.batch.band == curves.batch.bands.index(BAND))
    fit = fit_fourier(one, period, N_HARMONICS, floor=curves.config.period.error_floor, epochs_per_term=EPOCHS_PER_TERM)
    phase_error = fit.phase_error(3)
    value, error = relation(period, sine_phase(fit.phase_difference(3), 3), phase_error)
    with np.errstate(invalid="ignore"):
        known = (period > PERIODS[0]) & (period < PERIODS[1]) & (phase_error < WORST_PHASE)
        known &= (value > METALLICITIES[0]) & (value < METALLICITIES[1])
    return {"feh_rrab_dex": np.where(known, value, np.nan), "feh_rrab_error": np.where(known, error, np.nan)}


def relation(period: NDArray, phi31: NDArray, phi31_error: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[Fe/H] and its error, (S,) dex, from periods (day) and phi31 of the sine series (rad, any turn).

    The error is that of phi31, the scatter of the relation, and those of its coefficients, whose covariance is not
    published: of the constant the scatter over sqrt(72) for a typical RRab, and those of the slopes grow from there.
    """
    expected = (TYPICAL - CONSTANT - OF_PERIOD * period) / OF_PHASE
    phi31 = phi31 + TURN * np.rint((expected - phi31) / TURN)
    value = CONSTANT + OF_PERIOD * period + OF_PHASE * phi31
    middle = (TYPICAL - CONSTANT - OF_PERIOD * TYPICAL_PERIOD) / OF_PHASE
    coefficients = np.hypot(OF_PERIOD_ERROR * (period - TYPICAL_PERIOD), OF_PHASE_ERROR * (phi31 - middle))
    variance = SCATTER**2 * (1 + 1 / N_STAR) + coefficients**2 + (OF_PHASE * phi31_error) ** 2
    return value, np.sqrt(variance)


def _column(name: str, doc: str, ucd: str, low: float, high: float | None) -> Column:
    return Column(name, pa.float32(), doc, "", ucd, nullable=True, range=(low, high))


METALLICITY = Feature(
    "metallicity",
    needs=("period_day",),
    source="arXiv:2605.13811.",
    compute=metallicity,
    columns=(
        _column("feh_rrab_dex", "Photometric [Fe/H] if the star is an RRab, from its period and phi31 in G.",
                "phys.abund.Fe", *METALLICITIES),
        _column("feh_rrab_error", "Standard error of feh_rrab_dex, scatter of the relation included.",
                "stat.error;phys.abund.Fe", 0, None),
    ),
)  # fmt: skip
