"""Tables that astropy reads whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from schemas.formats.numpy_columns import to_arrow


def read_astropy(table: Any) -> pa.RecordBatchReader:
    """The rows of an astropy table; times become the values of their format, other mixed columns are left out."""
    columns: dict[str, pa.Array] = {}
    for name in table.colnames:
        column = getattr(table[name], "value", table[name])  # of a time or a quantity
        if isinstance(column, np.ndarray):
            mask = np.ma.getmaskarray(column) if np.ma.isMaskedArray(column) else None
            array = to_arrow(np.ma.getdata(column), mask)
            if array is not None:
                columns[name] = array
    whole = pa.table(columns)
    return pa.RecordBatchReader.from_batches(whole.schema, whole.to_batches())
