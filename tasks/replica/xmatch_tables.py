"""Tables that XMatch takes and gives: CSV and VOTable."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.csv
from astropy.io import votable

from tasks.replica.product_text import rows_text
from tasks.replica.served import ARROW, ServedColumn
from tasks.replica.votable import MEDIA as VOTABLE
from tasks.replica.votable import Dialect, field, info, tabledata, tabledata_rows

MEDIA = {"votable": VOTABLE, "csv": "text/csv", "tsv": "text/tab-separated-values"}
DATATYPE = {kind: name for name, kind in ARROW.items()}
DIALECT = Dialect("1.3", {}, {}, {})


def read_upload(content: bytes) -> pa.Table:
    """An uploaded CSV or VOTable with types guessed (CSV) or declared (VOTable); ValueError where it is neither."""
    if content.lstrip()[:1] == b"<":
        return _read_votable(content)
    try:
        return pa.csv.read_csv(io.BytesIO(content))
    except pa.ArrowInvalid as error:
        raise ValueError(f"no CSV: {error}") from None


def _read_votable(content: bytes) -> pa.Table:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = votable.parse_single_table(io.BytesIO(content)).to_table(use_names_over_ids=True)
    except Exception as error:  # whatever the parser raises, it is the upload that is no VOTable
        raise ValueError(f"no VOTable: {error}") from None
    arrays = {}
    for name in table.colnames:
        values = np.ma.getdata(table[name])
        values = values.astype(str) if values.dtype.kind in "OSU" else values.astype(values.dtype.newbyteorder("="))
        arrays[name] = pa.array(values, mask=np.ma.getmaskarray(table[name]))
    return pa.table(arrays)


def describe_columns(table: pa.Table, described: Sequence[ServedColumn] = ()) -> list[ServedColumn]:
    """Columns of a table, as `described` has them or as their types say; text for any type that has no name."""
    by_name = {column.name: column for column in described}
    return [
        by_name.get(field.name) or ServedColumn(field.name, DATATYPE.get(field.type, "char")) for field in table.schema
    ]


def format_table(table: pa.Table, columns: Sequence[ServedColumn], form: str, is_cut: bool) -> bytes:
    """A table in a format of MEDIA; `is_cut` says in a VOTable that there were more rows."""
    arrays = [
        array if field.type in DATATYPE else array.cast(pa.string())
        for array, field in zip(table.columns, table.schema, strict=True)
    ]
    table = pa.Table.from_arrays(arrays, names=table.column_names)  # names may be there twice
    if form == "votable":
        return _votable(table, columns, is_cut)
    delimiter = {"csv": ",", "tsv": "\t"}[form]
    names = delimiter.join(column.name for column in columns).encode() + b"\n"
    try:
        return names + rows_text(table, delimiter)
    except pa.ArrowInvalid:  # a text holds the delimiter
        return names + rows_text(table, delimiter, "needed")


def _votable(table: pa.Table, columns: Sequence[ServedColumn], is_cut: bool) -> bytes:
    status = info("QUERY_STATUS", "OVERFLOW" if is_cut else "OK", id="QUERY_STATUS")
    return DIALECT.document(map(field, columns), tabledata(tabledata_rows(table)), status)


def failure(sentence: str) -> bytes:
    """The VOTable that comes with HTTP 400; astroquery looks for its INFO by ID."""
    return DIALECT.error(sentence, "QUERY_STATUS")
