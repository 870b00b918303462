"""ZTF: objects by field, readout channel and filter, and their light curves.

Columns of the objects table are some of IRSA's, those of the light curves the 24 of its light-curve service; names and
types from memory. catflags: 32768 is documented (bad or unusable); the lower bits that the sky's flags become are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import MJD_ZERO_JD, ZTF_FILTERS, ZTF_UNUSABLE
from tasks.replica.served import declare_table
from tasks.replica.tables import clock
from tasks.replica.tables.chance import uniform
from tasks.replica.tables.held import Held
from tasks.replica.tables.observed import Observed, observe
from tasks.replica.tables.patch import Patch
from tasks.replica.tables.positions import direction
from tasks.replica.tables.statistics import means, summarise
from tasks.sky.constants import BAD_QUALITY, BLENDED, MOONLIGHT, SATURATED
from tasks.sky.defects import BLEND_ARCSEC

MEAN_YEAR, SCATTER_ARCSEC = 2020.5, 0.1
ONE_FIELD_SHARE = 0.7  # stars of which each filter is one object; the others lie in two overlapping fields
SECOND_FIELD_SHARE = 0.3  # of the nights of the others
FIELD_SHARE = 0.05  # of the times of its neighbour at which a field star is detected
CATFLAGS = {BAD_QUALITY: ZTF_UNUSABLE, MOONLIGHT: 2, SATURATED: 16, BLENDED: 1}
RECORD = np.dtype([("hjd", "<f8"), ("mjd", "<f8"), ("mag", "<f4"), ("magerr", "<f4"), ("catflags", "<i4")])
OBJECTS_HELD = Held(
    declare_table(
        "ztf_objects_dr24",
        "irsa_ztf_objects",
        "Objects of the ZTF light curves, data release 24 (some of its columns).",
    ),
    "ztf_objects",
    "oid",
)
SECONDARY_GRID = 1000  # fields of the second pointing grid are numbered from here on


@dataclass(frozen=True, eq=False)
class Objects:
    """ZTF objects (M), one for each star, filter and field: which star of `observed` each is, and where it lies."""

    star: NDArray[np.int64]
    filter: NDArray[np.int64]
    field: NDArray[np.int64]
    ccdid: NDArray[np.int64]
    qid: NDArray[np.int64]
    oid: NDArray[np.int64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]


def rows(patch: Patch) -> tuple[pa.Table, NDArray[np.int64], NDArray]:
    """Rows of the objects table; and of all light curves the oid and the record of each epoch."""
    seen = observe(patch, "ztf", BLEND_ARCSEC["ztf"], FIELD_SHARE)
    batch, star = seen.batch, seen.batch.row
    number = seen.stars.number
    is_split = uniform("ztf split", patch.seed, number) > ONE_FIELD_SHARE
    night = np.floor(batch.time).astype(np.int64)
    part = is_split[star] & (uniform("ztf field", patch.seed, number[star], night) < SECOND_FIELD_SHARE)
    key = (star * 3 + batch.band) * 2 + part
    count = np.bincount(key, minlength=6 * len(batch))
    keys, member = np.flatnonzero(count), (np.cumsum(count > 0) - 1)[key]
    objects = _objects(patch, seen, keys)
    towards = direction(seen.stars.ra, seen.stars.dec)[star]
    record = np.empty(star.size, RECORD)
    record["mjd"] = clock.utc(clock.at_earth(batch.time, towards))
    record["hjd"] = clock.utc(clock.at_sun(batch.time, towards)) + MJD_ZERO_JD
    record["mag"], record["magerr"] = batch.mag, batch.mag_err
    record["catflags"] = sum(np.where(batch.flags & bit, flag, 0) for bit, flag in CATFLAGS.items())
    order = np.argsort(member, kind="stable")  # within a star they are in order of time already
    return _table(patch, objects, member, record), objects.oid[member[order]], record[order]


def _objects(patch: Patch, seen: Observed, keys: NDArray[np.int64]) -> Objects:
    part, band, star = keys % 2, keys // 2 % 3, keys // 6
    field, ccdid, qid = _place(patch, seen, star, part)
    oid = ((field * 10 + band + 1) * 100 + (ccdid - 1) * 4 + qid - 1) * 10**10 + seen.stars.number[star]
    ra, dec = seen.stars.select(star).scatter(MEAN_YEAR, SCATTER_ARCSEC, "ztf position", patch.seed, band, part)
    return Objects(star, band, field, ccdid, qid, oid, ra, dec)


def _place(patch: Patch, seen: Observed, star: NDArray, part: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Field, CCD and quadrant: 7-degree fields counted along bands of declination, a second grid over them."""
    ra, dec = seen.stars.ra[star], seen.stars.dec[star]
    field = 1 + 51 * np.floor((dec + 32.0) / 7.2).astype(np.int64) + np.floor(ra / 7.2).astype(np.int64)
    channel = np.floor(64 * uniform("ztf channel", patch.seed, seen.stars.number[star], part)).astype(np.int64)
    return field + SECONDARY_GRID * part, channel // 4 + 1, channel % 4 + 1


def _table(patch: Patch, objects: Objects, member: NDArray[np.int64], record: NDArray) -> pa.Table:
    size = objects.oid.size
    is_good = record["catflags"] < ZTF_UNUSABLE
    every = np.bincount(member, minlength=size)
    of = summarise(member[is_good], record["mag"][is_good], size)
    error = means(member[is_good], record["magerr"][is_good], size)
    towards = direction(objects.ra, objects.dec)
    return OBJECTS_HELD.rows(
        {
            "oid": objects.oid,
            "ra": objects.ra,
            "dec": objects.dec,
            "field": objects.field.astype(np.int32),
            "ccdid": objects.ccdid.astype(np.int16),
            "qid": objects.qid.astype(np.int16),
            "fid": (objects.filter + 1).astype(np.int16),
            "filtercode": np.array(ZTF_FILTERS)[objects.filter],
            "x": towards[:, 0],
            "y": towards[:, 1],
            "z": towards[:, 2],
            "nobs": every.astype(np.int32),
            "ngoodobs": of.count.astype(np.int32),
            "nobsrel": every.astype(np.int32),
            "ngoodobsrel": of.count.astype(np.int32),
            "refmag": of.median,
            "refmagerr": 0.5 * error,
            "refsnr": 2.17 / error,
            "astrometricrms": np.full(size, 0.06 / 3600.0),
            "magrms": of.std,
            "minmag": of.least,
            "maxmag": of.greatest,
            "meanmag": of.mean,
            "medianmag": of.median,
            "medmagerr": error,
        }
    )
