"""Answers of a TAP service in the formats that clients ask for.

Booleans of a CSV are "True" and "False" for Gaia and
"true" and "false" elsewhere, and an empty field is null: both as far as we know, not confirmed on the live services.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from tasks.replica.cells import join_lines, texts
from tasks.replica.jobs import Answer
from tasks.replica.served import ARROW, ServedColumn
from tasks.replica.votable import MEDIA as VOTABLE
from tasks.replica.votable import XSI, Dialect, field, info, tabledata, tabledata_rows

DIALECT = Dialect("1.4", XSI, {}, {}, '<COOSYS ID="system" system="ICRS"/>\n')
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


def convert_served(
    rows: pa.Table, described: Iterable[ServedColumn | None]
) -> tuple[pa.Table, tuple[ServedColumn, ...]]:
    """Rows in the seven datatypes that are served, and their columns; `described` has those served as they are.

    DuckDB's own types (128-bit sums, decimals, bytes, dates) become the nearest that VOTable has.
    """
    columns, arrays = [], []
    for name, array, served in zip(rows.column_names, rows.columns, described, strict=True):
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


def _csv(result: Result) -> Answer:
    words = ("False", "True") if result.is_gaia else ("false", "true")
    rows = texts(result.rows, *words, keep_point=True)
    for index, kind in enumerate(result.rows.schema.types):
        if pa.types.is_string(kind):
            rows = rows.set_column(index, rows.field(index), _quote(rows.column(index)))
    head = ",".join(_quote(pa.array([name]))[0].as_py() for name in rows.column_names) + "\n"
    return Answer(head.encode() + join_lines(rows, "", ",", "\n"), "text/csv", ".csv")


def _quote(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Text in quotes where a CSV needs them; empty text too, which no quotes would make null."""
    quoted = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
    return pc.if_else(pc.match_substring_regex(text, r'[",\r\n]|^$'), quoted, text)


def _votable(result: Result) -> Answer:
    infos = info("QUERY_STATUS", "OK") + info("QUERY", result.query)
    fields = [field(column, id=_gaia_id(column) if result.is_gaia else None) for column in result.columns]
    data = tabledata(tabledata_rows(result.rows, keep_point=True))
    overflow = info("QUERY_STATUS", "OVERFLOW") if result.is_overflow else ""
    return Answer(DIALECT.document(fields, data, infos, overflow), VOTABLE, ".vot")


def _gaia_id(column: ServedColumn) -> str | None:
    return column.name.upper() if column.name in GAIA_IDS else None


def _json(result: Result) -> Answer:
    """Gaia's JSON: what each column is, then rows. No column has an xtype, and utypes are not held."""
    about = [
        {
            "name": one.name,
            "datatype": one.datatype,
            "xtype": None,
            "arraysize": "*" if one.datatype == "char" else None,
            "description": one.doc,
            "unit": one.unit,
            "ucd": one.ucd,
            "utype": None,
        }
        for one in result.columns
    ]
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
