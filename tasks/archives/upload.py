"""The table of items as a VOTable to upload."""

from __future__ import annotations

import io

import pyarrow as pa
from astropy.io.votable import from_table
from astropy.table import Table

from tasks.archives.errors import BadQuestion

UPLOAD_NAME = "items"  # TAP_UPLOAD.items in the queries


def votable(items: pa.Table) -> bytes:
    """The items as a VOTable of plain text cells (what TapPlus can send); null floats are NaN.

    Texts become fields of datatype "char", which is what TAP services take: astropy makes them of bytes alone. Raises
    BadQuestion where integers or texts are null, or a column has a type that no service takes.
    """
    table = Table()
    for name, column in zip(items.column_names, items.columns, strict=True):
        if pa.types.is_floating(column.type):
            table[name] = column.to_numpy()
        elif column.null_count:
            raise BadQuestion(
                f"Column {name!r} to upload has {column.null_count} nulls of {len(column)}: leave them out."
            )
        elif pa.types.is_integer(column.type):
            table[name] = column.to_numpy()
        elif pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            table[name] = [text.encode() for text in column.to_pylist()]
        else:
            raise BadQuestion(f"Column {name!r} to upload is of type {column.type}; services take numbers and texts.")
    body = io.BytesIO()
    # The compiled writer of astropy 8.0 writes past its buffer for a row of exactly 256 or 512 bytes: until a release
    # without astropy's issue 20419, the one in Python.
    from_table(table).to_xml(body, _debug_python_based_parser=True)
    return body.getvalue()
