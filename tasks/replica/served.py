"""How a served table describes itself: names, datatypes, units and UCDs as the archive spells them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

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
    VOUnits, `ucd` and `doc`; None where the archive gives none."""

    name: str
    datatype: str
    unit: str | None = None
    ucd: str | None = None
    doc: str = ""

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


def columns(text: str) -> tuple[ServedColumn, ...]:
    """Columns written one a line as ``name | datatype | unit | ucd | doc``; an empty field is None.

    A line that begins with a space goes on with the one before. ValueError for a line that is no column.

    >>> columns("ra | double | deg | pos.eq.ra | Right ascension")[0].unit
    'deg'
    """
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith(" ") and lines:
            lines[-1] += f" {line.strip()}"
        elif line.strip():
            lines.append(line)
    return tuple(_column(line) for line in lines)


def _column(line: str) -> ServedColumn:
    fields = [part.strip() for part in line.split("|", 4)]
    if len(fields) != 5:
        raise ValueError(f"column {line!r}: write it as name | datatype | unit | ucd | doc.")
    name, datatype, unit, ucd, doc = fields
    return ServedColumn(name, datatype, unit or None, ucd or None, doc)
