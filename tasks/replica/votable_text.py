"""Pieces of VOTables with TABLEDATA: fields and rows."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa

from tasks.replica.product_text import rows_text
from tasks.replica.served import ServedColumn

_ROW, _CELL, _END = b"<TR><TD>", b"</TD><TD>", b"</TD></TR>\n"


def tabledata(rows: pa.Table) -> bytes:
    """Rows of TABLEDATA, one a line; no cell may hold a tab, a line end, or a sign that XML gives a meaning."""
    text = rows_text(rows, "\t")
    return _ROW + text.replace(b"\t", _CELL).replace(b"\n", _END + _ROW)[: -len(_ROW)] if text else b""


def field(
    column: ServedColumn, datatype: str | None = None, arraysize: str | None = None, ref: str | None = None
) -> str:
    """A FIELD; `datatype` where it is not the column's own, text is of any length where no `arraysize` is said."""
    size = "*" if column.datatype == "char" and arraysize is None else arraysize
    said = {"arraysize": size, "datatype": datatype or column.datatype, "name": column.name, "ref": ref}
    text = attributes({**said, "ucd": column.ucd, "unit": column.unit})
    return f"<FIELD{text}>\n<DESCRIPTION>{escape(column.doc)}</DESCRIPTION>\n</FIELD>\n"


def attributes(said: dict[str, str | None]) -> str:
    """XML attributes of what is not None."""
    return "".join(f" {name}={quoteattr(value)}" for name, value in said.items() if value)
