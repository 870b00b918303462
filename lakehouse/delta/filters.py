"""Which rows, and which files can hold them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.files import DataFile, partition_text
from schemas import TableSpec

Where: TypeAlias = pc.Expression | Mapping[str, Any] | None


def to_expression(where: Where) -> pc.Expression | None:
    """A pyarrow filter; of {column: value or values} each must hold."""
    if where is None or isinstance(where, pc.Expression):
        return where
    result = None
    for name, value in where.items():
        term = _is_in(name, value)
        result = term if result is None else result & term
    return result


def _is_in(name: str, value: Any) -> pc.Expression:
    if isinstance(value, (set, frozenset)):
        value = list(value)
    if isinstance(value, (list, tuple, np.ndarray)):
        value = pa.array(value)
    return pc.field(name).isin(value) if isinstance(value, (pa.Array, pa.ChunkedArray)) else pc.field(name) == value


def select_partition(spec: TableSpec, files: Iterable[DataFile], partition: Mapping[str, Any]) -> list[DataFile]:
    """The files of one partition; all of them where `partition` is empty."""
    stray = [name for name in partition if name not in spec.partition]
    if stray:
        raise ValueError(f"{spec.name} is not partitioned by {stray[0]!r}, but by {', '.join(spec.partition)}.")
    values = {name: partition_text(spec, name, value) for name, value in partition.items()}
    return [file for file in files if values.items() <= file.partition.items()]


def select_touched(files: Iterable[DataFile], ids: NDArray[np.int64] | None) -> list[DataFile]:
    """The files whose span of source_ids holds one of the sorted `ids` (R,); all of them where `ids` is None."""
    if ids is None:
        return list(files)
    return [file for file in files if _may_hold(file, ids)]


def _may_hold(file: DataFile, ids: NDArray[np.int64]) -> bool:
    if file.lowest is None or file.highest is None:
        return True
    return bool(np.searchsorted(ids, file.lowest, "left") < np.searchsorted(ids, file.highest, "right"))
