"""The one writer of VOTables: the documents of every service, with TABLEDATA or BINARY2.

A service's documents differ in what stands around their table, its `Dialect`. Cells are made by Arrow for the whole
table at once; astropy's own writer takes 50 times as long.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from xml.sax.saxutils import escape, quoteattr

import pyarrow as pa
import pyarrow.compute as pc

from tasks.replica.cells import join_lines, texts
from tasks.replica.served import ServedColumn

MEDIA = "application/x-votable+xml"
XML_MARKS = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
XSI = {"xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"}


def attributes(values: Mapping[str, str | None]) -> str:
    """XML attributes of the values that are given."""
    return "".join(f" {name}={quoteattr(value)}" for name, value in values.items() if value)


def info(name: str, value: str, text: str = "", id: str | None = None) -> str:
    """An INFO element, a line of its own."""
    start = f"<INFO{attributes({'ID': id, 'name': name, 'value': value})}"
    return f"{start}>{escape(text)}</INFO>\n" if text else f"{start}/>\n"


def field(
    column: ServedColumn,
    datatype: str | None = None,
    arraysize: str | None = None,
    ref: str | None = None,
    id: str | None = None,
) -> str:
    """A FIELD; `datatype` where it is not the column's own. Text has any length where no `arraysize` is given."""
    size = "*" if column.datatype == "char" and arraysize is None else arraysize
    values = {"ID": id, "name": column.name, "datatype": datatype or column.datatype, "arraysize": size, "ref": ref}
    return f"<FIELD{attributes(values | {'unit': column.unit, 'ucd': column.ucd})}>{_description(column)}</FIELD>\n"


def parameter(column: ServedColumn, value: str) -> str:
    """A PARAM: a column that has one value for the whole table."""
    values = {"name": column.name, "datatype": column.datatype, "ucd": column.ucd, "value": value}
    return f"<PARAM{attributes(values)}>{_description(column)}</PARAM>\n"


def _description(column: ServedColumn) -> str:
    return f"\n<DESCRIPTION>{escape(column.doc)}</DESCRIPTION>\n" if column.doc else ""


def tabledata_rows(rows: pa.Table, false: str = "false", true: str = "true", keep_point: bool = False) -> bytes:
    """Rows of TABLEDATA; what has a meaning in XML is written as entities. See `cells.texts` for the other options."""
    cells = texts(rows, false, true, keep_point)
    for index, column in enumerate(rows.columns):
        if pa.types.is_string(column.type):
            text = cells.column(index)
            for mark, entity in XML_MARKS:
                text = pc.replace_substring(text, mark, entity)
            cells = cells.set_column(index, cells.field(index), text)
    return join_lines(cells, "<TR><TD>", "</TD><TD>", "</TD></TR>\n")


def tabledata(rows: bytes | memoryview) -> list[bytes | memoryview]:
    """The DATA element of rows of TABLEDATA, in pieces."""
    return [b"<DATA>\n<TABLEDATA>\n", rows, b"</TABLEDATA>\n</DATA>\n"]


def binary2(stream: bytes) -> list[bytes | memoryview]:
    """The DATA element of rows of BINARY2, in pieces."""
    head, tail = b'<DATA>\n<BINARY2>\n<STREAM encoding="base64">\n', b"</STREAM>\n</BINARY2>\n</DATA>\n"
    return [head, base64.encodebytes(stream), tail]


@dataclass(frozen=True)
class Dialect:
    """What the VOTables of one service have around their table.

    `version` of the standard; further attributes of VOTABLE, RESOURCE and TABLE; `before`: elements before the table.
    """

    version: str
    namespaces: Mapping[str, str | None]
    resource: Mapping[str, str | None]
    table: Mapping[str, str | None]
    before: str = ""

    def document(
        self, columns: Iterable[str], data: Iterable[bytes | memoryview], before: str = "", after: str = ""
    ) -> bytes:
        """A document with one table: its FIELDs and PARAMs, its DATA, INFOs before the table and after it."""
        head = "".join((self._start, before, self._table, *columns))
        return b"".join((head.encode(), *data, f"</TABLE>\n{after}{_END}".encode()))

    def error(self, message: str, id: str | None = None) -> bytes:
        """The document without a table that a service answers errors with."""
        return (self._start + info("QUERY_STATUS", "ERROR", message, id) + _END).encode()

    @cached_property
    def _start(self) -> str:
        votable = {"version": self.version, "xmlns": "http://www.ivoa.net/xml/VOTable/v1.3", **self.namespaces}
        resource = {"type": "results", **self.resource}
        return f"{_XML}<VOTABLE{attributes(votable)}>\n<RESOURCE{attributes(resource)}>\n"

    @cached_property
    def _table(self) -> str:
        return f"{self.before}<TABLE{attributes(self.table)}>\n"


_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_END = "</RESOURCE>\n</VOTABLE>\n"
