"""[Fe/H] of RRab from the period and phi31, by the published relation of the first of its bands that was observed.

[Fe/H] = a + b P + c phi31, P in days, phi31 of the sine series. In G: tasks/features/metallicity.py. In I: Smolec 2005,
Acta Astron. 55, 59. In V: Jurcsik & Kovacs 1996, A&A 312, 111. The scales of metallicity differ; the zero point, which
is learnt, takes the mean difference away.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.features.feature import PERIOD_DAY, FeatureConfig
from tasks.features.fourier import FOURIER
from tasks.features.metallicity import CONSTANT, METALLICITIES, OF_PERIOD, OF_PHASE, PERIODS, TYPICAL
from tasks.features.vetted import VETTED_PERIOD_DAY
from tasks.learning.data import Examples
from tasks.learning.physics import first_known, model_of
from tasks.learning.spec import Features
from tasks.lightcurves.fourier import sine_phase
from tasks.lightcurves.normal_equations import TURN

PHI31 = next(column for column in FOURIER.columns if column.name == "phi31_rad_{band}")
OTHERS = {"I": (-3.142, -4.902, 0.824), "V": (-5.038, -5.394, 1.345)}  # dex, dex/day, dex/rad


def relation(examples: Examples) -> NDArray[np.float64]:
    """[Fe/H] (S,) dex; NaN for periods and values that no RRab has."""
    period = first_known(examples, [VETTED_PERIOD_DAY.name, PERIOD_DAY.name])
    found = np.full(len(examples), np.nan)
    before, after = PHI31.name.split("{band}")
    reference = FeatureConfig().reference
    in_reference = {reference.name: (CONSTANT, OF_PERIOD, OF_PHASE)} if reference else {}
    for band, coefficients in (in_reference | OTHERS).items():
        names = [n for n in examples.feature_names if n.startswith(before + band) and n.endswith(after)]
        own = metallicity(period, first_known(examples, names), *coefficients)
        found = np.where(np.isfinite(found), found, own)
    with np.errstate(invalid="ignore"):
        is_possible = (period > PERIODS[0]) & (period < PERIODS[1])
        is_possible &= (found > METALLICITIES[0]) & (found < METALLICITIES[1])
    return np.where(is_possible, found, np.nan)


def metallicity(
    period: NDArray[np.float64], phi31: NDArray[np.float64], constant: float, of_period: float, of_phase: float
) -> NDArray[np.float64]:
    """[Fe/H] (S,) dex from periods (day) and phi31 of the cosine series (rad), at the turn nearest a typical star."""
    expected = (TYPICAL - constant - of_period * period) / of_phase
    phase = sine_phase(phi31, 3)
    phase = phase + TURN * np.rint((expected - phase) / TURN)
    value: NDArray[np.float64] = constant + of_period * period + of_phase * phase
    return value


SPEC = model_of(
    "fourier_metallicity",
    "feh_dex",
    (Features((PHI31,)), Features((VETTED_PERIOD_DAY, PERIOD_DAY))),
    relation,
    simplicity=-2,
)
