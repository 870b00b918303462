"""Places on the sphere: small offsets, proper motion, separations, galactic and ecliptic coordinates.

Offsets are made on the tangent plane with unit vectors, so that nothing is special at the poles or at RA 0.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.replica.constants import ARCSEC_RAD, OBLIQUITY_RAD
from tasks.sky.constants import GALACTIC_TO_ICRS

ECLIPTIC_TO_ICRS = np.array(  # rows: the ecliptic axes in ICRS
    [[1, 0, 0], [0, np.cos(OBLIQUITY_RAD), np.sin(OBLIQUITY_RAD)], [0, -np.sin(OBLIQUITY_RAD), np.cos(OBLIQUITY_RAD)]]
)


def direction(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Unit vectors (..., 3) of positions in degrees (ICRS)."""
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def offset(ra: ArrayLike, dec: ArrayLike, east: ArrayLike, north: ArrayLike) -> tuple[NDArray, NDArray]:
    """Positions (deg) moved by `east` and `north` arcsec on the tangent plane; all (S,)."""
    ra_rad, dec_rad = np.radians(ra), np.radians(dec)
    sin_ra, cos_ra, sin_dec, cos_dec = np.sin(ra_rad), np.cos(ra_rad), np.sin(dec_rad), np.cos(dec_rad)
    xi, eta = np.asarray(east) * ARCSEC_RAD, np.asarray(north) * ARCSEC_RAD
    x = cos_dec * cos_ra - xi * sin_ra - eta * sin_dec * cos_ra
    y = cos_dec * sin_ra + xi * cos_ra - eta * sin_dec * sin_ra
    z = sin_dec + eta * cos_dec
    return np.degrees(np.arctan2(y, x)) % 360.0, np.degrees(np.arctan2(z, np.hypot(x, y)))


def propagate(
    ra: ArrayLike, dec: ArrayLike, pmra: ArrayLike, pmdec: ArrayLike, years: ArrayLike
) -> tuple[NDArray, NDArray]:
    """Positions (deg) after `years` of proper motion (mas/yr, pmra with cos dec); a motion of NaN counts as none."""
    step = np.asarray(years) / 1000.0
    return offset(ra, dec, np.nan_to_num(pmra) * step, np.nan_to_num(pmdec) * step)


def separation(ra: ArrayLike, dec: ArrayLike, ra2: ArrayLike, dec2: ArrayLike) -> NDArray[np.float64]:
    """Angle between positions, (S,) arcsec, by the chord: exact for small angles."""
    chord = np.linalg.norm(direction(ra, dec) - direction(ra2, dec2), axis=-1)
    return 2 * np.arcsin(chord / 2) / ARCSEC_RAD


def galactic(ra: ArrayLike, dec: ArrayLike) -> tuple[NDArray, NDArray]:
    """Galactic longitude and latitude, deg."""
    return _rotate(GALACTIC_TO_ICRS, ra, dec)


def ecliptic(ra: ArrayLike, dec: ArrayLike) -> tuple[NDArray, NDArray]:
    """Ecliptic longitude and latitude of J2000, deg."""
    return _rotate(ECLIPTIC_TO_ICRS, ra, dec)


def _rotate(axes: NDArray, ra: ArrayLike, dec: ArrayLike) -> tuple[NDArray, NDArray]:
    vector = direction(ra, dec) @ axes.T
    return np.degrees(np.arctan2(vector[:, 1], vector[:, 0])) % 360.0, np.degrees(np.arcsin(vector[:, 2].clip(-1, 1)))
