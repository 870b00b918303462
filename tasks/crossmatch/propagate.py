"""Positions of stars at another epoch, by rigorous motion along a straight line through space.

The Hipparcos and Tycho Catalogues, ESA SP-1200 vol. 1, section 1.5.5 (Gaia's documentation and archive use the same
model): u(t) is along r (1 + zeta t) + (p mu_ra* + q mu_dec) t, with r the direction at t = 0, p and q the directions
of growing right ascension and declination there, and zeta = v_r parallax / A the relative change of distance. Divided
by 1 + zeta t that is a point of the plane that touches the sphere at r, so the formulae below are its projection back
to the sphere: no approximation, and right at and across the poles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

MAS_RAD = np.pi / (180 * 3600e3)
KMS_PER_AU_YEAR = 4.740470446  # A of SP-1200: 1 au per Julian year, km/s


def propagate(
    ra: ArrayLike,
    dec: ArrayLike,
    pmra: ArrayLike | None,
    pmdec: ArrayLike | None,
    parallax: ArrayLike | None,
    from_epoch: ArrayLike,
    to_epoch: ArrayLike,
    radial_velocity: ArrayLike | None = None,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Barycentric ICRS positions (ra, dec), (S,) deg each, at `to_epoch` of sources known at `from_epoch`.

    `ra`, `dec` (S,) deg; `pmra` (with cos dec), `pmdec` (S,) mas/yr; `parallax` (S,) mas and `radial_velocity` (S,)
    km/s, which matter together only; epochs (S,) or scalar, Julian years. A motion that is None or NaN counts as zero;
    a source without motion keeps its position exactly. ra is in [0, 360). A NaN position or epoch gives NaN.
    """
    ra, dec = np.asarray(ra, np.float64), np.asarray(dec, np.float64)
    years = np.asarray(to_epoch, np.float64) - np.asarray(from_epoch, np.float64)
    zeta = _fill_unknown(radial_velocity) * _fill_unknown(parallax) * (MAS_RAD / KMS_PER_AU_YEAR)
    scale = MAS_RAD * years / (1 + zeta * years)
    east, north = _fill_unknown(pmra) * scale, _fill_unknown(pmdec) * scale
    sine, cosine = np.sin(np.radians(dec)), np.cos(np.radians(dec))
    across = cosine - north * sine  # towards the meridian of the source, away from the axis
    moves = (east != 0) | (north != 0)
    moved_ra = np.where(moves, ra + np.degrees(np.arctan2(east, across)), ra) % 360
    moved_dec = np.where(moves, np.degrees(np.arctan2(sine + north * cosine, np.hypot(east, across))), dec)
    return np.where(moved_ra < 360, moved_ra, moved_ra - 360), moved_dec  # -1e-20 % 360 is 360


def julian_year(mjd: ArrayLike) -> NDArray[np.float64]:
    """Julian years (N,) of MJD; J2000.0 is JD 2451545.0, in whichever scale the days are counted."""
    return 2000 + (np.asarray(mjd, np.float64) - 51_544.5) / 365.25


def _fill_unknown(motion: ArrayLike | None) -> NDArray[np.float64]:
    """A motion with zeros where it is not known."""
    known = np.asarray(0.0 if motion is None else motion, np.float64)
    return np.where(np.isnan(known), 0.0, known)
