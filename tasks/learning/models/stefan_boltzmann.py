"""Radius by the law of Stefan and Boltzmann: R / Rsun = sqrt(L / Lsun) (Tsun / Teff)^2, as log10 R.

L is of the absolute magnitude and a bolometric correction, Teff of the colour. Both are polynomials that were fitted
here to the sequence of dwarfs of Pecaut & Mamajek 2013, ApJS 208, 9 (Table 5, version 2024.05.15 by E. Mamajek), A0 to
M6; they follow its radii within 0.012 dex. Giants are hotter or cooler than dwarfs of their colour by some per cent.
Mbol of the Sun is 4.74 and its Teff 5772 K (IAU 2015 resolutions B2 and B3). A parallax of less than five sigma gives
no radius.
"""

from __future__ import annotations

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from tasks.features.colours import ROOT, ROOT0, SIGNIFICANCE
from tasks.features.feature import COLOUR, FeatureConfig
from tasks.features.gaia import GAIA, LEAST_SIGNIFICANCE
from tasks.features.reddening import REDDENING
from tasks.learning.data import Examples
from tasks.learning.physics import first_known, model_of
from tasks.learning.spec import Features

PAIR, COLOURS = "BP_RP", (-0.12, 3.35)  # the colour of the polynomials, and where they hold, mag
LOG_TEFF = Polynomial((3.97424, -0.390341, 0.330563, -0.323503, 0.173691, -0.0437085, 0.00413009))  # of K
CORRECTION = Polynomial((-0.188688, 1.44601, -2.40988, 1.86224, -0.897373, 0.229094, -0.0231172))  # M_bol - M_G, mag
SOLAR_MBOL, SOLAR_TEFF = 4.74, 5772.0  # mag, K
ABSOLUTE = tuple(column for column in GAIA.columns if column.name in ("abs_mag_g", "abs_mag_g0"))
COLOUR0 = REDDENING.columns[1]


def log_radius(absolute: NDArray[np.float64], colour: NDArray[np.float64]) -> NDArray[np.float64]:
    """log10 of the radius in Rsun, (S,), from absolute magnitude and colour, (S,) mag; NaN beyond the sequence."""
    known = np.where((colour >= COLOURS[0]) & (colour <= COLOURS[1]), colour, np.nan)
    return -0.2 * (absolute + CORRECTION(known) - SOLAR_MBOL) - 2 * (LOG_TEFF(known) - np.log10(SOLAR_TEFF))


def relation(examples: Examples) -> NDArray[np.float64]:
    """log10 R, (S,): without extinction where that is known, as observed elsewhere."""
    reference = FeatureConfig().reference
    band = reference.name if reference else ""
    roots, colours = (
        first_known(examples, [declared.name.format(band=band, pair=PAIR) for declared in columns])
        for columns in ((ROOT0, ROOT), (COLOUR0, COLOUR))
    )
    is_sure = first_known(examples, [SIGNIFICANCE.name]) >= LEAST_SIGNIFICANCE
    with np.errstate(divide="ignore", invalid="ignore"):
        of_roots = np.where(is_sure & (roots > 0), 5 * np.log10(roots), np.nan)
    of_curves = first_known(examples, [column.name for column in reversed(ABSOLUTE)])
    return log_radius(np.where(np.isfinite(of_curves), of_curves, of_roots), colours)


SPEC = model_of(
    "stefan_boltzmann",
    "radius_rsun",
    (Features((COLOUR, COLOUR0)), Features((*ABSOLUTE, ROOT, ROOT0, SIGNIFICANCE))),
    relation,
    simplicity=-1,
)
