"""What is refused, as rows of a report: which object, of which table, which value failed which check."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tasks.surveys.survey import REJECTED


def reject(table: str, object_id: Any, column: str, check: str, value: Any = None, key: Any = None) -> pa.Table:
    """Rows of REJECTED for `object_id` (K,); `value` and `key` are (K,) or one for all; the key is the id by default.

    `check` says what was failed: finite, range, duplicate, unknown_id, no_product, ... Keys must differ within one
    table, column and check: they name the row in the quarantine.
    """
    ids = pc.cast(pa.array(object_id), pa.string())
    fields = {"object_id": ids, "table": table, "key": ids if key is None else key, "column": column, "check": check,
              "value": value}  # fmt: skip
    return pa.table([_column(fields[name], len(ids)) for name in REJECTED.names], schema=REJECTED)


def join_reports(*reports: pa.Table) -> pa.Table:
    """One report of several."""
    return pa.concat_tables([REJECTED.empty_table(), *reports]).combine_chunks()


def number_repeats(key: pa.ChunkedArray) -> pa.ChunkedArray:
    """`key` (K,) made different: the second of equal keys gets " #2" behind it, the third " #3", in order."""
    code = key.combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.argsort(code, kind="stable")
    place = np.arange(code.size)
    starts = np.maximum.accumulate(np.where(np.diff(code[order], prepend=-1) != 0, place, 0))
    rank = np.empty(code.size, np.int64)
    rank[order] = place - starts + 1
    text = pc.binary_join_element_wise(" #", pc.cast(pa.array(rank), pa.string()), "")
    return pc.binary_join_element_wise(key, pc.if_else(pa.array(rank > 1), text, ""), "")


def _column(value: Any, rows: int) -> pa.Array:
    if value is None or isinstance(value, str):
        return pa.repeat(pa.scalar(value, pa.string()), rows)
    if isinstance(value, pa.ChunkedArray):
        value = value.combine_chunks()
    return pc.cast(pa.array(value), pa.string())
