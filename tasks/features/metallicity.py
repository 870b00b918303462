"""Photometric [Fe/H] of the star if it is an RRab, and if it is an RRc, from the period and phi31 of Gaia's G.

RRab: [Fe/H] = -6.93 (0.58) - 6.04 (0.37) P + 1.65 (0.11) phi31, P in days, scatter 0.26 dex, calibrated on 72 RRab with
high-resolution spectra (arXiv:2605.13811). Its phi31 is that of the sine series: with that of the cosine series the
labels of Dekany & Grebel 2022 would be off by 4.6 dex. With it they are at +0.14 dex, with a scatter of 0.3 dex
(`argelander bench metallicity`): two scales. The V relation of Jurcsik & Kovacs 1996, A&A 312, 111, is on another scale
of metallicity, and phi31 grows with wavelength: for phi31 in G it gives a common RRab 0.8 dex more.

RRc: Nemec et al. 2013, ApJ 773, 181, from globular clusters in V, with phi31 of the cosine series, on the scale of
Carretta et al. 2009, A&A 508, 695. The relation of Morgan et al. 2007, MNRAS 374, 1421, brought to that scale,
is the second opinion: the difference of the two is one of the errors, in place of those of the coefficients, whose
covariance is not published. The coefficients of both are as later analyses quote them; on real RRc in V the two differ
by 0.02 dex in the median (`argelander bench metallicity`).
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import SWING, Arrays, Curves, Feature
from tasks.lightcurves.fourier import fit_fourier, sine_phase
from tasks.lightcurves.normal_equations import TURN

CONSTANT, OF_PERIOD, OF_PHASE = -6.93, -6.04, 1.65  # dex, dex/day, dex/rad
OF_PERIOD_ERROR, OF_PHASE_ERROR, SCATTER, N_STAR = 0.37, 0.11, 0.26, 72
PERIODS = (0.35, 1.0)  # day, of RRab
METALLICITIES = (-3.0, 0.5)  # dex; beyond is no RR Lyrae
TYPICAL_PERIOD, TYPICAL = 0.57, -1.5  # a common RRab: the errors of the slopes are taken about it
N_HARMONICS, EPOCHS_PER_TERM = 6, 3.0
WORST_PHASE = 0.5  # rad, standard error beyond which phi31 is not used
# [Fe/H] of RRc from 1, P, phi31, P phi31, P^2, phi31^2
NEMEC = (1.70, -15.67, 0.20, -2.41, 18.00, 0.17)
MORGAN = (2.424, -30.075, 0.982, -4.198, 52.466, 0.131)  # on the scale of Zinn & West 1984
OF_ZINN_WEST = (-0.413, 0.130, -0.356)  # Carretta et al. 2009: powers of the metallicity of Zinn & West
RRC_SCATTER = 0.30  # dex, about spectra, of the best relation of the kind: Mullen et al. 2022, ApJ 931, 131
RRC_PERIODS = (0.2, 0.5)  # day
RRC_PHASES = (1.0, 5.0)  # rad, of RRc in clusters; a quadratic means nothing beyond
BAND_PHASE = 0.1  # rad, our allowance for phi31 in G and in V, near the offset of Clementini et al. 2016, A&A 595, A133


def compute_metallicity(curves: Curves, earlier: Arrays) -> Arrays:
    """[Fe/H] and its error, (S,) dex, of each kind; NaN without the band, a period of its kind, a good phi31 or a
    possible value.
    """
    period = earlier["period_day"]
    band, bands = curves.config.reference, curves.batch.bands
    if band is None or band.name not in bands:
        return dict.fromkeys((column.name for column in METALLICITY.columns), np.full(period.size, np.nan))
    one = curves.batch.keep(curves.batch.band == bands.index(band.name))
    floor = curves.config.period.error_floor
    fit = fit_fourier(one, period, N_HARMONICS, floor=floor, epochs_per_term=EPOCHS_PER_TERM, swing=SWING)
    phi31, phase_error = fit.phase_difference(3), fit.phase_error(3)
    rrab = relation(period, sine_phase(phi31, 3), phase_error)
    rrc = relation_rrc(period, phi31, phase_error)
    with np.errstate(invalid="ignore"):
        good = phase_error < WORST_PHASE
    of_rrab = good & _within(period, PERIODS)
    of_rrc = good & _within(period, RRC_PERIODS) & _within(phi31, RRC_PHASES)
    return {**_mask("feh_rrab", *rrab, of_rrab), **_mask("feh_rrc", *rrc, of_rrc)}


def _within(values: NDArray, limits: tuple[float, float]) -> NDArray[np.bool_]:
    with np.errstate(invalid="ignore"):
        return (values > limits[0]) & (values < limits[1])


def _mask(name: str, value: NDArray, error: NDArray, is_known: NDArray[np.bool_]) -> Arrays:
    """The two columns of `name` where they are known."""
    is_known = is_known & _within(value, METALLICITIES)
    return {f"{name}_dex": np.where(is_known, value, np.nan), f"{name}_error": np.where(is_known, error, np.nan)}


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


def relation_rrc(
    period: NDArray, phi31: NDArray, phi31_error: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[Fe/H] of RRc and its error, (S,) dex, from periods (day) and phi31 of the cosine series (rad in [0, 2 pi)).

    The error is the scatter about spectra, that of phi31, that of its band, and the difference from Morgan et al. 2007.
    """
    value = _quadratic(NEMEC, period, phi31)
    other = morgan_rrc(period, phi31)
    of_phase = NEMEC[2] + NEMEC[3] * period + 2 * NEMEC[5] * phi31
    variance = RRC_SCATTER**2 + of_phase**2 * (phi31_error**2 + BAND_PHASE**2) + (value - other) ** 2
    return value, np.sqrt(variance)


def morgan_rrc(period: NDArray, phi31: NDArray) -> NDArray[np.float64]:
    """[Fe/H] of RRc by Morgan et al. 2007 on the scale of Carretta et al. 2009, (S,) dex; arguments as above."""
    zinn_west = _quadratic(MORGAN, period, phi31)
    return OF_ZINN_WEST[0] + OF_ZINN_WEST[1] * zinn_west + OF_ZINN_WEST[2] * zinn_west**2


def _quadratic(factors: tuple[float, ...], period: NDArray, phi31: NDArray) -> NDArray[np.float64]:
    terms = np.stack([np.ones_like(period), period, phi31, period * phi31, period**2, phi31**2])
    return np.array(factors) @ terms


def _column(name: str, doc: str, ucd: str, low: float, high: float | None) -> Column:
    return Column(name, pa.float32(), doc, "", ucd, nullable=True, range=(low, high))


METALLICITY = Feature(
    "metallicity",
    needs=("period_day",),
    version=3,
    source="arXiv:2605.13811 (RRab); Nemec et al. 2013, ApJ 773, 181 (RRc).",
    compute=compute_metallicity,
    columns=(
        _column("feh_rrab_dex", "Photometric [Fe/H] if the star is an RRab, from its period and phi31 in G.",
                "phys.abund.Fe", *METALLICITIES),
        _column("feh_rrab_error", "Standard error of feh_rrab_dex, scatter of the relation included.",
                "stat.error;phys.abund.Fe", 0, None),
        _column("feh_rrc_dex", "Photometric [Fe/H] if the star is an RRc, from its period and phi31 in G.",
                "phys.abund.Fe", *METALLICITIES),
        _column("feh_rrc_error", "Standard error of feh_rrc_dex, scatter of the relation included.",
                "stat.error;phys.abund.Fe", 0, None),
    ),
)  # fmt: skip
