"""Structs as the columns that they hold: `lightcurve` with `mjd` in it becomes the column `lightcurve.mjd`.

A struct of lists (nested-pandas, HATS) and a list of structs both become lists of equal length.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def is_flat(schema: pa.Schema) -> bool:
    """True where no column is a struct or a list of structs."""
    return not any(_holds_struct(field.type) for field in schema)


def flatten(batch: pa.RecordBatch) -> pa.RecordBatch:
    """`batch` with a column for each field of its structs; all others stay as they are."""
    if is_flat(batch.schema):
        return batch
    columns: dict[str, pa.Array] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        columns |= _columns_of(name, column)
    return pa.RecordBatch.from_pydict(columns)


def flatten_schema(schema: pa.Schema) -> pa.Schema:
    """The schema that `flatten` gives its batches."""
    return flatten(pa.RecordBatch.from_pylist([], schema)).schema


def _columns_of(name: str, column: pa.Array) -> dict[str, pa.Array]:
    kind = column.type
    if pa.types.is_struct(kind):
        fields = {field.name: pc.struct_field(column, place) for place, field in enumerate(kind)}
    elif _holds_struct(kind):
        items = pc.list_flatten(column)
        offsets = _offsets(column)
        fields = {field.name: _lists(offsets, pc.struct_field(items, k)) for k, field in enumerate(kind.value_type)}
    else:
        return {name: column}
    found: dict[str, pa.Array] = {}
    for field, values in fields.items():
        found |= _columns_of(f"{name}.{field}", values)
    return found


def _holds_struct(kind: pa.DataType) -> bool:
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    return pa.types.is_struct(kind.value_type if is_list else kind)


def _offsets(column: pa.Array) -> pa.Array:
    """Where the list of each row begins and ends among all items; the list of a null is empty."""
    length = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    return pa.array(np.concatenate([[0], np.cumsum(length)]).astype(np.int32), pa.int32())


def _lists(offsets: pa.Array, values: pa.Array) -> pa.Array:
    return pa.ListArray.from_arrays(offsets, values)
