"""Fluxes and magnitudes, as the archives publish both."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.replica.constants import POGSON


def flux_of(mag: ArrayLike, mag_err: ArrayLike, zero_point: float) -> tuple[NDArray, NDArray]:
    """Flux and its error, in the unit of `zero_point` (mag), of a magnitude and its error; to first order."""
    flux = 10 ** (-0.4 * (np.asarray(mag, np.float64) - zero_point))
    return flux, flux * np.asarray(mag_err, np.float64) / POGSON


def magnitude_of(flux: ArrayLike, zero_point: float) -> NDArray[np.float64]:
    """Magnitude of a flux in the unit of `zero_point` (mag); NaN where the flux is not positive."""
    flux = np.asarray(flux, np.float64)
    is_positive = flux > 0
    return np.where(is_positive, zero_point - 2.5 * np.log10(np.where(is_positive, flux, 1.0)), np.nan)
