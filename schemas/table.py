"""One declaration per table; everything that must agree about a table is derived from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from schemas.column import Column

if TYPE_CHECKING:
    import pandera.pandas as pandera
    from astropy.io.votable.tree import VOTableFile

DATASET = Column("dataset", pa.string(), "Name of the dataset the row belongs to.", ucd="meta.dataset")
TILE = Column(
    "tile",
    pa.int32(),
    "Nested HEALPix cell that holds the source; of a hash of the id where it has no position.",
    ucd="pos.healpix",
    range=(0, None),
)
SOURCE_ID = Column(
    "source_id",
    pa.int64(),
    "Gaia source_id, or a stable 63-bit hash of (dataset, object_id).",
    ucd="meta.id;meta.main",
    range=(0, None),
)


@dataclass(frozen=True)
class TableSpec:
    """Name, version, meaning, columns, key and partition of a table.

    Raise `version` whenever a name, type or unit changes; schema.lock.json holds the released ones.
    """

    name: str
    version: int
    doc: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition: tuple[str, ...] = ("dataset", "tile")

    @property
    def columns_by_name(self) -> dict[str, Column]:
        """Columns by their names, in order."""
        return {column.name: column for column in self.columns}

    def path_of(self, column: str) -> str:
        """The column as "table.column", which names it among those of all tables; KeyError where there is none."""
        return f"{self.name}.{self.columns_by_name[column].name}"

    @property
    def families(self) -> tuple[Column, ...]:
        """The templates among the columns."""
        return tuple(column for column in self.columns if column.is_family)

    def bind(self, columns: Iterable[Column]) -> TableSpec:
        """This table with its families replaced by concrete `columns`.

        Raises ValueError for a column that no family of the table allows: a table cannot grow unannounced.
        """
        bound = tuple(replace(column, is_bound=True) for column in columns)
        templates = [re.compile(re.sub(r"\\{\w+\\}", ".+", re.escape(family.name)) + "$") for family in self.families]
        stray = [c.name for c in bound if not any(t.match(c.name) for t in templates)]
        if stray:
            raise ValueError(f"{self.name}: {stray[0]!r} fits none of its families {[f.name for f in self.families]}.")
        return replace(self, columns=tuple(c for c in self.columns if not c.is_family) + bound)

    def arrow(self) -> pa.Schema:
        """Arrow schema of the concrete columns; families are left out until bound."""
        return pa.schema(
            [column.field() for column in self.columns if not column.is_family],
            metadata={"table": self.name, "version": str(self.version), "description": self.doc},
        )

    def empty(self) -> pa.Table:
        """A table of this shape with no rows."""
        return self.arrow().empty_table()

    def pandera(self) -> pandera.DataFrameSchema:
        """Pandera schema of the scalar columns; validate with ``lazy=True`` to see every bad row at once.

        List columns are left out: their readers check them, epoch by epoch.
        """
        from schemas.validation import dataframe_schema

        return dataframe_schema(self)

    def votable(self, table: pa.Table) -> VOTableFile:
        """An astropy VOTableFile of the scalar columns of `table`, with units, UCDs and descriptions; no rows."""
        from schemas.votable import votable

        return votable(self, table)
