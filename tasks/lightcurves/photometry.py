"""Fluxes, magnitudes and photometric systems. A flux that is not positive has no magnitude: NaN, never a number."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

POGSON = 2.5 / np.log(10)  # 1.0857: d mag = POGSON d flux / flux (Pogson 1856, MNRAS 17, 12)
MAG_RANGE = (-5.0, 40.0)  # exclusive: Venus is -4.9, the deepest fields end near 31; outside are sentinels and nonsense
INSTRUMENTAL_RANGE = (-30.0, 40.0)  # exclusive: -2.5 log10 of 10^12 counts, and the same faint end
AB_ZERO_JY = 3631.0  # flux density of AB = 0 (Oke & Gunn 1983, ApJ 266, 713)


def flux_to_mag(flux: ArrayLike, flux_err: ArrayLike, zero_point: float) -> tuple[NDArray, NDArray]:
    """Magnitude and its error (mag) of a flux and its error in one unit; mag = zero_point - 2.5 log10(flux).

    First-order error, POGSON flux_err / flux. A flux <= 0 or NaN gives NaN in both.
    """
    flux, flux_err = np.asarray(flux, np.float64), np.asarray(flux_err, np.float64)
    seen = flux > 0
    safe = np.where(seen, flux, 1.0)
    return (np.where(seen, zero_point - 2.5 * np.log10(safe), np.nan), np.where(seen, POGSON * flux_err / safe, np.nan))


def jansky_to_ab(flux_jy: ArrayLike, flux_err_jy: ArrayLike) -> tuple[NDArray, NDArray]:
    """AB magnitude and error of a flux density in Jy (Oke & Gunn 1983)."""
    return flux_to_mag(flux_jy, flux_err_jy, 2.5 * np.log10(AB_ZERO_JY))
