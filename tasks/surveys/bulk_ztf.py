"""ZTF in bulk: IRSA's HATS catalogues of objects and of light curves, joined on the object's id.

Objects have the columns of the table at IRSA. Light curves have one row per object (objectid, the objects' oid) with
the epochs nested in `lightcurve`: hmjd (heliocentric Julian date - 2400000.5, UTC), mag, magerr, catflags; filterid is
1, 2, 3 for g, r, i. They lack what the service tells besides: expid, mjd, the quality of fit (chi, sharp), limiting
magnitude, zero points, airmass and exposure time; none of these is used. Untested against the public buckets.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.arrays import look_up
from tasks.surveys.bulk import Columns, FileTable, rows_near, rows_of_ids, unnest
from tasks.surveys.survey import Ask

FILTERCODES = ("zg", "zr", "zi")  # of filterid 1, 2, 3
HJD_ZERO = 2_400_000.5
NESTED = {"hmjd": pa.float64(), "mag": pa.float64(), "magerr": pa.float64(), "catflags": pa.int64()}
CURVE = {"oid": pa.int64(), "filterid": pa.int64(), **{name: pa.list_(kind) for name, kind in NESTED.items()}}
CALLED = {"oid": "objectid", **{name: f"lightcurve.{name}" for name in NESTED}}


def objects(ask: Ask, uri: str, release: str, here: pa.Table, radius_arcsec: float, columns: Columns) -> pa.Table:
    """Objects around the positions `here`, as `ztf.OBJECTS` asks for them."""
    own = {name: kind for name, kind in columns.items() if name != "source_id"}
    return rows_near(ask, FileTable(uri, release, own), here, radius_arcsec).select(list(columns))


def curves(ask: Ask, uri: str, release: str, asked: pa.Table, objects: pa.Table, columns: Columns) -> pa.Table:
    """Epochs of the objects `asked` (column oid), which lie where `objects` (oid, ra, dec) says.

    `columns` as the light-curve service gives them, but for expid: that is the epoch's place in its curve.
    """
    oid = asked["oid"]
    items = pa.table({"oid": oid, **{name: look_up(oid, objects["oid"], objects[name]) for name in ("ra", "dec")}})
    rows = rows_of_ids(ask, FileTable(uri, release, CURVE, ("objra", "objdec"), CALLED), "oid", items)
    n, flat = unnest(rows, list(NESTED), uri)
    code = rows["filterid"].fill_null(0).to_numpy()
    code = np.where((code >= 1) & (code <= len(FILTERCODES)), code - 1, len(FILTERCODES))
    epochs = {
        **flat,
        "oid": np.repeat(rows["oid"].to_numpy(), n),
        "expid": np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n),
        "hjd": pc.add(flat["hmjd"], HJD_ZERO),
        "filtercode": pa.array([*FILTERCODES, None]).take(pa.array(np.repeat(code, n))),
    }
    return pa.table({name: epochs[name] for name in columns}).cast(pa.schema(list(columns.items())))
