"""Epochs of DR4: those of DR3 with their transit ids, and the transits since; field stars have them too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import GAIA_ZERO_POINT
from tasks.replica.dr4.declared import ZERO_POINT_MAG
from tasks.replica.tables.chance import normal, uniform
from tasks.replica.tables.patch import Patch
from tasks.replica.tables.photometry import flux_of
from tasks.replica.tables.records import Records
from tasks.replica.tables.transits import BY_PHOTOMETRY, BY_VARIABILITY, make_transits, records, transit_ids
from tasks.sky import SURVEYS
from tasks.sky.cadence import GAIA_BAND_DELAY_DAY
from tasks.sky.noise import true_error

N_CCD = 9  # of the astrometric field
FEW_SHARE = 0.02  # of transits of which one or two CCDs are left
RECORD = np.dtype(
    [("transit_id", "<i8"), ("time", "<f8"), ("mag", "<f4", 3), ("mag_err", "<f4", 3), ("reject", "u1"), ("n", "u1")]
)


@dataclass(frozen=True, eq=False)
class Epochs:
    """Transits of some sources, (N,), in order of source and time; id and record of each."""

    source_id: NDArray[np.int64]
    record: NDArray

    @property
    def is_rejected(self) -> NDArray[np.bool_]:
        """Rejected by the photometric processing, (N,)."""
        return (self.record["reject"] & BY_PHOTOMETRY) != 0

    def valid(self) -> Epochs:
        """Those with a flux that are not rejected."""
        kept = ~self.is_rejected & np.isfinite(self.record["mag"]).any(axis=1)
        return Epochs(self.source_id[kept], self.record[kept])

    def is_doubtful(self, band: int) -> NDArray[np.bool_]:
        """Rejected by the variability processing in a band (0 to 2), (N,)."""
        return (self.record["reject"] & (BY_VARIABILITY << band)) != 0

    def flux(self, band: int) -> tuple[NDArray, NDArray]:
        """Flux and its error in a band, (N,) electron/s; NaN where there is none. They are DR3's for the same light."""
        return flux_of(
            self.record["mag"][:, band].astype(np.float64),
            self.record["mag_err"][:, band],
            GAIA_ZERO_POINT[SURVEYS["gaia"][band]],
        )

    def mag(self, band: int) -> NDArray[np.float64]:
        """Magnitude in a band, (N,)."""
        return self.record["mag"][:, band].astype(np.float64) + ZERO_POINT_MAG

    def time(self, band: int) -> NDArray[np.float64]:
        """Time in a band, (N,): Gaia's, in days; NaN where BP or RP have no flux."""
        time = self.record["time"] + GAIA_BAND_DELAY_DAY[band]
        return time if band == 0 else np.where(np.isfinite(self.record["mag"][:, band]), time, np.nan)


def make_epochs(patch: Patch, before: Records) -> Epochs:
    """Epochs of a patch whose sky has the survey "gaia_later", by the ids of DR3; `before` are the records of DR3."""
    ids, _, old = before.of(patch.stars.source_id)
    later_ids, new = records(patch, make_transits(patch, "gaia_later"))
    own = np.concatenate([ids, later_ids]), np.concatenate([old, new])
    own_record = _with_ids(*own)
    field = _field(patch, own[0], own_record)
    source_id, record = np.concatenate([own[0], field.source_id]), np.concatenate([own_record, field.record])
    order = np.lexsort([record["time"], source_id])
    return Epochs(source_id[order], record[order])


def _with_ids(source_id: NDArray[np.int64], old: NDArray) -> NDArray:
    """The records with the ids of their transits, and the number of CCDs that G comes of."""
    record = np.zeros(source_id.size, RECORD)
    for name in old.dtype.names or ():
        record[name] = old[name]
    record["transit_id"] = transit_ids(source_id, old["time"])
    record["n"] = _number_of_ccd(record)
    return record


def _number_of_ccd(record: NDArray) -> NDArray[np.int64]:
    is_few = uniform("few ccds", 0, record["transit_id"]) < FEW_SHARE
    return np.where(np.isfinite(record["mag"][:, 0]), np.where(is_few, 2, N_CCD), 0)


def _field(patch: Patch, source_id: NDArray[np.int64], record: NDArray) -> Epochs:
    """Epochs of the field stars that are sources: at the times of their neighbours', constant but for noise."""
    chosen = np.flatnonzero(patch.field_in_gaia)
    star, host = patch.field.source_id[chosen], patch.stars.source_id[patch.host[chosen]]
    order = np.argsort(host)
    place = np.searchsorted(host[order], source_id)
    has_field = host[order][np.minimum(place, host.size - 1)] == source_id if host.size else np.zeros(0, bool)
    taken = np.flatnonzero(has_field) if host.size else np.empty(0, np.int64)
    row = order[place[taken]]
    copied = record[taken].copy()
    copied["transit_id"] = transit_ids(star[row], copied["time"])
    mean = patch.field_mag[chosen[row], :3].astype(np.float32)
    for band in range(3):
        error = true_error(mean[:, band], np.full(row.size, band, np.int8))
        noise = normal(f"gaia field {band}", patch.seed, copied["transit_id"])
        copied["mag"][:, band], copied["mag_err"][:, band] = mean[:, band] + error * noise, error
    copied["reject"], copied["n"] = 0, _number_of_ccd(copied)
    return Epochs(star[row], copied)


def flux_table(epochs: Epochs, number: NDArray[np.int64]) -> pa.Table:
    """Source, transit number, whether it counts, and the flux in each band: what statistics are made of."""
    fluxes = {f"{band.lower()}": epochs.flux(index) for index, band in enumerate(SURVEYS["gaia"])}
    return pa.table(
        {
            "source_id": number,
            "time": epochs.record["time"],
            "is_bad": epochs.is_rejected,
            **{f"{band}_flux": pa.array(value, from_pandas=True) for band, (value, _) in fluxes.items()},
            **{f"{band}_error": pa.array(error, from_pandas=True) for band, (_, error) in fluxes.items()},
        }
    )
