"""Product files of DataLink: one per source, or one for all, in the formats that the service offers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pyarrow as pa
from astropy.io import fits
from numpy.typing import NDArray

from tasks.replica.binary_rows import binary_values
from tasks.replica.layouts import Layout
from tasks.replica.product_text import array_cells, ecsv_header, header, rows_text, split_lines, without_nan
from tasks.replica.product_votable import binary_votables, plain_votables
from tasks.replica.served import ServedColumn

SUFFIX = {"csv": "csv", "ecsv": "ecsv", "votable": "xml", "votable_plain": "xml", "fits": "fits", "json": "json"}
FITS_CODE = {"long": "K", "int": "J", "short": "I", "double": "D", "float": "E", "boolean": "L", "char": "2A"}
ZIP_DATE = (2026, 1, 1, 0, 0, 0)  # the same answer has the same bytes whenever it is given
FAST = 1  # deflate level: the service's own is unknown, and the replica is not to be the slow part


def product_files(
    table: pa.Table, layout: Layout, first: NDArray[np.int64], names: Sequence[str], form: str
) -> list[tuple[str, bytes]]:
    """(name, content) of every file: file i holds the rows first[i]:first[i + 1] of `table`.

    `names` are without suffix; `form` is a key of SUFFIX. Made for many sources at once, but for fits and json.
    """
    contents = _FORMS[form](table, layout, first)
    return [(f"{name}.{SUFFIX[form]}", content) for name, content in zip(names, contents, strict=True)]


def zip_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A zip archive, deflated as the service does; no files give an archive without entries."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, ZIP_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content, compresslevel=FAST)
    return sink.getvalue()


def _csv(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    return _lines(table, layout, first, header(layout.columns), "csv")


def _ecsv(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    return _lines(table, layout, first, ecsv_header(layout), "ecsv")


def _lines(table: pa.Table, layout: Layout, first: NDArray[np.int64], head: bytes, style: str) -> list[bytes]:
    quoting = "needed" if layout.arrays else "none"
    text = rows_text(array_cells(table, layout, style), quoting=quoting)
    return [b"".join((head, piece)) for piece in split_lines(text, first)]


def _fits(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    table = table.combine_chunks()
    bounds = zip(first[:-1].tolist(), first[1:].tolist(), strict=True)
    return [_fits_file(table.slice(start, stop - start), layout) for start, stop in bounds]


def _fits_file(table: pa.Table, layout: Layout) -> bytes:
    made = [_fits_column(table[column.name], column, column.name in layout.arrays) for column in layout.columns]
    sink = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(made)]).writeto(sink)
    return sink.getvalue()


def _fits_column(values: pa.ChunkedArray, column: ServedColumn, is_array: bool) -> fits.Column:
    code = FITS_CODE[column.datatype]
    if not is_array:
        return fits.Column(column.name, code, unit=column.unit, array=_fits_values(values, column))
    cells = np.empty(len(values), object)
    cells[:] = [_fits_values(cell.values, column) for cell in values]
    return fits.Column(column.name, f"P{code}()", unit=column.unit, array=cells)


def _fits_values(values: pa.Array | pa.ChunkedArray, column: ServedColumn) -> NDArray:
    array, _ = binary_values(values, column)
    if column.datatype == "boolean":
        return array == b"T"
    return array.astype(array.dtype.newbyteorder("="))


def _json(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    rows = list(zip(*(column.to_pylist() for column in without_nan(table).columns), strict=True))
    metadata = [
        {"name": c.name, "datatype": c.datatype, "unit": c.unit, "ucd": c.ucd, "description": c.doc}
        for c in layout.columns
    ]
    bounds = zip(first[:-1].tolist(), first[1:].tolist(), strict=True)
    return [json.dumps({"metadata": metadata, "data": rows[start:stop]}).encode() for start, stop in bounds]


_FORMS: dict[str, Callable[[pa.Table, Layout, NDArray[np.int64]], list[bytes]]] = {
    "csv": _csv,
    "ecsv": _ecsv,
    "votable": binary_votables,
    "votable_plain": plain_votables,
    "fits": _fits,
    "json": _json,
}
