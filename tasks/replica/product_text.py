"""Tables as text, whole and split by source: cells are made by Arrow for all sources at once, never one by one."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from tasks.replica.layouts import Layout
from tasks.replica.served import ServedColumn

ECSV_TYPE = {
    "long": "int64",
    "int": "int32",
    "short": "int16",
    "double": "float64",
    "float": "float32",
    "boolean": "bool",
    "char": "string",
}


def rows_text(table: pa.Table, delimiter: str = ",", quoting: str = "none") -> bytes:
    """Rows without a header, one line each: missing and NaN are empty, booleans true and false.

    With `quoting` "needed" strings are quoted; with "none" they must hold neither delimiter, quote nor line end.
    """
    if len(table) == 0:
        return b""
    sink = io.BytesIO()
    options = pa.csv.WriteOptions(include_header=False, quoting_style=quoting, delimiter=delimiter)
    pa.csv.write_csv(without_nan(table), sink, options)
    return sink.getvalue()


def without_nan(table: pa.Table) -> pa.Table:
    """The same table with nulls for NaN."""
    for index, field in enumerate(table.schema):
        if pa.types.is_floating(field.type):
            column = table.column(index)
            is_nan = pc.is_nan(column)
            if pc.any(is_nan).as_py():
                table = table.set_column(index, field, pc.if_else(is_nan, pa.scalar(None, field.type), column))
    return table


def header(columns: Sequence[ServedColumn]) -> bytes:
    """The line of column names of a CSV file."""
    return ",".join(column.name for column in columns).encode() + b"\n"


def split_lines(text: bytes, first: NDArray[np.int64]) -> list[memoryview]:
    """Pieces of a text of lines: `first` (P + 1,) are the first line of every piece, and the number of lines."""
    end = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")) + 1
    byte = np.concatenate([[0], end])[first]
    view = memoryview(text)
    return [view[start:stop] for start, stop in zip(byte[:-1].tolist(), byte[1:].tolist(), strict=True)]


def array_cells(table: pa.Table, layout: Layout, style: str) -> pa.Table:
    """A table with its array cells as text, and in ECSV its booleans as that standard writes them: True and False.

    `style` "csv": ``(1.5, NaN, true)`` as in the recorded csv products of DataLink (of arrays there, XP_CONTINUOUS);
    "ecsv": ``[1.5,NaN,null,"True"]`` as in the files of Gaia's CDN; "votable": ``1.5 NaN T``.
    """
    opening, separator, closing = {"csv": ("(", ", ", ")"), "ecsv": ("[", ",", "]"), "votable": ("", " ", "")}[style]
    words = {"csv": ("true", "false"), "ecsv": ('"True"', '"False"'), "votable": ("T", "F")}[style]
    for index, field in enumerate(table.schema):
        if field.name not in layout.arrays:
            if style == "ecsv" and pa.types.is_boolean(field.type):
                table = table.set_column(index, field.name, pc.if_else(table.column(index), "True", "False"))
            continue
        lists = table.column(index).combine_chunks()
        values = pc.list_flatten(lists)
        if pa.types.is_boolean(values.type):
            text = pc.if_else(values, *words)
        else:
            text = values.cast(pa.string())
            if pa.types.is_floating(values.type):
                text = pc.if_else(pc.is_nan(values), "NaN", text)
        text = pc.fill_null(text, "NaN" if pa.types.is_floating(values.type) else "null")
        joined = pc.binary_join(pa.ListArray.from_arrays(lists.offsets, text), separator)
        cells = pc.binary_join_element_wise(opening, joined, closing, "")
        table = table.set_column(index, field.name, cells)
    return table


def ecsv_header(layout: Layout) -> bytes:
    """The commented head of an ECSV file and its line of names (Enhanced Character Separated Values 1.0)."""
    lines = ["%ECSV 1.0", "---", "delimiter: ','", "datatype:"]
    for column in layout.columns:
        kind = ECSV_TYPE[column.datatype]
        is_array = column.name in layout.arrays
        lines += ["-", f"  name: {column.name}", f"  datatype: {'string' if is_array else kind}"]
        lines += [f"  subtype: '{kind}[null]'"] if is_array else []
        lines += [f"  unit: {json.dumps(column.unit)}"] if column.unit else []
        lines += [f"  description: {json.dumps(column.doc)}"] if column.doc else []
        lines += ["  meta:", f"    ucd: {column.ucd}"] if column.ucd else []
    return "".join(f"# {line}\n" for line in lines).encode() + header(layout.columns)
