"""The tables of the sky: columns and rows of sources, published labels and truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.sky import stars
from tasks.sky.classes import CLASSES
from tasks.sky.constants import BANDS
from tasks.sky.streams import BLOCK


def _schema(*groups: tuple[pa.DataType, str]) -> pa.Schema:
    """Columns in order: names, separated by spaces, of the columns of one type after the other."""
    return pa.schema([(name, kind) for kind, names in groups for name in names.split()])


SOURCES = _schema(
    (pa.int64(), "source_id"),
    (pa.string(), "object_id"),
    (pa.float64(), "ra dec parallax parallax_error pmra pmra_error pmdec pmdec_error"),
    (pa.int64(), "duplicate_of"),
)
CLASS_LABELS = _schema(
    (pa.int64(), "source_id"), (pa.string(), "origin class"), (pa.float32(), "score"), (pa.bool_(), "is_photometric")
)
PARAMETER_LABELS = _schema(
    (pa.int64(), "source_id"),
    (pa.string(), "origin quantity"),
    (pa.float64(), "value err"),
    (pa.bool_(), "is_photometric"),
)
TRUTH = _schema(
    (pa.int64(), "source_id"),
    (pa.string(), "class subclass"),
    (pa.float64(), "period_day period2_day epoch_day teff_k radius_rsun feh_dex distance_pc ebv_mag mean_g_mag"),
    (pa.float64(), "amplitude_g_mag r21 phi21 phi31 neighbour_sep_arcsec neighbour_delta_g_mag"),
    (pa.bool_(), "is_blended is_wrong_match_ps1 is_wrong_match_ztf is_duplicate"),
    (pa.int64(), "duplicate_of"),
)


def _table(columns: Mapping[str, NDArray], schema: pa.Schema, rows: slice | NDArray) -> pa.Table:
    """Columns in the order of the schema; NaN becomes null, as does the mask of a masked array."""
    arrays = []
    for field in schema:
        value = columns[field.name][rows]
        mask = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else None
        arrays.append(pa.array(np.ma.getdata(value), field.type, mask=mask, from_pandas=True))
    return pa.Table.from_arrays(arrays, schema=schema)


def _duplicate_of(source_id: NDArray[np.int64], origin: NDArray[np.int64]) -> np.ma.MaskedArray:
    return np.ma.array(source_id[origin], mask=origin == np.arange(BLOCK))


def source_rows(
    seed: int,
    block: int,
    source_id: NDArray[np.int64],
    star: dict[str, NDArray],
    origin: NDArray[np.int64],
    chunk: slice,
) -> pa.Table:
    """Rows of SOURCES for the objects `chunk` of a block; `origin` (BLOCK,) is the row of the star itself."""
    columns = {
        "source_id": source_id,
        "object_id": source_id.astype(str),
        "ra": star["ra"],
        "dec": star["dec"],
        "duplicate_of": _duplicate_of(source_id, origin),
        **stars.astrometry(seed, block, star),
    }
    return _table(columns, SOURCES, chunk)


def label_rows(rows: dict[str, NDArray], schema: pa.Schema, source_id: NDArray[np.int64], chunk: slice) -> pa.Table:
    """Rows of a table of labels for the objects `chunk` of a block, in the order of the objects."""
    inside = np.flatnonzero((rows["row"] >= chunk.start) & (rows["row"] < chunk.stop))
    inside = inside[np.argsort(rows["row"][inside], kind="stable")]
    return _table({**rows, "source_id": source_id[rows["row"]]}, schema, inside)


def truth_rows(
    source_id: NDArray[np.int64],
    code: NDArray[np.int8],
    draw: dict[str, NDArray],
    star: dict[str, NDArray],
    around: dict[str, NDArray],
    epoch_day: NDArray,
    origin: NDArray[np.int64],
    chunk: slice,
) -> pa.Table:
    """Rows of TRUTH for the objects `chunk` of a block."""
    columns = {
        **draw,
        **star,
        "source_id": source_id,
        "class": np.array(CLASSES)[code],
        "epoch_day": np.where(np.isfinite(draw["period_day"]), epoch_day, np.nan),
        "mean_g_mag": star["mean_mag"][:, 0],
        "neighbour_sep_arcsec": around["sep_arcsec"],
        "neighbour_delta_g_mag": around["delta_g_mag"],
        "is_blended": around["is_blended"].any(axis=1),
        "is_wrong_match_ps1": around["is_wrong"][:, BANDS.index("g_ps1")],
        "is_wrong_match_ztf": around["is_wrong"][:, BANDS.index("g_ztf")],
        "is_duplicate": origin != np.arange(BLOCK),
        "duplicate_of": _duplicate_of(source_id, origin),
    }
    return _table(columns, TRUTH, chunk)
