"""How a served table lies on disk, and how rows become its Parquet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike

from tasks.replica.served import ARROW, DUCKDB, ServedTable


@dataclass(frozen=True)
class Held:
    """A served table and its file.

    `file` is the stem of a Parquet file sorted by `order` (SQL); several tables may be views of one file, and then only
    the first writes it. `late` are columns that need every row (SQL by name); a column of rows whose name begins with
    an underscore is there for them and is not kept. `given` are served columns that are not kept as such (SQL over the
    kept ones, by name). A served column that is neither kept, late nor given is null: the archive has it, we do not.
    """

    table: ServedTable
    file: str
    order: str
    late: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, str] = field(default_factory=dict)
    row_group: int = 122_880

    def rows(self, values: Mapping[str, ArrayLike]) -> pa.Table:
        """Rows of the file from arrays by column name; NaN and masks become null. KeyError for a column not served."""
        arrow = {column.name: ARROW[column.datatype] for column in self.table.columns}
        unknown = [name for name in values if name not in arrow and not name.startswith("_")]
        if unknown:
            raise KeyError(f"{self.table.name}: no column {unknown[0]!r} is served.")
        return pa.table({name: _array(value, arrow.get(name)) for name, value in values.items()})

    def sorting(self, source: str) -> str:
        """SQL that gives the rows of the file at `source` (quoted) in order, with the late columns."""
        late = "".join(
            f', CAST({sql} AS {DUCKDB[column.datatype]}) AS "{column.name}"'
            for column in self.table.columns
            if (sql := self.late.get(column.name))
        )
        return f"SELECT COLUMNS('^[^_]'){late} FROM read_parquet({source}) ORDER BY {self.order}"

    def view(self, source: str, kept: set[str]) -> str:
        """SQL of the view of the served table over the file at `source` (quoted) that holds the columns `kept`."""
        columns = ", ".join(
            f"CAST({self.given.get(column.name, _quote(column.name) if column.name in kept else 'NULL')}"
            f' AS {DUCKDB[column.datatype]}) AS "{column.name}"'
            for column in self.table.columns
        )
        return f"CREATE VIEW {self.table.relation} AS SELECT {columns} FROM read_parquet({source})"


def _quote(name: str) -> str:
    return f'"{name}"'


def sql_text(value: str) -> str:
    """A text literal in SQL."""
    return "'" + value.replace("'", "''") + "'"


def _array(value: ArrayLike, kind: pa.DataType | None) -> pa.Array:
    if isinstance(value, pa.Array):
        return value.cast(kind)
    mask = np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else None
    plain = np.ma.getdata(value) if mask is not None else np.asarray(value)
    if kind is not None and pa.types.is_floating(kind):
        plain = plain.astype(kind.to_pandas_dtype(), copy=False)
    return pa.array(plain, kind, mask=mask, from_pandas=True)
