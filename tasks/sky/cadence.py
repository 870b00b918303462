"""When each survey looks: Gaia transits, Pan-STARRS1 pairs, ZTF nights. All times are BJD_TCB - 2400000.5, in days.

Each function returns flat visits sorted by object and time: row (V,) and time (V,), and for ground-based surveys also
the band. They draw a rectangular table of possible visits and keep those that happened: no loop over objects.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.sky.constants import BANDS, DAY_S, OBLIQUITY_DEG, YEAR_DAY
from tasks.sky.streams import BLOCK, stream

EQUINOX_MJD = 55276.7  # 2010-03-21, the Sun at right ascension 0
OBLIQUITY = np.radians(OBLIQUITY_DEG)

GAIA_START, GAIA_END = 56863.7, 57901.4  # 2014-07-25 to 2017-05-28, the span of Gaia DR3
GAIA_LATER_END = 58868.9  # 2020-01-20, the end of the span of Gaia DR4
GAIA_GROUP_DAY = 31.5  # half the 63 d precession of the spin axis: one pass leading and one trailing the Sun
GAIA_GAPS_DAY = np.array([106.5, 253.5]) / 1440.0  # from one field of view to the other, and to the next spin
GAIA_BAND_DELAY_DAY = np.array([0.0, 25.0, 30.0]) / DAY_S  # BP and RP strips follow the astrometric field

PS1_SEASONS = 4  # 2010-2014, the 3 pi survey (Chambers et al. 2016)
PS1_OFFSET_DAY = {"g_ps1": (-25, 25), "r_ps1": (-25, 25), "i_ps1": (-35, 35), "z_ps1": (50, 95), "y_ps1": (55, 100)}
PS1_PAIR_DAY = 25.0 / 1440.0
PS1_PAIR_CHANCE = 0.72  # two tries a season and band: 11.5 epochs per band, as published (12)

ZTF_START, ZTF_END = 58194.0, 60614.0  # 2018-03-17 to 2024-10-31
ZTF_MEAN_GAP_DAY = 4.2  # between visits of one field once moon and queue have taken theirs
ZTF_BAND_CHANCE = {"g_ztf": 0.72, "r_ztf": 0.88, "i_ztf": 0.07}
# On odd nights r comes before g: the order of bands in a night must not be a constant of the survey.
ZTF_ORDER = np.array([[8, 9, 10], [9, 8, 10]], np.int8)
ZTF_SLOT_DAY = 0.035
ZTF_MIDNIGHT = 0.32  # fraction of the UTC day at Palomar
SOUTHERN_LIMIT_DEG = -30.0  # of PS1 and ZTF


def gaia(
    seed: int,
    block: int,
    ra: NDArray,
    dec: NDArray,
    span: tuple[float, float] = (GAIA_START, GAIA_END),
    purpose: str = "gaia cadence",
) -> tuple[NDArray, NDArray]:
    """Field-of-view transits within `span`: row (V,) and time (V,); `purpose` names the stream that they come from.

    Groups of transits about every month; inside a group the two fields follow each other after 106.5 and 253.5
    minutes (Gaia Collaboration 2016). Ecliptic latitudes near 45 deg get the longest groups.
    """
    start, end = span
    rng = stream(seed, block, purpose)
    sin_beta = _sin_ecliptic_latitude(ra, dec)
    caustic = np.exp(-(((np.abs(np.degrees(np.arcsin(sin_beta))) - 45.0) / 14.0) ** 2))
    groups, length = int((end - start) / GAIA_GROUP_DAY) + 1, 10
    first = (
        start
        + GAIA_GROUP_DAY * (np.arange(groups) + rng.random((BLOCK, 1)))
        + np.clip(rng.normal(0, 4.0, (BLOCK, groups)), -11, 11)
    )
    seen = rng.random((BLOCK, groups)) < 0.46 + 0.18 * caustic[:, None] + 0.10 * np.abs(sin_beta)[:, None]
    count = 1 + rng.poisson(1.0 + 1.5 * caustic[:, None], (BLOCK, groups))
    parity = rng.integers(0, 2, (BLOCK, groups))
    step = np.arange(length)
    half = (step + parity[..., None]) // 2  # number of short gaps among the first `step`, for either start
    delay = half * GAIA_GAPS_DAY[0] + (step - half) * GAIA_GAPS_DAY[1]
    time = first[..., None] + delay
    kept = seen[..., None] & (step < count[..., None]) & (time > start) & (time < end)
    row = np.nonzero(kept)[0]
    return row, time[kept]


def gaia_later(seed: int, block: int, ra: NDArray, dec: NDArray) -> tuple[NDArray, NDArray]:
    """Transits between the end of DR3's span and that of DR4's, as `gaia` gives them."""
    return gaia(seed, block, ra, dec, (GAIA_END, GAIA_LATER_END), "gaia later cadence")


def _sin_ecliptic_latitude(ra: NDArray, dec: NDArray) -> NDArray[np.float64]:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.sin(dec) * np.cos(OBLIQUITY) - np.cos(dec) * np.sin(OBLIQUITY) * np.sin(ra)


def opposition(ra: NDArray, after_mjd: float) -> NDArray[np.float64]:
    """First time after `after_mjd` that each object (ra in deg) stands opposite the Sun, (S,) day."""
    first = EQUINOX_MJD + ((ra - 180.0) / 360.0) * YEAR_DAY
    return first + np.ceil((after_mjd - first) / YEAR_DAY) * YEAR_DAY


def ps1(seed: int, block: int, ra: NDArray, dec: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Pairs of exposures 25 minutes apart, up to two a season in each of grizy: row, time, band (index into BANDS)."""
    rng = stream(seed, block, "ps1 cadence")
    season = opposition(ra, 55260.0)[:, None] + YEAR_DAY * np.arange(PS1_SEASONS)
    spans = np.array([PS1_OFFSET_DAY[band] for band in BANDS[3:8]], float)
    shape = (BLOCK, PS1_SEASONS, len(spans), 2)
    offset = spans[:, :1] + (spans[:, 1:] - spans[:, :1]) * rng.random(shape)
    night = np.floor(season[..., None, None] + offset)
    time = night + 0.42 - offset / YEAR_DAY + rng.normal(0, 0.03, shape)
    taken = (rng.random(shape) < PS1_PAIR_CHANCE) & (dec > SOUTHERN_LIMIT_DEG)[:, None, None, None]
    time = np.stack([time, time + PS1_PAIR_DAY * rng.uniform(0.8, 1.2, shape)], axis=-1).reshape(BLOCK, -1)
    taken = np.stack([taken, taken & (rng.random(shape) < 0.93)], axis=-1).reshape(BLOCK, -1)
    band = np.broadcast_to(np.arange(3, 8)[:, None, None], (PS1_SEASONS, len(spans), 2, 2)).reshape(-1)
    order = np.argsort(np.where(taken, time, np.inf), axis=1)
    kept = np.take_along_axis(taken, order, axis=1)
    row = np.nonzero(kept)[0]
    return row, np.take_along_axis(time, order, axis=1)[kept], band[order][kept].astype(np.int8)


def ztf(seed: int, block: int, ra: NDArray, dec: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Nights with g, r and now and then i: row, time, band (index into BANDS).

    Visits march through the time an object is up at night (200 days a year at the equator, 320 near the pole), and
    clouded nights, the same for the whole sky, are lost.
    """
    rng = stream(seed, block, "ztf cadence")
    row, night = _ztf_nights(rng, seed, ra, dec)
    order = ZTF_ORDER[night.astype(np.int64) % 2]
    chance = np.array([ZTF_BAND_CHANCE[band] for band in BANDS[8:]], np.float32)[order - 8]
    visit, slot = np.nonzero(rng.random(order.shape, dtype=np.float32) < chance)
    begin = night + ZTF_MIDNIGHT + 0.25 * (rng.random(night.size) - 0.5)
    return row[visit], begin[visit] + ZTF_SLOT_DAY * slot, order[visit, slot]


def _ztf_nights(rng: np.random.Generator, seed: int, ra: NDArray, dec: NDArray) -> tuple[NDArray, NDArray]:
    """Clear nights on which the field of an object is visited: row (V,), night (V,) in whole days."""
    north = np.flatnonzero(dec > SOUTHERN_LIMIT_DEG)
    up_day = np.clip(200.0 + 120.0 * np.sin(np.radians(dec[north])), 130.0, 320.0)[:, None]
    years = (ZTF_END - ZTF_START) / YEAR_DAY + 1
    visits = int(1.25 * years * 260.0 / (1.0 + ZTF_MEAN_GAP_DAY))
    gap = np.floor(rng.standard_exponential((north.size, visits), dtype=np.float32) * np.float32(ZTF_MEAN_GAP_DAY))
    elapsed = np.cumsum(gap + 1, axis=1)
    season = np.floor(elapsed / up_day)
    start = opposition(ra[north], ZTF_START - YEAR_DAY)[:, None] - up_day / 2
    night = np.floor(start + elapsed + (YEAR_DAY - up_day) * season)
    inside = (night >= ZTF_START) & (night < ZTF_END)
    row, night = north[np.nonzero(inside)[0]], night[inside]
    clear = ~find_cloudy_nights(seed)[(night - ZTF_START).astype(np.int64)]
    return row[clear], night[clear]


def find_cloudy_nights(seed: int) -> NDArray[np.bool_]:
    """Nights without data, (nights,): spells of cloud of 1-6 nights and a fortnight of maintenance each summer."""
    rng = stream(seed, 2**40, "clouds")
    nights = int(ZTF_END - ZTF_START)
    depth = np.zeros(nights + 1, np.int64)
    begin = np.flatnonzero(rng.random(nights) < 0.09)
    np.add.at(depth, begin, 1)
    np.add.at(depth, np.minimum(begin + rng.integers(1, 7, begin.size), nights), -1)
    summer = (np.arange(nights) + (ZTF_START - EQUINOX_MJD)) % YEAR_DAY
    return (np.cumsum(depth)[:nights] > 0) | ((summer > 105) & (summer < 119))
