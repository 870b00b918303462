"""Columns of numpy, as FITS and astropy give them, in Arrow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def to_arrow(values: Any, mask: NDArray[np.bool_] | None = None) -> pa.Array | None:
    """`values` (N,) or (N, k) as an array, lists where there are k in a row; None for what no column can be.

    Text loses blanks around it and is null where it is empty; `mask` (N,) or (N, k) is true where there is none.
    """
    values = np.asarray(values)
    if values.dtype.kind == "O":
        return _objects(values, mask)
    if values.ndim > 2 or values.dtype.kind not in "biufSU":
        return None
    if values.ndim == 2:
        items = to_arrow(values.ravel(), None if mask is None else mask.ravel())
        offsets = np.arange(0, values.size + 1, values.shape[1] or 1)[: len(values) + 1]
        return None if items is None else pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), items)
    if values.dtype.kind in "SU":
        return _texts(values, mask)
    native = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    return pa.array(native, mask=mask)


def _texts(values: NDArray, mask: NDArray[np.bool_] | None) -> pa.Array:
    words = np.char.strip(np.char.decode(values, "utf-8", "replace") if values.dtype.kind == "S" else values)
    is_empty = words == ""
    return pa.array(words.astype(object), pa.string(), mask=is_empty if mask is None else is_empty | mask)


def _objects(values: NDArray, mask: NDArray[np.bool_] | None) -> pa.Array | None:
    """Lists of different lengths, or words."""
    hidden = np.zeros(len(values), bool) if mask is None or mask.ndim != 1 else mask
    cells = [None if gone else _cell(value) for value, gone in zip(values, hidden, strict=True)]
    try:
        return pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return None


def _cell(value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, np.ndarray):
        return np.ma.filled(value.astype(float), np.nan) if np.ma.isMaskedArray(value) else value.tolist()
    return value
