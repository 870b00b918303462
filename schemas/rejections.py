"""What readers refuse, as rows of a report for the quarantine: of which object and table which value failed what.

Archives and folders report alike; the stage that commits a report puts the sources to its objects.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# The columns of the quarantine, with the object's own id in place of the source's.
REJECTED = pa.schema([(name, pa.string()) for name in ("object_id", "table", "key", "column", "check", "value")])


def reject(table: str, object_id: Any, column: str, check: str, value: Any = None, key: Any = None) -> pa.Table:
    """Rows of REJECTED for `object_id` (K,); `value` and `key` are (K,) or one for all; the key is the id by default.

    `check` names the check that failed: finite, range, duplicate, null_id, no_product, flux (not positive),
    upper_limit, ... Keys must differ within one
    table, column and check: they name the row in the quarantine.
    """
    ids = _texts(object_id, 0)
    fields = {"object_id": ids, "key": ids if key is None else key, "value": value}
    fields |= {"table": table, "column": column, "check": check}
    return pa.table([_texts(fields[name], len(ids)) for name in REJECTED.names], schema=REJECTED)


def join_reports(*reports: pa.Table) -> pa.Table:
    """One report of several, in a single chunk."""
    return pa.concat_tables([REJECTED.empty_table(), *reports]).combine_chunks()


def number_repeats(key: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`key` (K,) made unique: the second of equal keys gets " #2" behind it, the third " #3", in order."""
    key = key.combine_chunks() if isinstance(key, pa.ChunkedArray) else key
    code = key.dictionary_encode().indices.to_numpy()
    order = np.argsort(code, kind="stable")
    starts = np.flatnonzero(np.diff(code[order], prepend=-1))
    rank = np.empty(code.size, np.int64)
    rank[order] = np.arange(code.size) - np.repeat(starts, np.diff(starts, append=code.size))
    suffix = pc.if_else(pa.array(rank > 0), pc.binary_join_element_wise(" #", _texts(rank + 1, 0), ""), "")
    return pc.binary_join_element_wise(key, suffix, "")


def _texts(value: Any, n: int) -> pa.Array:
    """Values as text; one text, or null, `n` times."""
    if value is None or isinstance(value, str):
        return pa.repeat(pa.scalar(value, pa.string()), n)
    if isinstance(value, pa.ChunkedArray):
        value = value.combine_chunks()
    return pc.cast(pa.array(value), pa.string())
