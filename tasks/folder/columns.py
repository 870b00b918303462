"""Columns of somebody else's Parquet file: found or complained about, and turned into the types we use."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
from numpy.typing import NDArray

from schemas import BadInput
from schemas.errors import Guard, Problems, nearest
from schemas.files import parquet_schema, unreadable, value_type


def check_schema(file: Path, wanted: Mapping[str, str], guard: Guard = nullcontext) -> pa.Schema:
    """Schema of `file`, which must hold the column of each role in `wanted` (role to column name) once.

    Raises BadInput where the file is missing or a column is: with what there is and the nearest name, for the first,
    and for each inside `guard`.
    """
    schema = parquet_schema(file)
    wrong = Problems()
    for role, name in wanted.items():
        with wrong.collect():
            _require_one(file, role, name, schema.names)
    wrong.raise_each(guard)
    return schema


def _require_one(file: Path, role: str, name: str, names: list[str]) -> None:
    if names.count(name) > 1:
        raise BadInput(f"{file} has more than one column {name!r} ({role}): give them names that differ.")
    if name not in names:
        raise BadInput(
            f"{file} has no column {name!r} ({role}); it has {', '.join(names)}."
            f"{nearest(name, names)} Rename it, or name another as {role} in dataset.toml."
        )


def read_columns(file: Path, wanted: Mapping[str, str]) -> pa.Table:
    """The columns of `wanted` (role to column name) under the names of their roles, and nothing else of the file."""
    check_schema(file, wanted)
    try:  # a field, not a name: a dot in a column's name is no path into a struct
        return ds.dataset(file).to_table(columns={role: pc.field(name) for role, name in wanted.items()})
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from None


def require_id(kind: pa.DataType, where: str) -> None:
    """BadInput unless the type is text or whole numbers: a float has already lost the last digits of a long id."""
    kind = value_type(kind)
    if not (is_text(kind) or pa.types.is_integer(kind)):
        raise BadInput(f"{where} is {kind}, but ids must be text or whole numbers (a float loses digits of a long id).")


def require_number(kind: pa.DataType, where: str) -> None:
    """BadInput unless the type is a number, or nothing at all (every value is null)."""
    kind = value_type(kind)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (numeric or pa.types.is_null(kind)):
        raise BadInput(f"{where} is {kind}, but it must be a number: convert it, or name another column.")


def is_text(kind: pa.DataType) -> bool:
    """True for any of Arrow's string types."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column as strings, exactly: integers by their digits, dictionaries by their words, 3.0 as "3"."""
    if pa.types.is_dictionary(column.type):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], column.type.value_type)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_finite(column), column, None)
        if pc.all(pc.equal(column, pc.round(column))).as_py():
            column = pc.cast(column, pa.int64())
    return pc.cast(column, pa.string())


def numbers(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """The column as float64 (rows,), NaN where it is null."""
    return pc.fill_null(pc.cast(column, pa.float64(), safe=False), np.nan).to_numpy()
