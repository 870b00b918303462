"""What is refused, and the form in which it is reported: one row per refused row of a file.

Limits are generous: they tell sentinels (-999, 99.99), other units and garbage from measurements, nothing finer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

REJECTED = pa.schema([(name, pa.string()) for name in ("table", "key", "column", "check", "value", "object_id")])

MAG_RANGE = (-5.0, 40.0)  # exclusive; Venus is -4.9, the deepest fields end near 31
PHASE_RANGE = (-1.0, 2.0)


def report_rejected(table: str, object_id: pa.Array, column: str, check: str, value: Any, key: Any = None) -> pa.Table:
    """Rows of the report: `object_id` (K,) of the refused rows, their values as text, and their keys (default: the id).

    `check` is the check that they failed: finite, positive, range, unknown_band, duplicate, null_id, no_epochs, ...
    """
    ids = pc.cast(object_id, pa.string())
    fields = {
        "table": table,
        "key": ids if key is None else key,
        "column": column,
        "check": check,
        "value": value,
        "object_id": ids,
    }
    return pa.table([_column(fields[name], len(ids)) for name in REJECTED.names], schema=REJECTED)


def join_reports(tables: Iterable[pa.Table]) -> pa.Table:
    """One report of several, in a single chunk."""
    return pa.concat_tables([REJECTED.empty_table(), *tables]).combine_chunks()


def as_text(values: NDArray) -> pa.Array:
    """Numbers as the shortest text that gives them back; "nan" for NaN."""
    return pc.cast(pa.array(values), pa.string())


def number_repeats(key: pa.Array) -> pa.Array:
    """`key` made unique: the second row with a key gets " #2", the third " #3", in order."""
    code = key.dictionary_encode().indices.to_numpy()
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(code[order]) != 0]))
    rank = np.empty(code.size, np.int64)
    rank[order] = np.arange(code.size) - np.repeat(starts, np.diff(np.append(starts, code.size)))
    suffix = pc.if_else(pa.array(rank > 0), pc.binary_join_element_wise(" #", as_text(rank + 1), ""), "")
    return pc.binary_join_element_wise(key, suffix, "")


def _column(value: Any, rows: int) -> pa.Array:
    if isinstance(value, pa.ChunkedArray):
        value = value.combine_chunks()
    if isinstance(value, pa.Array):
        return pc.cast(value, pa.string())
    return pa.repeat(pa.scalar(value, pa.string()), rows)
