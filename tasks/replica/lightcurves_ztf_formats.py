"""ZTF light curves as IRSA writes them: CSV, TSV, VOTable and IPAC table."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.replica.product_text import rows_text
from tasks.replica.served import read_columns
from tasks.replica.votable import MEDIA as VOTABLE
from tasks.replica.votable import XSI, Dialect, field, tabledata, tabledata_rows

MEDIA = {
    "VOTABLE": VOTABLE,
    "CSV": "text/csv",
    "TSV": "text/tab-separated-values",
    "IPAC_TABLE": "text/plain",
}
# Name, datatype, unit, UCD and words of ivoa_TimeSeriesZTF.xml; ccdid and qid are unsigned bytes there.
COLUMNS = read_columns("ztf_light_curve")
BYTES = ("ccdid", "qid")
IPAC_TYPE = {"long": "long", "int": "int", "short": "int", "double": "double", "float": "float", "char": "char"}
DIALECT = Dialect("1.3", XSI | {"xmlns:stc": "http://www.ivoa.net/xml/STC/v1.30"}, {}, {"ID": "Results"})


def format_rows(rows: pa.Table, style: str) -> bytes:
    """Light curves in a format of MEDIA; columns in the service's order."""
    rows = rows.select([column.name for column in COLUMNS])
    if style == "IPAC_TABLE":
        return _ipac(rows)
    for name in BYTES:
        hexadecimal = pa.array([f"0x{value:X}" for value in range(256)])
        index = rows.schema.get_field_index(name)
        rows = rows.set_column(index, name, pc.take(hexadecimal, rows.column(index).cast(pa.int64())))
    if style == "VOTABLE":
        fields = [field(column, "unsignedByte" if column.name in BYTES else None) for column in COLUMNS]
        return DIALECT.document(fields, tabledata(tabledata_rows(rows)))
    delimiter = {"CSV": ",", "TSV": "\t"}[style]
    names = delimiter.join(column.name for column in COLUMNS)
    return names.encode() + b"\n" + rows_text(rows, delimiter)


def usage_fault(sentence: str) -> bytes:
    """The document that comes with HTTP 400."""
    return DIALECT.error(f"UsageFault: {sentence}")


def _ipac(rows: pa.Table) -> bytes:
    """IPAC table: every column as wide as its widest cell or name, bounded by bars in the head."""
    texts = [rows[c.name].cast(pa.string()).fill_null("null").to_numpy().astype(str) for c in COLUMNS]
    width = [
        max(len(column.name), len(IPAC_TYPE[column.datatype]), *np.char.str_len(text), 4)
        for column, text in zip(COLUMNS, texts, strict=True)
    ]
    heads = (
        [column.name for column in COLUMNS],
        [IPAC_TYPE[column.datatype] for column in COLUMNS],
        [column.unit or "" for column in COLUMNS],
        ["null"] * len(COLUMNS),
    )
    lines = ["|" + "|".join(f"{cell:>{size}}" for cell, size in zip(head, width, strict=True)) + "|" for head in heads]
    cells = [np.char.rjust(text, size) for text, size in zip(texts, width, strict=True)]
    lines += [" " + " ".join(row) + " " for row in zip(*cells, strict=True)]
    return "".join(f"{line}\n" for line in lines).encode()
