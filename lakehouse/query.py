"""The whole lake in DuckDB: every table a view by its name, `table@3` for version 3.

DuckDB's own delta extension would have to be downloaded. Here the Delta log, read by deltalake, says which Parquet
files a version has, and DuckDB reads those files itself; extensions are neither installed nor loaded on demand.

DuckDB takes `[1]` in a path for a pattern and `survey=gaia` for a column, so it sees the tables through a link of a
plain name. The link is also all that a confined query may read.
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
from lakehouse.delta.damage import damage
from lakehouse.delta.reference import Version
from lakehouse.delta.store import TABLE_FOLDER, Lake
from lakehouse.disk import plain_link
from schemas import TABLES, BadInput, Column
from schemas.sql import quote_name, quote_text

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
    to see later commits. The connection is not confined: it is for SQL of your own.
    """
    lake = lake if isinstance(lake, Lake) else Lake(lake)
    chosen = lake.tables() if tables is None else tables
    return _connect(lake, {name: (name, (versions or {}).get(name)) for name in chosen})[0]


def run_sql(lake: Lake | str | Path, sql: str, read_only: bool = True) -> pa.Table:
    """Result of one SQL query over the lake. BadInput, in one sentence, for a query that DuckDB refuses.

    With `read_only` the query is confined, whoever wrote it: it selects, from tables of the lake alone. Nothing is
    written, attached, installed or set, and no other file is read.
    """
    import duckdb

    lake = lake if isinstance(lake, Lake) else Lake(lake)
    text, old = quote_versions(sql)
    if not text.strip(" ;\n\t"):
        raise BadInput("The query is empty: write one, such as SELECT * FROM out__catalogue LIMIT 5.")
    views: dict[str, tuple[str, int | None]] = {name: (name, None) for name in _named_tables(lake, text)}
    for name, version in sorted(old):
        _refuse_unknown(lake, name)
        views[f"{name}@{version}"] = name, version
    connection, folder = _connect(lake, views)
    try:
        if read_only:
            _confine(connection, folder, text)
        return connection.execute(text).to_arrow_table()
    except duckdb.Error as error:
        raise _explain(lake, folder, error) from error


def _explain(lake: Lake, folder: Path, error: Exception) -> BadInput:
    """The sentence about a query that DuckDB refused; `folder` is where it read the tables of the lake."""
    import duckdb

    message = str(error)
    in_table = re.search(rf"{re.escape(str(folder))}/(\w+)/", message)
    if in_table and not isinstance(error, duckdb.PermissionException | duckdb.ParserException | duckdb.BinderException):
        return damage(lake.folder(in_table[1]), error)
    return BadInput(_sentence(lake, message.replace(str(folder), str(lake.path / TABLE_FOLDER))))


def _named_tables(lake: Lake, text: str) -> list[str]:
    """The tables that the query names, or all: opening one costs a few milliseconds."""
    present = set(lake.tables())
    return sorted(present & set(WORD.findall(text)) or present)


def _connect(lake: Lake, views: Mapping[str, tuple[str, int | None]]) -> tuple[DuckDBPyConnection, Path]:
    """A connection with these views of (table, version), and the link through which it reads."""
    import duckdb

    connection, folder = duckdb.connect(config=OFFLINE), plain_link(lake.path / TABLE_FOLDER)
    connection.execute("SET TimeZone = 'UTC'")
    for view, (name, version) in views.items():
        add_view(connection, lake, folder, view, name, version)
    return connection, folder


def _confine(connection: DuckDBPyConnection, folder: Path, text: str) -> None:
    """From here on the connection reads below `folder` and nothing else; BadInput where `text` does not only select."""
    import duckdb

    connection.execute(f"SET allowed_directories = [{quote_text(f'{folder}/')}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    kinds = {statement.type for statement in connection.extract_statements(text)}
    if others := sorted(kind.name for kind in kinds - {duckdb.StatementType.SELECT}):
        raise BadInput(f"The query is confined to SELECT and has {', '.join(others)}: nothing was run.")


def quote_versions(sql: str) -> tuple[str, set[tuple[str, int]]]:
    """The query with each `table@3` quoted as an identifier, and the (table, version) pairs it names."""
    old: set[tuple[str, int]] = set()

    def quote(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        old.add((found[2], int(found[3])))
        return f'"{found[2]}@{found[3]}"'

    return AT_VERSION.sub(quote, sql), old


def add_view(
    connection: DuckDBPyConnection, lake: Lake, folder: Path, view: str, name: str, version: int | None = None
) -> None:
    """Makes `view` show `name` at `version`; a column that no file of that version has reads null.

    `folder` is where the connection reads the tables of the lake.
    """
    table = lake.open(name, version)
    schema = pa.schema(table.schema().to_arrow())
    files = [quote_text(str(folder / name / file.path)) for file in list_live_files(table)]
    if not files:
        columns = ", ".join(f"CAST(NULL AS {_sql_type(field.type)}) AS {quote_name(field.name)}" for field in schema)
        connection.execute(f"CREATE VIEW {quote_name(view)} AS SELECT {columns} WHERE false")
        return
    partition = ", ".join(
        f"{quote_name(f)}: {_sql_type(schema.field(f).type)}" for f in table.metadata().partition_columns
    )
    source = (
        f"read_parquet([{', '.join(files)}], union_by_name=true, hive_partitioning=true, hive_types={{{partition}}})"
    )
    found = _list_columns(connection, source, lake.folder(name))
    columns = ", ".join(
        quote_name(field.name)
        if field.name in found
        else f"CAST(NULL AS {_sql_type(field.type)}) AS {quote_name(field.name)}"
        for field in schema
    )
    connection.execute(f"CREATE VIEW {quote_name(view)} AS SELECT {columns} FROM {source}")


def _list_columns(connection: DuckDBPyConnection, source: str, table: Path) -> set[str]:
    import duckdb

    try:
        return {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    except duckdb.Error as error:
        raise damage(table, error) from error


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


def _sentence(lake: Lake, message: str) -> str:
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
