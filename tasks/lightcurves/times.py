"""Times of epochs: day counts, time scales and the light travel time to the Sun and the barycentre.

Everything is days, float64. Formulae: Eastman, Siverd & Gaudi 2010, PASP 122, 935; scales and Earth ephemeris by ERFA
(IAU SOFA), which needs no table from the network (no UT1). Accuracy: the observer is put at the geocentre (at most
21 ms), the ephemeris of `epv00` is good to 4.6 km (15 us).
"""

from __future__ import annotations

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray

MJD_ZERO = 2400000.5  # MJD = JD - 2400000.5
AU_DAY = erfa.DAU / erfa.CMPS / erfa.DAYSEC  # light time for 1 au, day (499.004784 s)
BLOCK = 2**16  # epochs whose vectors are in memory at a time
SCALES = ("utc", "tai", "tt", "tdb", "tcb")


def mjd(jd: ArrayLike) -> NDArray[np.float64]:
    """Modified Julian date of a Julian date."""
    return np.asarray(jd, np.float64) - MJD_ZERO


def rescale(time: ArrayLike, scale: str, to: str) -> NDArray[np.float64]:
    """The same instants, MJD in time scale `scale`, as MJD in time scale `to` (utc, tai, tt, tdb or tcb).

    UTC uses ERFA's own leap seconds; before 1960 it has no meaning and ERFA warns.
    """
    unknown = [name for name in (scale, to) if name not in SCALES]
    if unknown:
        raise ValueError(f"rescale: unknown time scale {unknown[0]!r}; use one of {', '.join(SCALES)}.")
    day = np.asarray(time, np.float64)
    zero = np.full(day.shape, MJD_ZERO)
    first, last = SCALES.index(scale), SCALES.index(to)
    for step in range(first, last):
        zero, day = _UP[step](zero, day)
    for step in range(first, last, -1):
        zero, day = _DOWN[step - 1](zero, day)
    return (zero - MJD_ZERO) + day


def _tdb_minus_tt(zero: NDArray, day: NDArray) -> NDArray:
    """TDB - TT in seconds at the geocentre (Fairhead & Bretagnon 1990; the observer adds at most 2 us).

    Between the values at the days' ends by straight lines, which its yearly term (1.7 ms) leaves by 0.06 us at most:
    the series has 787 terms, and most epochs share their days.
    """
    fraction, index, days = _days((zero - MJD_ZERO) + day)
    begin, end = (erfa.dtdb(MJD_ZERO, days + step, 0.0, 0.0, 0.0, 0.0)[index] for step in (0.0, 1.0))
    return begin + fraction * (end - begin)


def _days(time: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]]:
    """Fraction of the day and index of the day for each of `time` (any shape), and the days (D,), MJD."""
    time = np.asarray(time, np.float64)
    whole = np.floor(time)
    days, index = np.unique(whole, return_inverse=True)
    return time - whole, index.reshape(time.shape), days


_UP = (erfa.utctai, erfa.taitt, lambda zero, day: erfa.tttdb(zero, day, _tdb_minus_tt(zero, day)), erfa.tdbtcb)
_DOWN = (erfa.taiutc, erfa.tttai, lambda zero, day: erfa.tdbtt(zero, day, _tdb_minus_tt(zero, day)), erfa.tcbtdb)


def direction(ra: ArrayLike, dec: ArrayLike) -> NDArray[np.float64]:
    """Unit vectors (..., 3) of positions in degrees (ICRS)."""
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def light_travel(time_tdb: ArrayLike, ra: ArrayLike, dec: ArrayLike, origin: str = "barycentre") -> NDArray[np.float64]:
    """Roemer delay in days, r_Earth . n / c, to add to a geocentric time; at most 0.00577 day for the Sun.

    `time_tdb` (N,) MJD TDB; `ra`, `dec` (N,) or scalar, degrees ICRS; `origin` "barycentre" or "sun". NaN positions
    give NaN.
    """
    if origin not in ("barycentre", "sun"):
        raise ValueError(f"light_travel: origin is 'barycentre' or 'sun', not {origin!r}.")
    arrays = np.broadcast_arrays(np.asarray(time_tdb, np.float64), ra, dec)
    time, ra, dec = (value.ravel() for value in arrays)
    delay = np.empty(time.size)
    for start in range(0, time.size, BLOCK):  # vectors of a million epochs would take ten times their memory
        part = slice(start, start + BLOCK)
        delay[part] = _light_travel(time[part], ra[part], dec[part], origin)
    return delay.reshape(arrays[0].shape)[()]


def _light_travel(time: NDArray, ra: NDArray, dec: NDArray, origin: str) -> NDArray[np.float64]:
    fraction, index, days = _days(time)
    frame = ("sun", "barycentre").index(origin)
    begin, end = (erfa.epv00(MJD_ZERO, days + step)[frame] for step in (0.0, 1.0))
    position = _between(begin[index], end[index], fraction[..., None])
    return AU_DAY * np.sum(position * direction(ra, dec), axis=-1)


def _between(begin: NDArray, end: NDArray, fraction: NDArray) -> NDArray[np.float64]:
    """Positions (..., 3) from positions and velocities (ERFA's pv) a day apart, by the cubic through all four.

    It leaves the Earth's path by 5e-10 au (0.2 us of light time): h^4 / 384 of the fourth derivative, which is the
    year's 9e-8 au/d^4 and the month's (the Earth about the barycentre with the Moon) 9e-8 au/d^4.
    """
    s = fraction
    grown = (1 + 2 * s) * (1 - s) ** 2 * begin["p"] + s * (1 - s) ** 2 * begin["v"]
    return grown + s**2 * (3 - 2 * s) * end["p"] + s**2 * (s - 1) * end["v"]


def to_barycentre(
    time: ArrayLike, ra: ArrayLike, dec: ArrayLike, scale: str = "utc", origin: str = "earth", to: str = "tcb"
) -> NDArray[np.float64]:
    """BJD - 2400000.5 in scale `to` (tcb as Gaia, or tdb) of MJD times in `scale`.

    `origin` says where the given times were counted: "earth" (MJD of the exposure), "sun" (HJD) or "barycentre".
    `ra`, `dec` (N,) or scalar, degrees. For HJD the correction is evaluated at the heliocentric instant, up to
    8.3 min off, which moves the barycentric correction by less than 1 ms.
    """
    tdb = rescale(time, scale, "tdb")
    if origin in ("earth", "sun"):
        tdb = tdb + light_travel(tdb, ra, dec) - (light_travel(tdb, ra, dec, "sun") if origin == "sun" else 0.0)
    elif origin != "barycentre":
        raise ValueError(f"to_barycentre: origin is 'earth', 'sun' or 'barycentre', not {origin!r}.")
    return rescale(tdb, "tdb", to)
