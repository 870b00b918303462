"""TAP_SCHEMA (TAP 1.1, section 4): the tables of a service as tables that its own queries can read."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from tasks.replica.served import ServedColumn, ServedTable
from tasks.replica.vosi import INDEXED, TAP_TYPES, schema_of

NAME = "tap_schema"


def _table(name: str, doc: str, columns: str) -> ServedTable:
    """A table of TAP_SCHEMA, from the names of its columns; those after "|" are numbers, the others text."""
    texts, _, numbers = columns.partition("|")
    served = [ServedColumn(one, "char") for one in texts.split()] + [
        ServedColumn(one, "int") for one in numbers.split()
    ]
    return ServedTable(f"TAP_SCHEMA.{name}", f"{NAME}_{name}", doc, tuple(served))


SCHEMAS = _table("schemas", "Schemas of this service.", "schema_name utype description")
TABLES = _table("tables", "Tables of this service.", "schema_name table_name table_type utype description|table_index")
COLUMNS = _table(
    "columns",
    "Columns of this service's tables.",
    "table_name column_name utype ucd unit description datatype arraysize xtype"
    "|size principal indexed std column_index",
)
EVERY = {table.name.lower(): table for table in (SCHEMAS, TABLES, COLUMNS)}


def attach(cursor: duckdb.DuckDBPyConnection, tables: Iterable[ServedTable]) -> None:
    """Register what TAP_SCHEMA says of `tables`, and of itself, with a session."""
    every = [*tables, *EVERY.values()]
    schemas = [{"schema_name": name, "description": ""} for name in dict.fromkeys(map(schema_of, every))]
    listed = [
        {"schema_name": schema_of(one), "table_name": one.name, "table_type": "table", "description": one.doc}
        for one in every
    ]
    columns = [_column(one, column, index) for one in every for index, column in enumerate(one.columns)]
    for table, rows in ((SCHEMAS, schemas), (TABLES, listed), (COLUMNS, columns)):
        cursor.register(table.relation, pa.Table.from_pylist(rows, table.schema))


def _column(table: ServedTable, column: ServedColumn, index: int) -> dict[str, str | int | None]:
    return {
        "table_name": table.name,
        "column_name": column.name,
        "ucd": column.ucd,
        "unit": column.unit,
        "description": column.doc,
        "datatype": TAP_TYPES[column.element or column.datatype],
        "arraysize": "*" if column.datatype == "char" else None,
        "principal": 1,
        "indexed": int(column.name.lower() in INDEXED),
        "std": 0,
        "column_index": index,
    }
