"""Reading the archives' CSV answers: by column name, with given types, nothing guessed."""

from __future__ import annotations

import csv
from collections.abc import Mapping

import pyarrow as pa
from pyarrow.csv import ConvertOptions, ReadOptions
from pyarrow.csv import read_csv as _read

from tasks.archives.errors import BadQuestion, Retryable

NULLS = ["", "null", "NULL", "nan", "NaN", "NAN"]  # TAP services write nothing, the Gaia CDN null or NaN
TRUE = ["true", "True", "TRUE", "t", "T", "1"]
FALSE = ["false", "False", "FALSE", "f", "F", "0"]
_HEADER_BYTES = 1 << 20


def read_csv(body: bytes, schema: Mapping[str, pa.DataType], what: str) -> pa.Table:
    """The columns of `schema` (name -> type), in its order, from a CSV document with a header line.

    Columns are found by name whatever its case, others are dropped; empty cells, null and NaN are null, also in
    columns of floats. `what` names the answer in messages ("the answer of gaia_tap"). Raises BadQuestion where a
    column is missing, there twice, or has other values than its type; Retryable where the document is no CSV
    (a page, an empty or a broken answer).
    """
    start = body[:_HEADER_BYTES].removeprefix(b"\xef\xbb\xbf")
    first = start.lstrip()[:1]
    if not first:
        raise Retryable(f"{what} is empty: not even a header line came.")
    if first == b"<":
        raise Retryable(f"{what} is a page instead of data: {start.lstrip()[:60].decode(errors='replace')!r}.")
    names = _names(start)
    columns = {name: name.lower() for name in schema}
    _check(names, list(columns.values()), what)
    if b"\n" not in body:  # a header line alone, which the reader would refuse
        return pa.schema(list(schema.items())).empty_table()
    options = ConvertOptions(
        column_types={columns[name]: kind for name, kind in schema.items()},
        include_columns=list(columns.values()),
        null_values=NULLS,
        true_values=TRUE,
        false_values=FALSE,
        strings_can_be_null=True,
    )
    try:
        table = _read(pa.py_buffer(body), ReadOptions(column_names=_unique(names), skip_rows=1), None, options)
    except pa.ArrowInvalid as error:
        raise _unreadable(str(error), names, what) from None
    return table.rename_columns(list(schema))


def count_rows(body: bytes) -> int:
    """Rows of a CSV document below its header line; line breaks inside of quotes count as rows."""
    return max(body.count(b"\n") + (not body.endswith(b"\n")) - 1, 0)


def _names(start: bytes) -> list[str]:
    """Column names of the header line, lower case."""
    header = start.split(b"\n", 1)[0].decode(errors="replace")
    return [name.strip().lower() for name in next(csv.reader([header]))]


def _unique(names: list[str]) -> list[str]:
    """The names, with a place's number behind those that came before: the reader wants them distinct."""
    return [name if names.index(name) == place else f"{name}\0{place}" for place, name in enumerate(names)]


def _check(names: list[str], wanted: list[str], what: str) -> None:
    if missing := [name for name in wanted if name not in names]:
        raise BadQuestion(
            f"{what} lacks {len(missing)} of {len(wanted)} columns, first {missing[0]!r}; "
            f"it has {', '.join(names)[:300]}."
        )
    if twice := [name for name in wanted if names.count(name) > 1]:
        raise BadQuestion(f"{what} has {len(twice)} columns more than once, first {twice[0]!r}: name each one's alias.")


def _unreadable(reason: str, names: list[str], what: str) -> Exception:
    """The reader's complaint as ours: a row of another length is a broken answer, another value a misunderstanding."""
    if "conversion error" not in reason:
        return Retryable(f"{what} is broken: {reason}.")
    place, _, complaint = reason.partition(":")
    number = "".join(filter(str.isdigit, place.partition("#")[2]))
    name = names[int(number)] if number and int(number) < len(names) else place
    return BadQuestion(f"{what} has other values in column {name!r} than it should: {complaint.strip()}.")
