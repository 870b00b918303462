"""Faults of content done to an answer's rows: ids twice, ids left out, sentinels for values, rows cut off."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.replica.state import Fault

SENTINEL = -999


def disturb(rows: pa.Table, key: str, fault: Fault | None, values: Iterable[str] = ()) -> pa.Table:
    """The rows as a fault leaves them; `fault.rows` says how many rows or ids are hit, the first ones.

    `key` is the column of ids that "duplicate_ids" doubles and "missing_ids" leaves out, `values` the columns that
    "sentinel" overwrites with -999. "capped" keeps `fault.rows` rows, "empty_product" none.
    """
    if fault is None:
        return rows
    if fault.kind in ("capped", "empty_product"):
        return rows.slice(0, fault.rows if fault.kind == "capped" else 0)
    if fault.kind == "sentinel":
        return _overwrite(rows, values, fault.rows)
    hit = pc.is_in(rows[key], rows[key].unique().slice(0, fault.rows)).to_numpy().astype(bool)
    times = {"duplicate_ids": 1 + hit, "missing_ids": 1 - hit}[fault.kind]
    return rows.take(pa.array(np.repeat(np.arange(len(rows)), times)))


def _overwrite(rows: pa.Table, values: Iterable[str], n: int) -> pa.Table:
    hit = pa.array(np.arange(len(rows)) < n)
    for name in values:
        index = rows.schema.get_field_index(name)
        field = rows.schema.field(index)
        column = pc.if_else(hit, pa.scalar(SENTINEL, field.type), rows.column(index))
        rows = rows.set_column(index, field, column)
    return rows
