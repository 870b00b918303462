"""Tables that come with a query: VOTables by hand (TapPlus) or by astropy (pyvo), as tables of the query's session."""

from __future__ import annotations

import io
import re

import duckdb
import numpy as np
import pyarrow as pa

from tasks.replica.adql import ROW, UPLOADED, AdqlError
from tasks.replica.forms import Form
from tasks.replica.served import ARROW, ServedColumn, ServedTable

# What astropy writes bytes, unicode text and booleans as.
DATATYPES = {"unsignedByte": "short", "unicodeChar": "char", "bit": "boolean"}


def read_uploads(form: Form) -> dict[str, bytes]:
    """VOTables by the name of their table, from UPLOAD=name,param:part;... and the parts of the form.

    AdqlError for a malformed UPLOAD, a part that is not there, or a table elsewhere on the web.
    """
    files: dict[str, bytes] = {}
    for pair in ";".join(form.all("UPLOAD")).split(";"):
        if not pair.strip():
            continue
        name, _, place = (part.strip() for part in pair.partition(","))
        if not re.fullmatch(r"\w+", name) or not place:
            raise AdqlError(f'UPLOAD names a table and its part as "name,param:part", found "{pair}"')
        if not place.startswith("param:"):
            raise AdqlError(f'the upload "{name}" is at {place}: this service takes tables sent with the query alone')
        part = place.removeprefix("param:")
        if part not in form.files:
            raise AdqlError(f'the upload "{name}" is said to be in part "{part}", which the request has not')
        files[name.lower()] = form.files[part]
    return files


def read_votable(name: str, document: bytes, is_lower: bool = False, takes_unicode: bool = True) -> pa.Table:
    """The first table of a VOTable; masked values and NaN are null.

    `is_lower`: column names become lower case, as at Gaia. Without `takes_unicode` unicodeChar is refused, as at
    IRSA. AdqlError for a document that is no VOTable, and for columns of arrays.
    """
    from astropy.io import votable  # takes half a second to import, and many servers see no upload

    try:
        table = votable.parse(io.BytesIO(document)).get_first_table()
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise AdqlError(f'the upload "{name}" cannot be read as a VOTable: {reason}') from None
    arrays: dict[str, pa.Array] = {}
    for field in table.fields:
        column = (field.name or field.ID).lower() if is_lower else (field.name or field.ID)
        datatype = DATATYPES.get(field.datatype, field.datatype)
        is_array = datatype != "char" and field.arraysize not in (None, "1")
        if datatype not in ARROW or is_array or column.lower() in (one.lower() for one in (*arrays, ROW)):
            what = "an array" if is_array else f"of datatype {field.datatype}"
            raise AdqlError(f'column {column} of the upload "{name}" is {what} or comes twice: it cannot be stored')
        if field.datatype == "unicodeChar" and not takes_unicode:
            raise AdqlError(f'column {column} of the upload "{name}" is unicodeChar: this service takes char alone')
        arrays[column] = _array(table.array[field.ID], datatype)
    return pa.table(arrays)


def _array(values: np.ma.MaskedArray, datatype: str) -> pa.Array:
    mask = np.ma.getmaskarray(values)
    data = np.ma.getdata(values)
    if datatype == "char":
        texts = [one.decode("utf-8", "replace") if isinstance(one, bytes) else str(one) for one in data]
        return pa.array(texts, pa.string(), mask=np.asarray(mask, bool))
    if datatype in ("float", "double"):
        mask = mask | np.isnan(data)
    return pa.array(np.ascontiguousarray(data.astype(data.dtype.newbyteorder("="))), mask=mask).cast(ARROW[datatype])


def add_upload(cursor: duckdb.DuckDBPyConnection, name: str, rows: pa.Table) -> tuple[str, ServedTable]:
    """Store an upload in a session: its qualified name in queries, and what it is there."""
    place = f"upload_{name}"
    cursor.register("incoming", rows)
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {place} AS SELECT *, row_number() OVER () AS {ROW} FROM incoming")
    cursor.unregister("incoming")
    datatypes = {arrow: datatype for datatype, arrow in ARROW.items()}
    columns = tuple(ServedColumn(field.name, datatypes[field.type]) for field in rows.schema)
    return f"{UPLOADED}{name}", ServedTable(f"TAP_UPLOAD.{name}", place, "Uploaded table", columns)
