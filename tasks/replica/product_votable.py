"""The VOTables of DataLink: one document per product file, TABLEDATA or BINARY2, as the service writes them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.replica.binary_rows import BAND_LENGTH, write_flat_rows, write_ragged_rows
from tasks.replica.constants import GAIA_TIME_ZERO_JD
from tasks.replica.layouts import Layout
from tasks.replica.product_text import array_cells, split_lines
from tasks.replica.served import ServedColumn
from tasks.replica.votable import XSI, Dialect, binary2, field, parameter, tabledata, tabledata_rows

SCHEMA = "http://www.ivoa.net/xml/VOTable/v1.3 http://www.ivoa.net/xml/VOTable/v1.3"
SPECTRUM = "http://www.ivoa.net/xml/SpectrumModel/v1.01"
DIALECT = Dialect(
    "1.4",
    XSI | {"xsi:schemaLocation": SCHEMA, "xmlns:spec": SPECTRUM},
    {"utype": "spec:Spectrum"},
    {},
    f'<TIMESYS ID="time_frame" refposition="BARYCENTER" timeorigin="{GAIA_TIME_ZERO_JD}" timescale="TCB"/>',
)


def plain_votables(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    """A document with TABLEDATA for every range of rows first[i]:first[i + 1]."""
    cells = array_cells(table, layout, "votable").select([column.name for column in _fields(layout)])
    pieces = split_lines(tabledata_rows(cells, "F", "T"), first)
    heads = _columns(table, layout, first)
    return [DIALECT.document(head, tabledata(piece)) for head, piece in zip(heads, pieces, strict=True)]


def binary_votables(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    """A document with a base64 BINARY2 stream for every range of rows first[i]:first[i + 1]."""
    if layout.arrays:
        rows = write_ragged_rows(table, layout)
        stream, byte = b"".join(rows), np.concatenate([[0], np.cumsum([len(row) for row in rows])])[first]
    else:
        packed = write_flat_rows(table, _fields(layout))
        stream, byte = packed.tobytes(), first * packed.dtype.itemsize
    ranges = zip(byte[:-1].tolist(), byte[1:].tolist(), strict=True)
    heads = _columns(table, layout, first)
    return [
        DIALECT.document(head, binary2(stream[start:stop])) for head, (start, stop) in zip(heads, ranges, strict=True)
    ]


def _fields(layout: Layout) -> list[ServedColumn]:
    return [column for column in layout.columns if column.name not in layout.parameters]


def _columns(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[list[str]]:
    """PARAMs and FIELDs of every file; the value of a PARAM is that of the file's first row."""
    fields = "".join(_field(column, layout) for column in _fields(layout))
    constant = [column for column in layout.columns if column.name in layout.parameters]
    values = [np.append(table[column.name].to_numpy(), 0)[first[:-1]].tolist() for column in constant]
    return [
        [parameter(column, str(of_file[index])) for column, of_file in zip(constant, values, strict=True)] + [fields]
        for index in range(first.size - 1)
    ]


def _field(column: ServedColumn, layout: Layout) -> str:
    size = "*" if column.name in layout.arrays else str(BAND_LENGTH) if column.datatype == "char" else None
    return field(column, arraysize=size, ref="time_frame" if column.ucd == "time.epoch" else None)
