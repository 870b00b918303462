"""Fluxes, magnitudes and photometric systems. A flux that is not positive has no magnitude: NaN, never a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

POGSON = 2.5 / np.log(10)  # 1.0857: d mag = POGSON d flux / flux (Pogson 1856, MNRAS 17, 12)
AB_ZERO_JY = 3631.0  # flux density of AB = 0 (Oke & Gunn 1983, ApJ 266, 713)

# Zero points of Gaia EDR3 and DR3 mean fluxes in electron/s: Riello et al. 2021, A&A 649, A3
GAIA_ZERO_POINT = {
    "Vega": {"G": 25.6873668671, "BP": 25.3385422158, "RP": 24.7478955012},
    "AB": {"G": 25.8010446445, "BP": 25.3539555559, "RP": 25.1039837393},
}

# m_AB - m_Vega. Gaia from the zero points above; Johnson-Cousins from Blanton & Roweis 2007, AJ 133, 734, table 1.
AB_MINUS_VEGA = {
    **{band: GAIA_ZERO_POINT["AB"][band] - GAIA_ZERO_POINT["Vega"][band] for band in ("G", "BP", "RP")},
    "U": 0.79,
    "B": -0.09,
    "V": 0.02,
    "R": 0.21,
    "I": 0.45,
}


def flux_to_mag(flux: ArrayLike, flux_err: ArrayLike, zero_point: float) -> tuple[NDArray, NDArray]:
    """Magnitude and its error (mag) of a flux and its error in one unit; mag = zero_point - 2.5 log10(flux).

    First-order error, POGSON flux_err / flux. A flux <= 0 or NaN gives NaN in both.
    """
    flux, flux_err = np.asarray(flux, np.float64), np.asarray(flux_err, np.float64)
    seen = flux > 0
    safe = np.where(seen, flux, 1.0)
    return (np.where(seen, zero_point - 2.5 * np.log10(safe), np.nan), np.where(seen, POGSON * flux_err / safe, np.nan))


def mag_to_flux(mag: ArrayLike, mag_err: ArrayLike, zero_point: float) -> tuple[NDArray, NDArray]:
    """Flux and its error, in the unit of `zero_point`: the inverse of `flux_to_mag`."""
    flux = 10 ** (-0.4 * (np.asarray(mag, np.float64) - zero_point))
    return flux, flux * np.asarray(mag_err, np.float64) / POGSON


def jansky_to_ab(flux_jy: ArrayLike, flux_err_jy: ArrayLike) -> tuple[NDArray, NDArray]:
    """AB magnitude and error of a flux density in Jy (Oke & Gunn 1983)."""
    return flux_to_mag(flux_jy, flux_err_jy, 2.5 * np.log10(AB_ZERO_JY))


def gaia_to_mag(
    flux: ArrayLike,
    flux_over_error: ArrayLike,
    band: str,
    system: str = "Vega",
) -> tuple[NDArray, NDArray]:
    """Gaia magnitude and error of a flux in electron/s and its signal-to-noise. `band` G, BP or RP."""
    if band not in GAIA_ZERO_POINT.get(system, {}):
        raise ValueError(
            f"gaia_to_mag: no zero point for band {band!r} in system {system!r}; use G, BP or RP and Vega or AB."
        )
    flux = np.asarray(flux, np.float64)
    return flux_to_mag(flux, flux / np.asarray(flux_over_error, np.float64), GAIA_ZERO_POINT[system][band])


def vega_to_ab(mag: ArrayLike, band: str) -> NDArray:
    """AB magnitude of a Vega magnitude in a Gaia or Johnson-Cousins band; ValueError for another band."""
    if band not in AB_MINUS_VEGA:
        raise ValueError(f"vega_to_ab: no offset for band {band!r}; known are {', '.join(AB_MINUS_VEGA)}.")
    return np.asarray(mag) + AB_MINUS_VEGA[band]


def ab_to_vega(mag: ArrayLike, band: str) -> NDArray:
    """Vega magnitude of an AB magnitude: the inverse of `vega_to_ab`."""
    return np.asarray(mag) - (vega_to_ab(0.0, band))
