"""Pan-STARRS1 DR2: mean objects and the detections that they are made of.

MeanObjectView: names, datatypes, units, UCDs and descriptions of the archive's own metadata for the mean table,
recorded by astroquery (mast/tests/data/panstarrs_columns.json); its unsignedByte is a short here. Detection: the fields
page of the archive's documentation (outerspace.stsci.edu, PS1 Detection table fields), of which some are here; the
three info flags are long, so that bit 31 fits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import (
    AB_ZERO_JY,
    J2000_MJD,
    J2000_YEAR,
    PS1_EXPOSURE_S,
    PS1_FILTERS,
    PS1_MISSING,
    PS1_ZERO_POINT,
    YEAR_DAY,
)
from tasks.replica.served import declare_table
from tasks.replica.tables import clock, positions
from tasks.replica.tables.chance import normal, uniform
from tasks.replica.tables.held import Held
from tasks.replica.tables.observed import Observed, observe
from tasks.replica.tables.patch import Patch
from tasks.replica.tables.photometry import flux_of
from tasks.replica.tables.positions import direction
from tasks.replica.tables.ps1_flags import quality
from tasks.replica.tables.statistics import means, summarise
from tasks.sky.defects import BLEND_ARCSEC

NO_FLUX_SHARE = 0.01
FIELD_SHARE = 0.15  # of the times of its neighbour at which a field star is detected
ZONE_DEG = 0.00833333  # height of a zone of declination; the archive's own rounding
MAX_DETECTIONS = 4096  # of one object: room for its numbers in detectID
DETECT_ID = 120_000_000_000_000_000

_HMS = "CAST(round({}) AS BIGINT)"
_RA, _DEC = _HMS.format('"raMean" * 240000'), _HMS.format('abs("decMean") * 3600000')
OBJ_NAME = (  # PSO JHHMMSS.sss+DDMMSS.sss
    f"printf('PSO J%02d%02d%02d.%03d%s%02d%02d%02d.%03d', {_RA} // 3600000, {_RA} // 60000 % 60, {_RA} // 1000 % 60,"
    f" {_RA} % 1000, CASE WHEN \"decMean\" < 0 THEN '-' ELSE '+' END, {_DEC} // 3600000, {_DEC} // 60000 % 60,"
    f" {_DEC} // 1000 % 60, {_DEC} % 1000)"
)
_UNKNOWN = ["raStack", "decStack", "raStackErr", "decStackErr", "posMeanChisq", "cx", "cy", "cz"] + [
    f"{band}Mean{kind}{what}" for band in PS1_FILTERS for kind in ("KronMag", "ApMag") for what in ("", "Err", "Std")
]
MEAN_OBJECT = declare_table(
    "dbo.MeanObjectView",
    "ps1_mean_object",
    "Mean properties of the objects of the 3 pi survey, from single epoch detections.",
)
DETECTION = declare_table("dbo.Detection", "ps1_detection", "Single epoch photometry of individual detections.")
OBJECT_HELD = Held(
    MEAN_OBJECT, "ps1_mean_object", '"objID"', given={"objName": OBJ_NAME, **dict.fromkeys(_UNKNOWN, str(PS1_MISSING))}
)
DETECTION_HELD = Held(DETECTION, "ps1_detection", '"objID", "obsTime", "detectID"', row_group=20_480)


@dataclass(frozen=True, eq=False)
class Objects:
    """PS1 objects (M) of a patch: which stars they are, ids, mean positions (deg) and mean epochs (Julian years)."""

    observed: Observed
    objid: NDArray[np.int64]
    ra: NDArray[np.float64]
    dec: NDArray[np.float64]
    year: NDArray[np.float64]


def rows(patch: Patch) -> tuple[Objects, pa.Table, pa.Table]:
    """The objects of a patch, and the rows of both tables."""
    seen = observe(patch, "ps1", BLEND_ARCSEC["ps1"], FIELD_SHARE)
    batch, star = seen.batch, seen.batch.row
    time = clock.tai(clock.at_earth(batch.time, direction(seen.stars.ra, seen.stars.dec)[star]))
    epoch = means(star, time, len(batch))
    year = J2000_YEAR + (epoch - J2000_MJD) / YEAR_DAY
    sigma = 0.05 + 0.05 * np.clip((seen.stars.g_mag - 16.0) / 4.0, 0.0, 1.0)
    ra, dec = seen.stars.scatter(year, sigma, "ps1 position", patch.seed)
    objects = Objects(seen, object_ids(ra, dec), ra, dec, year)
    has_flux = uniform("no flux", patch.seed, seen.stars.number[star], seen.within) > NO_FLUX_SHARE
    return objects, _means(objects, has_flux, epoch, sigma), _detections(patch, objects, time, has_flux)


def object_ids(ra: NDArray, dec: NDArray) -> NDArray[np.int64]:
    """objID (M,) of positions in deg: zone of declination, right ascension in 1e-6 deg, place within the zone."""
    zone = np.floor((dec + 90.0) / ZONE_DEG)
    inside = np.floor(((dec + 90.0) / ZONE_DEG - zone) * 10_000)
    return (zone * 1_000_000_000 + np.floor(ra * 1e6)).astype(np.int64) * 10_000 + inside.astype(np.int64)


def _means(objects: Objects, has_flux: NDArray[np.bool_], epoch: NDArray, sigma: NDArray) -> pa.Table:
    """Rows of MeanObjectView; magnitudes of the good detections."""
    batch, size = objects.observed.batch, objects.objid.size
    key = batch.row * len(PS1_FILTERS) + batch.band
    count = np.bincount(key, minlength=size * len(PS1_FILTERS)).reshape(size, len(PS1_FILTERS))
    good = has_flux & (batch.flags == 0)
    of = summarise(key[good], batch.mag[good], size * len(PS1_FILTERS))
    quoted = means(key[good], batch.mag_err[good], size * len(PS1_FILTERS))
    error = np.where(of.count > 1, of.std, quoted) / np.sqrt(np.maximum(of.count, 1))
    values: dict[str, NDArray] = {}
    for index, band in enumerate(PS1_FILTERS):
        per_band = slice(index, None, len(PS1_FILTERS))
        values |= {
            f"n{band}": count[:, index].astype(np.int16),
            f"{band}QfPerfect": np.where(count[:, index] > 0, 0.999, PS1_MISSING),
            f"{band}MeanPSFMag": _fill(of.mean[per_band]),
            f"{band}MeanPSFMagErr": _fill(error[per_band]),
            f"{band}MeanPSFMagStd": _fill(of.std[per_band]),
            f"{band}MeanPSFMagMin": _fill(of.least[per_band]),
            f"{band}MeanPSFMagMax": _fill(of.greatest[per_band]),
            f"{band}MeanPSFMagNpt": of.count[per_band].astype(np.int16),
        }
    place_error = sigma / 3600.0 / np.sqrt(batch.n_epoch)
    (l_deg, b_deg), (lon, lat) = (turn(objects.ra, objects.dec) for turn in (positions.galactic, positions.ecliptic))
    return OBJECT_HELD.rows(
        {
            "objID": objects.objid,
            "zoneID": (objects.objid // 10**13).astype(np.int32),
            "surveyID": np.zeros(size, np.int16),
            "raMean": objects.ra,
            "decMean": objects.dec,
            "raMeanErr": place_error,
            "decMeanErr": place_error,
            "epochMean": epoch,
            "lambda": lon,
            "beta": lat,
            "l": l_deg,
            "b": b_deg,
            "nDetections": batch.n_epoch.astype(np.int16),
            **values,
        }
    )


def _fill(value: NDArray) -> NDArray[np.float64]:
    return np.where(np.isfinite(value), value, PS1_MISSING)


def _detections(patch: Patch, objects: Objects, time: NDArray, has_flux: NDArray[np.bool_]) -> pa.Table:
    """Rows of Detection: one for each epoch of the sky, some without a flux."""
    seen, batch = objects.observed, objects.observed.batch
    star, within = batch.row, objects.observed.within
    number = seen.stars.number[star]
    flux, error = flux_of(batch.mag.astype(np.float64), batch.mag_err, 2.5 * np.log10(AB_ZERO_JY))
    chances = [uniform(f"ps1 quality {half}", patch.seed, number, within) for half in (1, 2)]
    place = [0.05 * normal(f"ps1 {axis}", patch.seed, number, within) for axis in ("ra", "dec")]
    ra, dec = positions.offset(objects.ra[star], objects.dec[star], *place)
    exposure = np.array([PS1_EXPOSURE_S[band] for band in PS1_FILTERS])[batch.band]
    zero = np.array([PS1_ZERO_POINT[band] for band in PS1_FILTERS])[batch.band] + 2.5 * np.log10(exposure)
    return DETECTION_HELD.rows(
        {
            "objID": objects.objid[star],
            "detectID": DETECT_ID + number * MAX_DETECTIONS + within,
            "filterID": (batch.band + 1).astype(np.int16),
            "surveyID": np.zeros(star.size, np.int16),
            "imageID": np.floor((time - 54000.0) * 1440.0).astype(np.int64) * 100,
            "obsTime": time,
            "ra": ra,
            "dec": dec,
            "raErr": np.full(star.size, 0.05),
            "decErr": np.full(star.size, 0.05),
            "zeroPoint": zero,
            "expTime": exposure,
            "airMass": 1.0 + 0.4 * chances[0],
            "psfFlux": np.where(has_flux, flux, PS1_MISSING),
            "psfFluxErr": np.where(has_flux, error, PS1_MISSING),
            "psfChiSq": 0.7 + 0.6 * chances[1],
            **quality(batch.flags, *chances),
        }
    )
