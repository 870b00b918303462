"""Light curves of ZTF as its light-curve service gives them: records, with what the object and the hour add to them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.constants import ZTF_EXPOSURE_S, ZTF_LIMIT_MAG
from tasks.replica.served import ARROW, read_rows
from tasks.replica.tables.chance import uniform
from tasks.replica.tables.records import Records

SCHEMA = pa.schema([(row["name"], ARROW[row["held_as"]]) for row in read_rows("ztf_light_curve")])
OF_OBJECT = ("filtercode", "ra", "dec", "field", "ccdid", "qid")
FIRST_MJD = 58000.0
ZERO_POINT = {"zg": 26.3, "zr": 26.3, "zi": 25.7}
COLOUR_TERM = {"zg": -0.05, "zr": 0.09, "zi": 0.0}


def light_curves(store: Records, objects: pa.Table, oids: NDArray[np.int64]) -> pa.Table:
    """Rows of SCHEMA; `objects` has oid, ascending, and the columns OF_OBJECT."""
    oid, within, record = store.of(oids)
    place = np.searchsorted(objects["oid"].to_numpy(), oid)
    chosen = objects.select(OF_OBJECT).take(pa.array(place)).combine_chunks()
    of = {name: chosen[name].combine_chunks() for name in OF_OBJECT}
    mjd = record["mjd"]
    fit, night = (uniform(purpose, 0, oid, within) for purpose in ("fit", "night"))
    values = (
        {name: record[name] for name in ("hjd", "mjd", "mag", "magerr", "catflags")}
        | of
        | {
            "oid": oid,
            "expid": np.floor((mjd - FIRST_MJD) * 8640.0).astype(np.int64),
            "filefracday": _file_fraction(mjd),
            "exptime": np.full(oid.size, ZTF_EXPOSURE_S, np.int32),
            "chi": 0.7 + 0.6 * fit,
            "sharp": 0.1 * (fit - 0.5),
            "airmass": 1.0 + 0.8 * night**2,
            "magzprms": np.full(oid.size, 0.03),
            "clrcounc": np.full(oid.size, 1e-4),
            "programid": np.ones(oid.size, np.int16),
            **_by_filter(of["filtercode"], night),
        }
    )
    arrays = [
        value
        if isinstance(value := values[kind.name], pa.Array)
        else pa.array(value.astype(kind.type.to_pandas_dtype()))
        for kind in SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def _by_filter(code: pa.Array, night: NDArray) -> dict[str, NDArray]:
    """Limits, zero points and colour terms: those of the filter, and worse on a bad night (0 to 1)."""
    encoded = code.dictionary_encode()
    which, names = encoded.indices.to_numpy(zero_copy_only=False), encoded.dictionary.to_pylist()

    def of(table: dict[str, float]) -> NDArray:
        return np.array([table[name] for name in names], float)[which]

    return {
        "limitmag": of(ZTF_LIMIT_MAG) - 0.6 * night,
        "magzp": of(ZERO_POINT) - 0.1 * night,
        "clrcoeff": of(COLOUR_TERM),
    }


def _file_fraction(mjd: NDArray) -> NDArray[np.int64]:
    """YYYYMMDDdddddd: the date and the millionths of its day."""
    day = np.floor(mjd)
    date = np.datetime64("1858-11-17") + day.astype("timedelta64[D]")
    month = date.astype("datetime64[M]")
    year = month.astype("datetime64[Y]").astype(np.int64) + 1970
    number = (year * 100 + month.astype(np.int64) % 12 + 1) * 100 + (date - month).astype(np.int64) + 1
    return number * 1_000_000 + ((mjd - day) * 1e6).astype(np.int64)
