"""One column of a table: name, Arrow type, unit (VOUnit), UCD1+, meaning, nullability, valid range, and its sources."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pyarrow as pa


@dataclass(frozen=True)
class Column:
    """A column, or a family of columns when its name holds a placeholder such as ``prob_{class}``.

    `unit` is a VOUnit string, "" for a dimensionless or non-numeric column; `ucd` is UCD1+.
    `range` is (lowest, highest), both inclusive, None where open; NaN never passes a range. `derived_from` holds the
    values of catalogues that the column was computed with, each as "table.column" (`TableSpec.path_of`). `is_bound` is
    set by `TableSpec.bind`: the name is what it is, braces included.
    """

    name: str
    type: pa.DataType
    doc: str
    unit: str = ""
    ucd: str = ""
    nullable: bool = False
    range: tuple[float | None, float | None] | None = None
    derived_from: tuple[str, ...] = ()
    is_bound: bool = field(default=False, compare=False)

    @property
    def is_family(self) -> bool:
        """True for a template that `TableSpec.bind` replaces by concrete columns, whose names may hold braces too."""
        return not self.is_bound and "{" in self.name

    @property
    def is_list(self) -> bool:
        """True for a ragged column (one list per row)."""
        return pa.types.is_list(self.type) or pa.types.is_large_list(self.type)

    def shares_source(self, values: Collection[str]) -> bool:
        """Whether the column was computed with one of these values of catalogues, each as "table.column"."""
        return not set(self.derived_from).isdisjoint(values)

    def rename(self, name: str, doc: str | None = None) -> Column:
        """The same column under another name: how a family becomes concrete."""
        return replace(self, name=name, doc=doc or self.doc)

    def field(self) -> pa.Field:
        """Arrow field whose metadata carries unit, UCD and meaning."""
        return pa.field(
            self.name, self.type, self.nullable, metadata={"unit": self.unit, "ucd": self.ucd, "description": self.doc}
        )
