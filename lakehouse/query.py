"""The whole lake in DuckDB: every table a view by its name, `table@3` for version 3.

DuckDB's own delta extension would have to be downloaded. Here the Delta log, read by deltalake, says which Parquet
files a version has, and DuckDB reads those files itself; extensions are neither installed nor loaded on demand.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lakehouse.delta.commit import list_live_files
from lakehouse.delta.reference import Version
from lakehouse.delta.store import Lake
from schemas import TABLES, BadInput, Column
from schemas.sql import quote_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",  # a name in SQL is a table of the lake, never a Python variable
}
QUOTED = r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?\*/"
AT_VERSION = re.compile(rf"({QUOTED})|\b(\w+__\w+)@(\d+)\b", re.DOTALL)
WORD = re.compile(r"\b\w+__\w+\b")
SQL_TYPES = {
    "string": "VARCHAR", "large_string": "VARCHAR", "bool": "BOOLEAN", "int8": "TINYINT", "int16": "SMALLINT",
    "int32": "INTEGER", "int64": "BIGINT", "float": "FLOAT", "double": "DOUBLE",
    "timestamp[us, tz=UTC]": "TIMESTAMPTZ", "date32[day]": "DATE",
}  # fmt: skip


@dataclass(frozen=True)
class Description:
    """What a table of the lake is: meaning, newest version, rows, columns and history."""

    name: str
    doc: str
    version: int
    rows: int
    columns: tuple[Column, ...]
    versions: tuple[Version, ...]


def connect(
    lake: Lake | str | Path, versions: Mapping[str, int] | None = None, tables: Iterable[str] | None = None
) -> DuckDBPyConnection:
    """An in-memory DuckDB with a view per table of the lake (or per name in `tables`), all of the newest version.

    `versions` pins tables to older versions. The views stand for the versions of this moment: open a new connection
    to see later commits.
    """
    import duckdb

    lake = lake if isinstance(lake, Lake) else Lake(lake)
    connection = duckdb.connect(config=OFFLINE)
    connection.execute("SET TimeZone = 'UTC'")
    for name in lake.tables() if tables is None else tables:
        add_view(connection, lake, name, name, (versions or {}).get(name))
    return connection


def run_sql(lake: Lake | str | Path, sql: str) -> pa.Table:
    """Result of one SQL query over the lake. BadInput, in one sentence, for a query that DuckDB refuses."""
    import duckdb

    lake = lake if isinstance(lake, Lake) else Lake(lake)
    text, old = quote_versions(sql)
    present = set(lake.tables())
    # Opening a table costs a few milliseconds, so only the tables that the query names are.
    named = present & set(WORD.findall(text))
    connection = connect(lake, tables=sorted(named or present))
    for name, version in sorted(old):
        _refuse_unknown(lake, name)
        add_view(connection, lake, f"{name}@{version}", name, version)
    if not text.strip(" ;\n\t"):
        raise BadInput("The query is empty: write one, such as SELECT * FROM out__catalogue LIMIT 5.")
    try:
        return connection.execute(text).to_arrow_table()
    except duckdb.Error as error:
        raise BadInput(_sentence(lake, text, str(error))) from error


def quote_versions(sql: str) -> tuple[str, set[tuple[str, int]]]:
    """The query with each `table@3` quoted as an identifier, and the (table, version) pairs it names."""
    old: set[tuple[str, int]] = set()

    def quote(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        old.add((found[2], int(found[3])))
        return f'"{found[2]}@{found[3]}"'

    return AT_VERSION.sub(quote, sql), old


def add_view(connection: DuckDBPyConnection, lake: Lake, view: str, name: str, version: int | None = None) -> None:
    """Makes `view` show `name` at `version`; a column that no file of that version has reads null."""
    table = lake.open(name, version)
    schema = pa.schema(table.schema().to_arrow())
    files = [str(lake.folder(name) / file.path).replace("'", "''") for file in list_live_files(table)]
    if not files:
        columns = ", ".join(f"CAST(NULL AS {_sql_type(field.type)}) AS {quote_name(field.name)}" for field in schema)
        connection.execute(f"CREATE VIEW {quote_name(view)} AS SELECT {columns} WHERE false")
        return
    partition = ", ".join(
        f"{quote_name(f)}: {_sql_type(schema.field(f).type)}" for f in table.metadata().partition_columns
    )
    paths = ", ".join(f"'{path}'" for path in files)
    source = f"read_parquet([{paths}], union_by_name=true, hive_partitioning=true, hive_types={{{partition}}})"
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    columns = ", ".join(
        quote_name(field.name)
        if field.name in found
        else f"CAST(NULL AS {_sql_type(field.type)}) AS {quote_name(field.name)}"
        for field in schema
    )
    connection.execute(f"CREATE VIEW {quote_name(view)} AS SELECT {columns} FROM {source}")


def describe(lake: Lake | str | Path, name: str) -> Description:
    """Columns with unit, UCD and meaning, rows and versions of one table. BadInput for a name the lake lacks."""
    lake = lake if isinstance(lake, Lake) else Lake(lake)
    _refuse_unknown(lake, name)
    table = lake.open(name)
    schema = pa.schema(table.schema().to_arrow())
    return Description(
        name,
        TABLES[name].doc if name in TABLES else table.metadata().description or "",
        table.version(),
        sum(file.rows for file in list_live_files(table)),
        tuple(_column(name, field) for field in schema),
        tuple(lake.versions(name)),
    )


def _column(name: str, field: pa.Field) -> Column:
    if name in TABLES and (declared := TABLES[name].columns_by_name.get(field.name)):
        return declared
    notes = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
    doc, unit, ucd = (notes.get(note, "") for note in ("description", "unit", "ucd"))
    return Column(field.name, field.type, doc, unit, ucd, field.nullable)


def _refuse_unknown(lake: Lake, name: str) -> None:
    tables = lake.tables()
    if name not in tables:
        raise BadInput(f"The lake has no table {name}{_nearest(name, tables)}; it has {', '.join(tables) or 'none'}.")


def _sentence(lake: Lake, sql: str, message: str) -> str:
    tables = lake.tables()
    unknown = re.search(r"Table with name (\S+) does not exist", message)
    if unknown:
        name = unknown[1]
        return f"The lake has no table {name}{_nearest(name, tables)}; it has {', '.join(tables) or 'none'}."
    first, *others = [line.strip() for line in message.split("\n") if line.strip()]
    hints = [line for line in others if line.startswith(("Candidate", "Did you mean"))]
    return f"The query failed: {' '.join([first, *hints])}".rstrip(".") + "."


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), 1)
    return f" (did you mean {close[0]}?)" if close else ""


def _sql_type(kind: Any) -> str:
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _sql_type(kind.value_type) + "[]"
    return SQL_TYPES[str(kind)]
