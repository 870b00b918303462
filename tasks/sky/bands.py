"""Colours and luminosities of stars in the eleven passbands, by temperature."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.sky.constants import BANDS, SUN_MBOL_MAG, SUN_TEFF_K

FOLDER = Path(__file__).parent

# Intrinsic m_b - m_G against Teff. From 3,830 to 8,350 K: medians of dereddened dwarfs in the sample of Green et al.
# 2021 (LAMOST, APOGEE and GALAH temperatures). Outside: BP-RP and G-RP of Pecaut & Mamajek 2013, PS1 extrapolated.
COLOURS = np.genfromtxt(FOLDER / "colours.csv", delimiter=",", names=True)
# Bolometric correction to G, BC_V - (G-V) of Pecaut & Mamajek 2013 (their table of 2024), dwarfs.
BOLOMETRIC = np.genfromtxt(FOLDER / "bolometric.csv", delimiter=",", names=True)

# ZTF minus PS1 in units of the PS1 colour g-r (g, r) or r-i (i): the size of the colour terms of Masci et al. 2019.
ZTF_COLOUR_TERM = {"g_ztf": 0.03, "r_ztf": -0.02, "i_ztf": -0.03}


def colours(teff_k: ArrayLike) -> NDArray[np.float64]:
    """Intrinsic m_b - m_G of single stars, (S, 11) mag in the order of BANDS; `teff_k` is (S,) K."""
    log_teff = np.log10(np.asarray(teff_k, float))
    knots = np.log10(COLOURS["teff_k"])
    ps1 = {band: np.interp(log_teff, knots, COLOURS[band]) for band in BANDS[1:8]}
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
    return np.interp(np.log10(np.asarray(teff_k, float)), np.log10(BOLOMETRIC["teff_k"]), BOLOMETRIC["bc_g_mag"])


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
