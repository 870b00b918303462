"""FITS: the first table of a file, by slices of its rows.

OBJECT, RA_OBJ and DEC_OBJ of the headers, where they are, become columns: a file of one star names it there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.errors import BadInput
from schemas.formats.format import MAX_WHOLE_BYTES, Format
from schemas.formats.numpy_columns import to_arrow

SLICE_ROWS = 65_536
HEADER_COLUMNS = ("OBJECT", "RA_OBJ", "DEC_OBJ")


def read(path: Path) -> pa.RecordBatchReader:
    """The rows of the first table of a FITS file in slices; BadInput where it holds none."""
    batches = _batches(path)
    first = next(batches)  # without rows: it tells the types
    return pa.RecordBatchReader.from_batches(first.schema, (batch.cast(first.schema) for batch in batches))


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    from astropy.io import fits

    with fits.open(path, memmap=not path.name.lower().endswith(".gz")) as hdus:
        table = next((hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU | fits.TableHDU)), None)
        if table is None:
            raise BadInput(f"{path} holds no table, but {len(hdus)} other parts: give a FITS file with a binary table.")
        constant = {key: hdu.header[key] for key in HEADER_COLUMNS for hdu in (hdus[0], table) if key in hdu.header}
        try:
            yield _batch(table, constant, slice(0, 1)).slice(0, 0)
            for start in range(0, len(table.data), SLICE_ROWS):
                yield _batch(table, constant, slice(start, start + SLICE_ROWS))
        finally:
            for column in table.columns:
                column.array = None  # else astropy reads it whole into memory when it lets go of the file


def _batch(table: Any, constant: dict[str, Any], rows: slice) -> pa.RecordBatch:
    some = table.data[rows]
    columns: dict[str, pa.Array] = {}
    for column in table.columns:
        values = some[column.name]
        mask = np.asarray(values) == int(column.null) if _is_number(column.null) and values.dtype.kind in "iu" else None
        array = to_arrow(values, mask)
        if array is not None:
            columns[column.name] = array
    for key, value in constant.items():
        if key not in columns:
            columns[key] = pa.repeat(pa.scalar(value.strip() if isinstance(value, str) else value), len(some))
    return pa.RecordBatch.from_pydict(columns)


def _is_number(null: Any) -> bool:
    return null not in (None, "")


FORMAT = Format(
    "FITS", (".fits", ".fit", ".fts", ".fits.gz", ".fit.gz"), read, MAX_WHOLE_BYTES, (".fits.gz", ".fit.gz")
)
