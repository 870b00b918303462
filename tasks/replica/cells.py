"""Tables as text: every value in full precision, made column by column in Arrow and never row by row."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BLOCK = 50_000  # rows made at a time: one Arrow array of text holds less than 2 GB


def texts(rows: pa.Table, false: str = "false", true: str = "true", keep_point: bool = False) -> pa.Table:
    """Every column as text, nulls kept; NaN is null. With `keep_point` a whole float has its point ("100.0")."""
    columns = [_text(column, false, true, keep_point) for column in rows.columns]
    return pa.Table.from_arrays(columns, names=rows.column_names)  # names may be there twice


def _text(column: pa.ChunkedArray, false: str, true: str, keep_point: bool) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, true, false)
    if not pa.types.is_floating(column.type):
        return column.cast(pa.string())
    column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    text = column.cast(pa.string())
    if keep_point and pc.any(pc.equal(column, pc.floor(column))).as_py():  # else the slow expression finds nothing
        text = pc.replace_substring_regex(text, r"^(-?\d+)$", r"\1.0")
    return text


def join_lines(cells: pa.Table, start: str, between: str, end: str) -> bytes:
    """Rows of text cells, one after the other, nulls as nothing."""
    if not cells.num_columns:
        return b""
    blocks = []
    for first in range(0, cells.num_rows, BLOCK):
        block = [pc.fill_null(column.combine_chunks(), "") for column in cells.slice(first, BLOCK).columns]
        joined = pc.binary_join_element_wise(*block, between)
        blocks.append(_bytes_of(pc.binary_join_element_wise(start, joined, end, "")))
    return b"".join(blocks)


def _bytes_of(text: pa.Array) -> bytes:
    _, offsets, data = text.buffers()
    places = np.frombuffer(offsets, np.int32)
    return data[int(places[text.offset]) : int(places[text.offset + len(text)])].to_pybytes()
