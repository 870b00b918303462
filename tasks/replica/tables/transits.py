"""Gaia's epoch photometry: one record per field-of-view transit, served in the wide layout of today's archive.

Columns: those of `tasks.replica.layouts.WIDE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import GAIA_SOLUTION_ID, GAIA_ZERO_POINT
from tasks.replica.served import ARROW, read_columns
from tasks.replica.tables.chance import bits, uniform
from tasks.replica.tables.clock import gaia_time
from tasks.replica.tables.patch import Patch
from tasks.replica.tables.photometry import flux_of
from tasks.replica.tables.records import Records
from tasks.sky import SURVEYS
from tasks.sky.cadence import GAIA_BAND_DELAY_DAY
from tasks.sky.constants import BAD_QUALITY

EMPTY_PRODUCT_SHARE = 0.005  # sources whose flag says that there is epoch photometry, of which DataLink has none
OTHER_FLAGS_SHARE = 0.05  # transits of which a single CCD was rejected in G; ours
# Bits of other_flags in every layout (`tasks.replica.layouts`): SM and AF1-AF9 rejected, then BP, then RP. No other
# bits are set, for the raw layout has flags of its own instead of other_flags and says no more than these.
N_CCD = 10
REJECTED_BITS = (2**N_CCD - 1, 2**N_CCD, 2 ** (N_CCD + 1))  # of a rejected transit, in G, BP and RP
BY_PHOTOMETRY, BY_VARIABILITY = 1, 2  # bits of `reject`; the latter shifted by the number of the band
RECORD = np.dtype([("time", "<f8"), ("mag", "<f4", 3), ("mag_err", "<f4", 3), ("reject", "u1")])

SCHEMA = pa.schema([(column.name, ARROW[column.datatype]) for column in read_columns("datalink_wide")])
PREFIXES = ("g_transit", "bp", "rp")  # of the columns of a band
TIMES = ("g_transit_time", "bp_obs_time", "rp_obs_time")


@dataclass(frozen=True, eq=False)
class Transits:
    """Transits in order of source and time: row of the star (T,), time BJD_TCB - 2400000.5 (T,), and in G, BP and RP
    magnitude and error, (T, 3), NaN where there is no measurement, and the sky's flags (T, 3)."""

    row: NDArray[np.int64]
    time: NDArray[np.float64]
    mag: NDArray[np.float32]
    mag_err: NDArray[np.float32]
    flags: NDArray[np.int32]

    @property
    def is_good(self) -> NDArray[np.bool_]:
        """Measured and not flagged, (T, 3)."""
        return (self.flags == 0) & np.isfinite(self.mag)


def make_transits(patch: Patch, survey: str = "gaia") -> Transits:
    """The epochs of the patch, put together again by visit: BP and RP follow G by less than a minute."""
    batch, star = patch.epochs(survey)
    row, begin = star[batch.row], batch.time - GAIA_BAND_DELAY_DAY[batch.band]
    is_first = np.ones(row.size, bool)
    is_first[1:] = (np.diff(row) != 0) | (np.diff(begin) > 0.01)  # visits are 106 min apart at least
    transit = np.cumsum(is_first) - 1
    shape = (np.count_nonzero(is_first), 3)
    mag, error = np.full((2, *shape), np.nan, np.float32)
    flags = np.zeros(shape, np.int32)
    mag[transit, batch.band], error[transit, batch.band] = batch.mag, batch.mag_err
    flags[transit, batch.band] = batch.flags
    return Transits(row[is_first], begin[is_first], mag, error, flags)


def records(patch: Patch, transits: Transits) -> tuple[NDArray[np.int64], NDArray]:
    """Source ids and records of the transits, but for sources whose product is empty.

    The sky's BAD_QUALITY in any band rejects the transit, as the one flag of the wide layout does; its other bits
    reject the band.
    """
    source_id = patch.stars.source_id[transits.row]
    is_bad = (transits.flags & BAD_QUALITY) != 0
    is_doubtful = (transits.flags & ~BAD_QUALITY) != 0
    record = np.empty(source_id.size, RECORD)
    record["time"], record["mag"], record["mag_err"] = gaia_time(transits.time), transits.mag, transits.mag_err
    record["reject"] = BY_PHOTOMETRY * is_bad.any(axis=1) + is_doubtful @ (BY_VARIABILITY << np.arange(3))
    served = ~is_empty(patch.seed, source_id)
    return source_id[served], record[served]


def is_empty(seed: int, source_id: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether DataLink has nothing for a source, whatever its flag says."""
    return uniform("empty product", seed, source_id) < EMPTY_PRODUCT_SHARE


def transit_ids(source_id: NDArray[np.int64], time: NDArray[np.float64]) -> NDArray[np.int64]:
    """The id of each transit, (N,): its time (Gaia's, day) in tenths of a second, and the end of the source's id."""
    moment = np.round((time + 10_000.0) * 864_000.0).astype(np.int64)
    return (moment << np.int64(20)) | (source_id & np.int64(2**20 - 1))


def epoch_photometry(store: Records, source_ids: NDArray[np.int64]) -> pa.Table:
    """Rows of SCHEMA of the given ids."""
    source_id, _, record = store.of(source_ids)
    transit_id = transit_ids(source_id, record["time"])
    values = {
        "solution_id": np.full(source_id.size, GAIA_SOLUTION_ID),
        "source_id": source_id,
        "transit_id": transit_id,
        "rejected_by_photometry": (record["reject"] & BY_PHOTOMETRY) != 0,
    }
    for band, name in enumerate(SURVEYS["gaia"]):
        values |= _band(record, transit_id, band, name)
    arrays = [pa.array(values[field.name], field.type, from_pandas=True) for field in SCHEMA]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _band(record: NDArray, transit_id: NDArray[np.int64], band: int, name: str) -> dict[str, NDArray]:
    """The seven columns of a band; the transit itself has its G time even where G has no flux."""
    mag = record["mag"][:, band].astype(np.float64)
    flux, error = flux_of(mag, record["mag_err"][:, band], GAIA_ZERO_POINT[name])
    time = record["time"] + GAIA_BAND_DELAY_DAY[band]
    seen = np.isfinite(mag)
    with np.errstate(invalid="ignore"):
        over_error = (flux / error).astype(np.float32)
    prefix, short = PREFIXES[band], name.lower()
    return {
        TIMES[band]: time if band == 0 else np.where(seen, time, np.nan),
        f"{prefix}_flux": flux,
        f"{prefix}_flux_error": error,
        f"{prefix}_flux_over_error": over_error,
        f"{prefix}_mag": mag,
        f"variability_flag_{short}_reject": (record["reject"] & (BY_VARIABILITY << band)) != 0,
        f"{short}_other_flags": np.where(seen, _other_flags(record, transit_id, band), 0),
    }


def _other_flags(record: NDArray, transit_id: NDArray[np.int64], band: int) -> NDArray[np.int64]:
    """What was rejected of each transit in a band, bits: in G for some transits a CCD, for rejected ones everything."""
    is_rejected = (record["reject"] & BY_PHOTOMETRY) != 0
    lost = np.zeros(transit_id.size, np.int64)
    if band == 0:
        ccd = (bits("which flag G", 0, transit_id) % np.uint64(N_CCD)).astype(np.int64)
        lost = np.where(uniform("other flags G", 0, transit_id) < OTHER_FLAGS_SHARE, np.int64(1) << ccd, lost)
    return np.where(is_rejected, np.int64(REJECTED_BITS[band]), lost)
