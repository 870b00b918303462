"""Numbers that the simulator takes from the literature, each with its source.

They stand here on their own, apart from the same numbers of the pipeline (tasks.lightcurves, tasks.surveys): a number
that both ends shared would cancel from end to end if it was wrong. tests/contracts/test_numbers_of_both_ends.py
compares the two sets.
"""

from __future__ import annotations

import numpy as np

# Band: survey, effective wavelength in nm, A_b / E(B-V).
# Wavelengths: Riello et al. 2021 (Gaia), Tonry et al. 2012, table 4 (PS1), Bellm et al. 2019 (ZTF). Extinction:
# Casagrande & VandenBerg 2018, table 2 (Gaia); Schlafly & Finkbeiner 2011, table 6, R_V = 3.1 (PS1); ZTF has the
# values of PS1, moved to ZTF's effective wavelengths along the same curve.
PASSBANDS = {
    "G": ("gaia", 622.0, 2.740),
    "BP": ("gaia", 511.0, 3.374),
    "RP": ("gaia", 777.0, 2.035),
    "g_ps1": ("ps1", 481.0, 3.172),
    "r_ps1": ("ps1", 617.0, 2.271),
    "i_ps1": ("ps1", 752.0, 1.682),
    "z_ps1": ("ps1", 866.0, 1.322),
    "y_ps1": ("ps1", 962.0, 1.087),
    "g_ztf": ("ztf", 472.0, 3.25),
    "r_ztf": ("ztf", 634.0, 2.21),
    "i_ztf": ("ztf", 789.0, 1.60),
}
BANDS = tuple(PASSBANDS)
SURVEYS = {
    survey: tuple(band for band, (its, *_) in PASSBANDS.items() if its == survey) for survey in ("gaia", "ps1", "ztf")
}
WAVELENGTH_NM = np.array([wavelength for _, wavelength, _ in PASSBANDS.values()])
EXTINCTION = np.array([extinction for *_, extinction in PASSBANDS.values()])

# Bits of the quality flag of an epoch of the sky; 0 is a good epoch.
BAD_QUALITY = 1  # the archive itself calls the measurement bad
SATURATED = 2  # a saturated or non-linear pixel under the star
BLENDED = 4  # a neighbour's light inside the aperture or window
MOONLIGHT = 16  # bright sky or passing cloud
FLAGS = {"BAD_QUALITY": BAD_QUALITY, "SATURATED": SATURATED, "BLENDED": BLENDED, "MOONLIGHT": MOONLIGHT}

SUN_MBOL_MAG = 4.74  # IAU 2015 resolution B2
SUN_TEFF_K = 5772.0  # IAU 2015 resolution B3
YEAR_DAY = 365.25  # Julian year
DAY_S = 86_400.0
KM_S_PER_KPC_MAS = 4.740470  # km/s for 1 mas/yr at 1 kpc: 1 au per Julian year
OBLIQUITY_DEG = 23.4393  # of the ecliptic, J2000, to the digits that a cadence needs
# Rows: unit vectors of the galactic axes in ICRS (Hipparcos catalogue, ESA SP-1200, vol. 1, eq. 1.5.11, transposed).
GALACTIC_TO_ICRS = np.array(
    [
        [-0.0548755604, -0.8734370902, -0.4838350155],
        [0.4941094279, -0.4448296300, 0.7469822445],
        [-0.8676661490, -0.1980763734, 0.4559837762],
    ]
)

GAIA_EPOCH_YEAR = 2016.0  # reference epoch of the positions of Gaia DR3, Julian year
GAIA_EPOCH_MJD = 57388.5  # the same epoch
GAIA_PARALLAX_ZERO_MAS = -0.030  # mean zero point of Gaia DR3 (Lindegren et al. 2021)
HEALPIX_ORDER, INDEX_BITS = 12, 35  # source_id: pixel of order 12 times 2^35 (Gaia DR3 data model)
