"""Answers of a TAP service in the formats that clients ask for.

Text is made column by column in Arrow, never row by row. Booleans of a CSV are "True" and "False" for Gaia and
"true" and "false" elsewhere, and an empty field is null: both as far as we know, not confirmed on the live services.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.replica.jobs import Answer
from tasks.replica.served import ARROW, ServedColumn
from tasks.replica.votable_text import attributes

VOTABLE = "application/x-votable+xml"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<VOTABLE version="1.4" xmlns="http://www.ivoa.net/xml/VOTable/v1.3" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n<RESOURCE type="results">\n'
)
TAIL = "</RESOURCE>\n</VOTABLE>\n"
XML_MARKS = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
BLOCK = 50_000  # rows made at a time: one Arrow array of text holds less than 2 GB
# Gaia gives these two fields an ID in capitals; TapPlus names columns by it unless told to use names.
GAIA_IDS = ("source_id", "designation")


@dataclass(frozen=True)
class Result:
    """Rows of a query with what their columns mean; `is_overflow`: there were more rows than were given."""

    rows: pa.Table
    columns: tuple[ServedColumn, ...]
    query: str = ""
    is_overflow: bool = False
    is_gaia: bool = False


def write(result: Result, style: str) -> Answer:
    """The answer in a style of `STYLES` (by name or media type, case aside); ValueError for any other."""
    short = style.strip().lower().replace(" ", "")
    name = MEDIA.get(short.split(";")[0], short)
    if name not in STYLES or (name in GAIA_ONLY and not result.is_gaia):
        raise ValueError(
            "Impossible to format the query result: no formatter has been found for the given MIME type "
            f'"{style}", known are {", ".join(one for one in STYLES if result.is_gaia or one not in GAIA_ONLY)}'
        )
    return STYLES[name](result)


def error_document(message: str) -> bytes:
    """The VOTable that TAP answers errors with."""
    text = f'<INFO name="QUERY_STATUS" value="ERROR">{escape(message)}</INFO>\n'
    return (HEAD + text + TAIL).encode()


def as_served(rows: pa.Table, known: Iterable[ServedColumn | None]) -> tuple[pa.Table, tuple[ServedColumn, ...]]:
    """Rows in the seven datatypes that are served, and their columns; `known` describes those that are served as is.

    DuckDB's own types (128-bit sums, decimals, bytes, dates) become the nearest that VOTable has.
    """
    columns, arrays = [], []
    for name, array, served in zip(rows.column_names, rows.columns, known, strict=True):
        datatype = _datatype(array.type)
        if served is None or served.datatype != datatype:
            served = ServedColumn(name, datatype)
        columns.append(ServedColumn(name, datatype, served.unit, served.ucd, served.doc))
        arrays.append(array.cast(ARROW[datatype]))
    return pa.table(arrays, [column.name for column in columns]), tuple(columns)


def _datatype(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return "long" if kind.scale == 0 else "double"
    if pa.types.is_int8(kind) or pa.types.is_uint8(kind):
        return "short"
    if pa.types.is_unsigned_integer(kind):
        return "long"
    return next((name for name, arrow in ARROW.items() if arrow == kind), "char")


def _texts(rows: pa.Table, false: str, true: str) -> pa.Table:
    """Every column as text in full precision, nulls kept; NaN is null. A round double keeps its point ("100.0")."""
    return pa.table([_text(column, false, true) for column in rows.columns], rows.column_names)


def _text(column: pa.ChunkedArray, false: str, true: str) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, true, false)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        return pc.replace_substring_regex(column.cast(pa.string()), r"^(-?\d+)$", r"\1.0")
    return column.cast(pa.string())


def _csv(result: Result) -> Answer:
    rows = _texts(result.rows, "False", "True") if result.is_gaia else _texts(result.rows, "false", "true")
    for index, field in enumerate(result.rows.schema):
        if pa.types.is_string(field.type):
            rows = rows.set_column(index, field.name, _quote(rows.column(index)))
    head = ",".join(_quote(pa.array([name]))[0].as_py() for name in rows.column_names) + "\n"
    return Answer(head.encode() + _lines(rows, "", ",", "\n"), "text/csv", ".csv")


def _quote(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in quotes where a CSV needs them; empty text too, which no quotes would make null."""
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(pc.match_substring_regex(text, r'[",\r\n]|^$'), quoted, text)


def _lines(cells: pa.Table, start: str, between: str, end: str) -> bytes:
    """Rows of text cells, one after the other, nulls as nothing."""
    if not cells.num_columns:
        return b""
    texts = []
    for first in range(0, cells.num_rows, BLOCK):
        block = [pc.fill_null(column.combine_chunks(), "") for column in cells.slice(first, BLOCK).columns]
        joined = pc.binary_join_element_wise(*block, between)
        texts.append(_bytes_of(pc.binary_join_element_wise(start, joined, end, "")))
    return b"".join(texts)


def _bytes_of(text: pa.Array) -> bytes:
    _, offsets, data = text.buffers()
    places = np.frombuffer(offsets, np.int32)
    return data[int(places[text.offset]) : int(places[text.offset + len(text)])].to_pybytes()


def _votable(result: Result) -> Answer:
    fields = "".join(_field(column, result.is_gaia) for column in result.columns)
    status = '<INFO name="QUERY_STATUS" value="OK"/>\n'
    query = f'<INFO name="QUERY" value={quoteattr(result.query)}/>\n'
    system = '<COOSYS ID="system" system="ICRS"/>\n'
    overflow = '<INFO name="QUERY_STATUS" value="OVERFLOW"/>\n' if result.is_overflow else ""
    head = f"{HEAD}{status}{query}{system}<TABLE>\n{fields}<DATA>\n<TABLEDATA>\n"
    tail = f"</TABLEDATA>\n</DATA>\n</TABLE>\n{overflow}{TAIL}"
    return Answer(
        head.encode() + _lines(_cells(result.rows), "<TR><TD>", "</TD><TD>", "</TD></TR>\n") + tail.encode(),
        VOTABLE,
        ".vot",
    )


def _field(column: ServedColumn, is_gaia: bool) -> str:
    parts = {
        "ID": column.name.upper() if is_gaia and column.name in GAIA_IDS else None,
        "name": column.name,
        "datatype": column.datatype,
        "arraysize": "*" if column.datatype == "char" else None,
        "unit": column.unit,
        "ucd": column.ucd,
    }
    inner = f"\n<DESCRIPTION>{escape(column.doc)}</DESCRIPTION>\n" if column.doc else ""
    return f"<FIELD{attributes(parts)}>{inner}</FIELD>\n"


def _cells(rows: pa.Table) -> pa.Table:
    """Every column as text for TABLEDATA, with what XML gives a meaning written out."""
    cells = _texts(rows, "false", "true")
    for index, column in enumerate(rows.columns):
        if pa.types.is_string(column.type):
            text = cells.column(index)
            for mark, written in XML_MARKS:
                text = pc.replace_substring(text, mark, written)
            cells = cells.set_column(index, cells.field(index), text)
    return cells


def _json(result: Result) -> Answer:
    """Gaia's JSON: what each column is, then rows. No column has an xtype, and utypes are not held."""
    about = [
        {"name": one.name, "datatype": one.datatype, "xtype": None,
         "arraysize": "*" if one.datatype == "char" else None, "description": one.doc, "unit": one.unit,
         "ucd": one.ucd, "utype": None}
        for one in result.columns
    ]  # fmt: skip
    columns = [column.to_pylist() for column in result.rows.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    return Answer(json.dumps({"metadata": about, "data": rows}).encode(), "application/json", ".json")


def _astropy(result: Result, style: str, media: str, suffix: str) -> Answer:
    """The styles that astropy writes, compressed as Gaia compresses them."""
    from astropy.io.votable import parse_single_table  # 0.5 s of imports that few clients need

    table = parse_single_table(io.BytesIO(_votable(result).body)).to_table(use_names_over_ids=True)
    table.meta.clear()
    out = io.BytesIO() if style == "fits" else io.StringIO()
    table.write(out, format=style)
    body = out.getvalue()
    return Answer(gzip.compress(body.encode() if isinstance(body, str) else body, 1), media, suffix)


def _gzip(result: Result) -> Answer:
    return Answer(gzip.compress(_votable(result).body, 1), VOTABLE, ".vot.gz", "gzip")


STYLES: dict[str, Callable[[Result], Answer]] = {
    "votable": _votable,
    "csv": _csv,
    "fits": partial(_astropy, style="fits", media="application/fits", suffix=".fits.gz"),
    "votable_gzip": _gzip,
    "votable_plain": _votable,
    "json": _json,
    "ecsv": partial(_astropy, style="ascii.ecsv", media="text/plain", suffix=".ecsv.gz"),
}
GAIA_ONLY = ("votable_gzip", "votable_plain", "json", "ecsv")
MEDIA = {
    VOTABLE: "votable",
    "text/xml": "votable",
    "application/xml": "votable",
    "text/csv": "csv",
    "application/fits": "fits",
    "application/json": "json",
}
