"""The archives' own times of an event whose barycentric time is known.

Scales and ephemeris are ERFA's (IAU SOFA), called here directly and not through the pipeline's own module of times.
The delay depends on where the Earth is when the light arrives, which is what is looked for: a fixed point, found to
below a nanosecond in three steps (each gains a factor v/c = 1e-4). The places of the Earth and the Sun and TDB - TT
are read from splines through ERFA's values: error below 10 us, and some 300 times as fast as its series for every
epoch.
"""

from __future__ import annotations

from functools import lru_cache

import erfa
import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from tasks.replica.constants import AU_DAY, DAY_S, GAIA_TIME_ZERO_JD, MJD_ZERO_JD, TT_MINUS_TAI_S
from tasks.replica.tables.positions import direction
from tasks.sky.cadence import ZTF_END

FIRST_MJD, LAST_MJD = 55000.0, ZTF_END + 400.0  # the sky's surveys, with a margin
KNOT_DAY = 2.0
AXES = direction(np.array([0.0, 90.0, 0.0]), np.array([0.0, 0.0, 90.0]))  # x, y and z
ORIGINS = ("sun", "barycentre")  # in the order of ERFA's epv00


def gaia_time(time: ArrayLike) -> NDArray[np.float64]:
    """Gaia's BJD_TCB - 2455197.5 of BJD_TCB - 2400000.5."""
    return np.asarray(time, np.float64) - (GAIA_TIME_ZERO_JD - MJD_ZERO_JD)


def _tdb(tcb: NDArray) -> NDArray[np.float64]:
    """MJD TDB of MJD TCB."""
    zero, time = erfa.tcbtdb(np.full(np.shape(tcb), MJD_ZERO_JD), tcb)
    return (zero - MJD_ZERO_JD) + time


def at_earth(tcb: NDArray, towards: NDArray) -> NDArray[np.float64]:
    """MJD TDB at which the light is at the geocentre, of BJD_TCB - 2400000.5 (N,); `towards` (N, 3) unit vectors."""
    barycentric = _tdb(tcb)
    begin, piece = _piece(("barycentre",), barycentric, towards)
    time = barycentric
    for _ in range(3):  # the piece of the first guess reaches 8 min beyond its knot without harm
        time = barycentric - _value(piece, time - begin)
    return time


def at_sun(tcb: NDArray, towards: NDArray) -> NDArray[np.float64]:
    """HJD - 2400000.5 in TDB, of BJD_TCB - 2400000.5 (N,): the Sun moves by 5e-8 c, so one step is enough.

    Both delays are taken at the heliocentric instant.
    """
    barycentric = _tdb(tcb)
    begin, piece = _piece(("barycentre", "sun"), barycentric, towards)
    return barycentric - _value(piece, barycentric - begin)


def tai(tdb: NDArray) -> NDArray[np.float64]:
    """MJD TAI of MJD TDB (N,)."""
    return tdb - TT_MINUS_TAI_S / DAY_S + np.interp(tdb, *_tt_minus_tdb())


def utc(tdb: NDArray) -> NDArray[np.float64]:
    """MJD UTC of MJD TDB (N,): linear within each UTC day, of which those with a leap second last 86401 s."""
    day, begin = _utc_days()
    return np.interp(tai(tdb), begin, day)


@lru_cache(maxsize=1)
def _utc_days() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Midnights UTC, and the same instants in MJD TAI."""
    day = np.arange(FIRST_MJD, LAST_MJD)
    zero, begin = erfa.utctai(np.full(day.shape, MJD_ZERO_JD), day)
    return day, (zero - MJD_ZERO_JD) + begin


@lru_cache(maxsize=1)
def _tt_minus_tdb() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """MJD TDB and TT - TDB there, in days; straight lines between are good to 0.1 us (it is 1.7 ms over a year)."""
    knot = np.arange(FIRST_MJD, LAST_MJD)
    zero = np.full(knot.shape, MJD_ZERO_JD)
    tdb_minus_tt = erfa.dtdb(MJD_ZERO_JD, knot, 0.0, 0.0, 0.0, 0.0)  # s, at the geocentre
    zero, tt = erfa.tdbtt(zero, knot, tdb_minus_tt)
    return knot, (zero - MJD_ZERO_JD) + tt - knot


@lru_cache(maxsize=2)
def _coefficients(origin: str) -> NDArray[np.float64]:
    """Vectors whose product with a direction is the delay from the geocentre to an origin, in days: (4, knots, 3),
    powers 3 to 0 of the days since the knot. Between two of them, KNOT_DAY apart, the Moon alone moves the Earth off
    the cubic, by a few us."""
    knot = np.arange(FIRST_MJD, LAST_MJD, KNOT_DAY)
    earth = erfa.epv00(MJD_ZERO_JD, knot)[ORIGINS.index(origin)]["p"]  # au, from the origin
    return CubicSpline(knot, AU_DAY * np.sum(earth[:, None, :] * AXES, axis=-1)).c


def _piece(origins: tuple[str, ...], time: NDArray, towards: NDArray) -> tuple[NDArray, list[NDArray]]:
    """Knot before each time, and the cubic that gives the delay there, four of (N,): to the first of `origins` less
    that to the second."""
    place = ((time - FIRST_MJD) / KNOT_DAY).astype(np.int64)
    coefficients = _coefficients(origins[0])
    if len(origins) > 1:
        coefficients = coefficients - _coefficients(origins[1])
    return place * KNOT_DAY + FIRST_MJD, [np.einsum("ij,ij->i", part[place], towards) for part in coefficients]


def _value(piece: list[NDArray], since: NDArray) -> NDArray[np.float64]:
    return ((piece[0] * since + piece[1]) * since + piece[2]) * since + piece[3]
