"""DataLink's VOTables: one document per product file, TABLEDATA or BINARY2, as the service writes them."""

from __future__ import annotations

import base64
from xml.sax.saxutils import escape

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.replica.layouts import Layout
from tasks.replica.product_text import array_cells, split_lines
from tasks.replica.served import ServedColumn
from tasks.replica.votable_text import attributes, field, tabledata

BAND_LENGTH = 2  # characters of the one text column, a band's name
BINARY = {
    "long": ">i8",
    "int": ">i4",
    "short": ">i2",
    "double": ">f8",
    "float": ">f4",
    "boolean": "S1",
    "char": f"S{BAND_LENGTH}",
}

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"\
 xsi:schemaLocation="http://www.ivoa.net/xml/VOTable/v1.3 http://www.ivoa.net/xml/VOTable/v1.3"\
 xmlns:spec="http://www.ivoa.net/xml/SpectrumModel/v1.01">
<RESOURCE type="results" utype="spec:Spectrum">
<TIMESYS ID="time_frame" refposition="BARYCENTER" timeorigin="2455197.5" timescale="TCB"/><TABLE>
"""
_TAIL = b"</DATA>\n</TABLE>\n</RESOURCE>\n</VOTABLE>\n"


def plain_votables(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    """A document with TABLEDATA for every range of rows first[i]:first[i + 1]."""
    fields = _fields(layout)
    cells = array_cells(table, layout, "votable").select([column.name for column in fields])
    for index, column in enumerate(fields):
        if column.datatype == "boolean" and column.name not in layout.arrays:
            cells = cells.set_column(index, column.name, pc.if_else(cells[column.name], "T", "F"))
    heads = _heads(table, layout, first)
    return [
        b"".join((head, b"<DATA>\n<TABLEDATA>\n", piece, b"</TABLEDATA>\n", _TAIL))
        for head, piece in zip(heads, split_lines(tabledata(cells), first), strict=True)
    ]


def binary_votables(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    """A document with a base64 BINARY2 stream for every range of rows first[i]:first[i + 1]."""
    rows = _ragged_rows(table, layout) if layout.arrays else _flat_rows(table, layout)
    offset = np.concatenate([[0], np.cumsum([len(row) for row in rows])]) if isinstance(rows, list) else None
    stream = b"".join(rows) if isinstance(rows, list) else rows.tobytes()
    byte = offset[first] if offset is not None else first * rows.dtype.itemsize  # type: ignore[union-attr]
    return [
        b"".join(
            (
                *(head, b'<DATA>\n<BINARY2>\n<STREAM encoding="base64">\n', base64.encodebytes(stream[start:stop])),
                *(b"</STREAM>\n</BINARY2>\n", _TAIL),
            )
        )
        for head, start, stop in zip(_heads(table, layout, first), byte[:-1], byte[1:], strict=True)
    ]


def binary_values(column: pa.Array | pa.ChunkedArray, served: ServedColumn) -> tuple[NDArray, NDArray[np.bool_]]:
    """Values of a column for a binary format, (N,), and where they are missing: there NaN, 0, "?" or an empty text."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    is_null = column.is_null().to_numpy(zero_copy_only=False)
    if served.datatype == "boolean":
        column = pc.fill_null(pc.if_else(column, "T", "F"), "?")
    else:
        column = pc.fill_null(column, {"char": "", "double": np.nan, "float": np.nan}.get(served.datatype, 0))
    return column.to_numpy(zero_copy_only=False).astype(BINARY[served.datatype]), is_null


def _fields(layout: Layout) -> list[ServedColumn]:
    return [column for column in layout.columns if column.name not in layout.parameters]


def _heads(table: pa.Table, layout: Layout, first: NDArray[np.int64]) -> list[bytes]:
    """Everything before the data; what `layout.parameters` names is taken from the first row of each file."""
    fields = "".join(_field(column, layout) for column in _fields(layout))
    said = [column for column in layout.columns if column.name in layout.parameters]
    values = [np.append(table[column.name].to_numpy(), 0)[first[:-1]].tolist() for column in said]
    rows = zip(*values, strict=True) if said else [()] * (first.size - 1)
    return [
        (_HEAD + "".join(map(_parameter, said, row)) + fields).encode()
        for row in rows
    ]  # fmt: skip


def _parameter(column: ServedColumn, value: int) -> str:
    said = {"datatype": column.datatype, "name": column.name, "ucd": column.ucd, "value": str(value)}
    return f"<PARAM{attributes(said)}>\n<DESCRIPTION>{escape(column.doc)}</DESCRIPTION>\n</PARAM>\n"


def _field(column: ServedColumn, layout: Layout) -> str:
    size = "*" if column.name in layout.arrays else str(BAND_LENGTH) if column.datatype == "char" else None
    return field(column, arraysize=size, ref="time_frame" if column.ucd == "time.epoch" else None)


def _flat_rows(table: pa.Table, layout: Layout) -> NDArray:
    """BINARY2 rows of a table without arrays: its null bits, then its values, big-endian."""
    fields = _fields(layout)
    types = [("mask", "u1", -(-len(fields) // 8)), *((column.name, BINARY[column.datatype]) for column in fields)]
    rows = np.zeros(len(table), types)
    for index, column in enumerate(fields):
        rows[column.name], is_null = binary_values(table[column.name], column)
        if column.datatype not in ("double", "float"):  # a missing number is NaN, as the service sends it
            rows["mask"][:, index // 8] |= np.where(is_null, 128 >> index % 8, 0).astype(np.uint8)
    return rows


def _ragged_rows(table: pa.Table, layout: Layout) -> list[bytes]:
    """BINARY2 rows of a table with arrays: the length of an array goes before its values."""
    parts = [[bytes(-(-len(layout.columns) // 8))] for _ in range(len(table))]
    for column in layout.columns:
        cells = table[column.name].combine_chunks()
        is_array = column.name in layout.arrays
        values, _ = binary_values(pc.list_flatten(cells) if is_array else cells, column)
        data, size = values.tobytes(), values.dtype.itemsize
        bound = cells.offsets.to_numpy() if is_array else np.arange(len(table) + 1)
        length = np.diff(bound).astype(">i4").tobytes()
        byte = (bound * size).tolist()
        for row, part in enumerate(parts):
            if is_array:
                part.append(length[4 * row : 4 * row + 4])
            part.append(data[byte[row] : byte[row + 1]])
    return [b"".join(part) for part in parts]
