"""The eleven passbands: wavelengths, extinction, and the colours of a star of given temperature."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.lightcurves.extinction import extinctions

BANDS = ("G", "BP", "RP", "g_ps1", "r_ps1", "i_ps1", "z_ps1", "y_ps1", "g_ztf", "r_ztf", "i_ztf")
SURVEYS = {"gaia": BANDS[:3], "ps1": BANDS[3:8], "ztf": BANDS[8:]}
SYSTEMS = {"gaia": "Vega", "ps1": "AB", "ztf": "AB"}

# Effective wavelength, nm: Riello et al. 2021 (Gaia), Tonry et al. 2012 (PS1), Bellm et al. 2019 (ZTF).
WAVELENGTH_NM = np.array([622.0, 511.0, 777.0, 481.0, 617.0, 752.0, 866.0, 962.0, 472.0, 634.0, 789.0])

EXTINCTION = extinctions(BANDS)  # A_b / E(B-V)

# Intrinsic m_b - m_G against Teff. From 3,830 to 8,350 K: medians of dereddened dwarfs in the sample of Green et al.
# 2021 (LAMOST, APOGEE and GALAH temperatures). Outside: BP-RP and G-RP of Pecaut & Mamajek 2013, PS1 extrapolated.
COLOUR_TEFF_K = np.array(
    [
        2500,
        2740,
        3060,
        3400,
        3830,
        4130,
        4350,
        4640,
        4950,
        5260,
        5570,
        5840,
        6130,
        6410,
        6770,
        7240,
        7860,
        8350,
        9700,
        12300.0,
    ]
)
COLOURS = {
    "BP": [
        3.35,
        3.02,
        2.02,
        1.42,
        1.10,
        0.98,
        0.826,
        0.634,
        0.503,
        0.419,
        0.352,
        0.304,
        0.260,
        0.224,
        0.191,
        0.143,
        0.090,
        0.030,
        -0.057,
        -0.13,
    ],
    "RP": [
        -1.60,
        -1.48,
        -1.33,
        -1.16,
        -1.03,
        -0.95,
        -0.86,
        -0.742,
        -0.640,
        -0.565,
        -0.506,
        -0.462,
        -0.417,
        -0.376,
        -0.336,
        -0.279,
        -0.210,
        -0.130,
        0.02,
        0.07,
    ],
    "g_ps1": [
        4.2,
        3.5,
        2.6,
        1.95,
        1.56,
        1.35,
        1.16,
        0.838,
        0.604,
        0.473,
        0.382,
        0.319,
        0.277,
        0.244,
        0.215,
        0.177,
        0.111,
        0.030,
        -0.09,
        -0.20,
    ],
    "r_ps1": [
        2.1,
        1.75,
        1.15,
        0.60,
        0.28,
        0.15,
        0.04,
        -0.048,
        -0.060,
        -0.050,
        -0.040,
        -0.026,
        -0.010,
        0.002,
        0.022,
        0.038,
        0.056,
        0.067,
        0.12,
        0.16,
    ],
    "i_ps1": [
        -0.30,
        -0.38,
        -0.52,
        -0.62,
        -0.62,
        -0.58,
        -0.508,
        -0.381,
        -0.289,
        -0.218,
        -0.162,
        -0.119,
        -0.070,
        -0.034,
        0.025,
        0.070,
        0.143,
        0.215,
        0.34,
        0.46,
    ],
    "z_ps1": [
        -2.35,
        -2.10,
        -1.70,
        -1.32,
        -1.06,
        -0.93,
        -0.75,
        -0.522,
        -0.384,
        -0.280,
        -0.191,
        -0.131,
        -0.062,
        -0.010,
        0.066,
        0.134,
        0.236,
        0.331,
        0.50,
        0.66,
    ],
    "y_ps1": [
        -3.00,
        -2.65,
        -2.10,
        -1.60,
        -1.25,
        -1.08,
        -0.884,
        -0.616,
        -0.435,
        -0.307,
        -0.205,
        -0.131,
        -0.048,
        0.012,
        0.091,
        0.167,
        0.275,
        0.381,
        0.58,
        0.77,
    ],
}
# Bolometric correction to G, BC_V - (G-V) of Pecaut & Mamajek 2013 (their table of 2024), dwarfs.
BC_TEFF_K = np.array(
    [2570, 2740, 3060, 3270, 3560, 3770, 3990, 4440, 5100, 5380, 5720, 6180, 6820, 7400, 7910, 8600, 9700, 12300.0]
)
BC_G_MAG = np.array(
    [
        -2.54,
        -1.92,
        -1.41,
        -1.00,
        -0.695,
        -0.54,
        -0.40,
        -0.20,
        -0.01,
        0.05,
        0.065,
        0.087,
        0.080,
        0.070,
        0.025,
        -0.035,
        -0.225,
        -0.75,
    ]
)
SUN_MBOL_MAG = 4.74  # IAU 2015 resolution B2
SUN_TEFF_K = 5772.0  # IAU 2015 resolution B3

# ZTF minus PS1 in units of the PS1 colour g-r (g, r) or r-i (i): the size of the colour terms of Masci et al. 2019.
ZTF_COLOUR_TERM = {"g_ztf": 0.03, "r_ztf": -0.02, "i_ztf": -0.03}


def colours(teff_k: ArrayLike) -> NDArray[np.float64]:
    """Intrinsic m_b - m_G of single stars, (S, 11) mag in the order of BANDS; `teff_k` is (S,) K."""
    log_teff = np.log10(np.asarray(teff_k, float))
    ps1 = {band: np.interp(log_teff, np.log10(COLOUR_TEFF_K), value) for band, value in COLOURS.items()}
    g_r, r_i = ps1["g_ps1"] - ps1["r_ps1"], ps1["r_ps1"] - ps1["i_ps1"]
    ztf = {
        "g_ztf": ps1["g_ps1"] + ZTF_COLOUR_TERM["g_ztf"] * g_r,
        "r_ztf": ps1["r_ps1"] + ZTF_COLOUR_TERM["r_ztf"] * g_r,
        "i_ztf": ps1["i_ps1"] + ZTF_COLOUR_TERM["i_ztf"] * r_i,
    }
    every = {"G": np.zeros_like(log_teff), **ps1, **ztf}
    return np.stack([every[band] for band in BANDS], axis=-1)


def bolometric_correction(teff_k: ArrayLike) -> NDArray[np.float64]:
    """M_bol - M_G, (S,) mag."""
    return np.interp(np.log10(np.asarray(teff_k, float)), np.log10(BC_TEFF_K), BC_G_MAG)


def absolute_g(luminosity_lsun: ArrayLike, teff_k: ArrayLike) -> NDArray[np.float64]:
    """Absolute magnitude M_G, (S,) mag, from luminosity (solar) and Teff (K)."""
    return SUN_MBOL_MAG - 2.5 * np.log10(np.asarray(luminosity_lsun, float)) - bolometric_correction(teff_k)


def luminosity_from_g(absolute_g_mag: ArrayLike, teff_k: ArrayLike) -> NDArray[np.float64]:
    """Luminosity, (S,) solar, from M_G (mag) and Teff (K)."""
    return 10 ** (0.4 * (SUN_MBOL_MAG - np.asarray(absolute_g_mag, float) - bolometric_correction(teff_k)))


def radius(luminosity_lsun: ArrayLike, teff_k: ArrayLike) -> NDArray[np.float64]:
    """Radius, (S,) solar, by the law of Stefan and Boltzmann."""
    return np.sqrt(np.asarray(luminosity_lsun, float)) * (SUN_TEFF_K / np.asarray(teff_k, float)) ** 2


def band_flux(absolute_g_mag: NDArray, teff_k: NDArray) -> NDArray[np.float64]:
    """Flux in each band on an arbitrary common scale, (S, 11): for adding the light of two stars."""
    return 10 ** (-0.4 * (absolute_g_mag[:, None] + colours(teff_k)))
