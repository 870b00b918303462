"""Values and rows as the binary formats hold them: BINARY2 of VOTables, and FITS."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.replica.layouts import Layout
from tasks.replica.served import ServedColumn

BAND_LENGTH = 2  # characters of the one text column, a band's name
BINARY = {
    "long": ">i8",
    "int": ">i4",
    "short": ">i2",
    "double": ">f8",
    "float": ">f4",
    "boolean": "S1",
    "char": f"S{BAND_LENGTH}",
}


def binary_values(column: pa.Array | pa.ChunkedArray, served: ServedColumn) -> tuple[NDArray, NDArray[np.bool_]]:
    """Values of a column for a binary format, (N,), and where they are missing: there NaN, 0, "?" or an empty text."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    is_null = column.is_null().to_numpy(zero_copy_only=False)
    if served.datatype == "boolean":
        column = pc.fill_null(pc.if_else(column, "T", "F"), "?")
    else:
        column = pc.fill_null(column, {"char": "", "double": np.nan, "float": np.nan}.get(served.datatype, 0))
    return column.to_numpy(zero_copy_only=False).astype(BINARY[served.datatype]), is_null


def write_flat_rows(table: pa.Table, fields: Sequence[ServedColumn]) -> NDArray:
    """BINARY2 rows of a table without arrays: its null bits, then its values, big-endian."""
    types = [("mask", "u1", -(-len(fields) // 8)), *((column.name, BINARY[column.datatype]) for column in fields)]
    rows = np.zeros(len(table), types)
    for index, column in enumerate(fields):
        rows[column.name], is_null = binary_values(table[column.name], column)
        if column.datatype not in ("double", "float"):  # a missing number is NaN, as the service sends it
            rows["mask"][:, index // 8] |= np.where(is_null, 128 >> index % 8, 0).astype(np.uint8)
    return rows


def write_ragged_rows(table: pa.Table, layout: Layout) -> list[bytes]:
    """BINARY2 rows of a table with arrays: the length of an array goes before its values."""
    parts = [[bytes(-(-len(layout.columns) // 8))] for _ in range(len(table))]
    for column in layout.columns:
        cells = table[column.name].combine_chunks()
        is_array = column.name in layout.arrays
        values, _ = binary_values(pc.list_flatten(cells) if is_array else cells, column)
        data, size = values.tobytes(), values.dtype.itemsize
        bound = cells.offsets.to_numpy() if is_array else np.arange(len(table) + 1)
        length = np.diff(bound).astype(">i4").tobytes()
        byte = (bound * size).tolist()
        for row, part in enumerate(parts):
            if is_array:
                part.append(length[4 * row : 4 * row + 4])
            part.append(data[byte[row] : byte[row + 1]])
    return [b"".join(part) for part in parts]
