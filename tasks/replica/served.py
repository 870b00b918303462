"""How a served table describes itself: names, datatypes, units and UCDs as the archive spells them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa

FOLDER = Path(__file__).parent / "columns"

# VOTable datatype -> Arrow type that holds it, and DuckDB's name of that type.
ARROW = {
    "long": pa.int64(),
    "int": pa.int32(),
    "short": pa.int16(),
    "double": pa.float64(),
    "float": pa.float32(),
    "boolean": pa.bool_(),
    "char": pa.string(),
}
DUCKDB = {
    "long": "BIGINT",
    "int": "INTEGER",
    "short": "SMALLINT",
    "double": "DOUBLE",
    "float": "FLOAT",
    "boolean": "BOOLEAN",
    "char": "VARCHAR",
}


@dataclass(frozen=True)
class ServedColumn:
    """One column: `name` in the archive's spelling, `datatype` a key of ARROW ("char": text of any length), `unit` in
    VOUnits, `ucd` and `doc`; None where the archive gives none. Where cells are arrays, `element` is the datatype of
    their elements; they are held as the text that a CSV shows, "(1.5, 2.0)", and `datatype` is "char"."""

    name: str
    datatype: str
    unit: str | None = None
    ucd: str | None = None
    doc: str = ""
    element: str | None = None

    def __post_init__(self) -> None:
        if self.datatype not in ARROW:
            raise ValueError(f"column {self.name}: datatype {self.datatype!r} is none of {', '.join(ARROW)}.")


@dataclass(frozen=True)
class ServedTable:
    """One table: `name` with its schema as the archive spells it ("gaiadr3.gaia_source"), `relation` the view of
    `Holdings.connect()` that answers for it (a plain lower-case word: no quotes needed), its columns in the archive's
    order. The view has exactly these columns, with these names and types."""

    name: str
    relation: str
    doc: str
    columns: tuple[ServedColumn, ...]

    @property
    def schema(self) -> pa.Schema:
        """Arrow schema of the view."""
        return pa.schema([(column.name, ARROW[column.datatype]) for column in self.columns])


@cache
def read_rows(name: str) -> tuple[dict[str, str], ...]:
    """Rows of the file `columns/<name>.csv` by column of the file."""
    with (FOLDER / f"{name}.csv").open(newline="") as lines:
        return tuple(csv.DictReader(lines))


@cache
def read_columns(name: str) -> tuple[ServedColumn, ...]:
    """The columns that the file `columns/<name>.csv` lists in order; an empty unit or UCD is None, and "float[]" is a
    column of arrays.

    ValueError for a datatype that is not served.
    """
    return tuple(_column(row) for row in read_rows(name))


def _column(row: dict[str, str]) -> ServedColumn:
    element = row["datatype"].removesuffix("[]") if row["datatype"].endswith("[]") else None
    datatype = "char" if element else row["datatype"]
    return ServedColumn(row["name"], datatype, row["unit"] or None, row["ucd"] or None, row["description"], element)


def declare_table(name: str, relation: str, doc: str) -> ServedTable:
    """The table `name`, with the columns of `columns/<relation>.csv`."""
    return ServedTable(name, relation, doc, read_columns(relation))
