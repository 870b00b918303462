"""The SQL over a file of epochs: one row per epoch from the long or the nested form. Values are always parameters.

Columns are called by their place in the file: SQL does not tell MAG from mag, and Parquet does.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.dataset import DatasetSpec
from schemas.errors import Guard, Problems
from schemas.files import is_list, value_type
from schemas.rejections import REJECTED, reject
from schemas.sql import match_only
from tasks.folder.columns import check_schema, require_id, require_number
from tasks.lightcurves.flags import BAD_QUALITY

ROLES = ("id", "time", "mag", "mag_err", "band", "flags")


@dataclass(frozen=True)
class Layout:
    """Columns of a file of epochs by role, which of them hold a list per row (the nested form), and all its columns."""

    columns: dict[str, str]
    lists: frozenset[str]
    names: tuple[str, ...]

    def sql(self, role: str) -> str:
        """The column with a role in a statement."""
        return f"c{self.names.index(self.columns[role])}"

    @property
    def table(self) -> str:
        """What a statement selects from; its parameter is the path of the file."""
        aliases = ", ".join(f"c{place}" for place in range(len(self.names)))
        return f"read_parquet(?, hive_partitioning = false) AS file({aliases})"


def layout(file: Path, spec: DatasetSpec, guard: Guard = nullcontext) -> Layout:
    """The layout of `file`; raises BadInput for columns that are missing or, each inside `guard`, of a wrong type."""
    given = {role: getattr(spec.lightcurves, role) for role in ROLES}
    columns = {role: name for role, name in given.items() if name is not None}
    schema = check_schema(file, {f"lightcurves.{role}": name for role, name in columns.items()}, guard)
    kinds = {role: schema.field(name).type for role, name in columns.items()}
    wrong = Problems()
    with wrong.collect():
        require_id(kinds["id"], f"{file}: column {columns['id']!r}")
    for role in ("time", "mag", "mag_err", "flags"):
        if role in kinds and not (role == "flags" and pa.types.is_boolean(value_type(kinds[role]))):
            with wrong.collect():
                require_number(kinds[role], f"{file}: column {columns[role]!r}")
    wrong.raise_each(guard)
    return Layout(columns, frozenset(role for role, kind in kinds.items() if is_list(kind)), tuple(schema.names))


def connect(scratch: str, setting: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A database in memory that fetches no extension and spills into `scratch` beyond its memory limit."""
    offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    plain = {"preserve_insertion_order": "false", "temp_directory": scratch}
    return duckdb.connect(config={**offline, **plain, **setting})


def row_query(file: Path, form: Layout) -> tuple[str, list[Any]]:
    """SELECT of one row per epoch with the columns of the file by role, and the values of its parameters."""
    chosen = ", ".join(
        f"unnest({form.sql(role)}) AS {role}" if role in form.lists else f"{form.sql(role)} AS {role}"
        for role in form.columns
    )
    complete = _equal_lengths(form)
    return f"SELECT {chosen} FROM {form.table}{f' WHERE {complete}' if complete else ''}", [match_only(file)]


def epoch_query(file: Path, form: Layout, band_values: Sequence[str]) -> tuple[str, list[Any]]:
    """SELECT of id, time, mag, mag_err, band (index into `band_values`, -1 for null), flags; no nulls but in id."""
    source, values = row_query(file, form)
    has = form.columns
    number = "coalesce(TRY_CAST({0} AS {1}), 'nan'::{1}) AS {0}"
    chosen = [
        "CAST(id AS VARCHAR) AS id",
        number.format("time", "DOUBLE"),
        number.format("mag", "FLOAT"),
        number.format("mag_err", "FLOAT") if "mag_err" in has else "'nan'::FLOAT AS mag_err",
        "CAST(coalesce(list_position(?, CAST(band AS VARCHAR)), 0) - 1 AS SMALLINT) AS band"
        if "band" in has
        else "0::SMALLINT AS band",
        f"CASE WHEN coalesce(TRY_CAST(flags AS DOUBLE), 0) = 0 THEN 0 ELSE {BAD_QUALITY} END::INTEGER AS flags"
        if "flags" in has
        else "0::INTEGER AS flags",
    ]
    first = [list(band_values)] if "band" in has else []
    return f"SELECT {', '.join(chosen)} FROM ({source})", [*first, *values]


def unequal_lengths(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, ids: pa.Array) -> pa.Table:
    """Reports of the objects in nested form whose lists differ in length: none of their epochs can be told apart."""
    complete = _equal_lengths(form)
    if not complete:
        return REJECTED.empty_table()
    con.register("asked", pa.table({"id": ids}))
    lengths = " || ' ' || ".join(_length(form, role) for role in form.columns if role in form.lists)
    found = con.execute(
        f"""SELECT CAST({form.sql("id")} AS VARCHAR) AS id, {lengths} AS lengths
            FROM {form.table} WHERE NOT ({complete}) AND CAST({form.sql("id")} AS VARCHAR)
            IN (SELECT id FROM asked) ORDER BY id, lengths""",
        [match_only(file)],
    ).to_arrow_table()
    names = " ".join(name for role, name in form.columns.items() if role in form.lists)
    return reject(file.name, found["id"].combine_chunks(), names, "length", found["lengths"])


def _equal_lengths(form: Layout) -> str:
    """Condition that all lists of a row are as long as its times; empty in the long form."""
    return " AND ".join(
        f"{_length(form, role)} = {_length(form, 'time')}"
        for role in form.columns
        if role in form.lists and role != "time"
    )


def _length(form: Layout, role: str) -> str:
    return f"coalesce(len({form.sql(role)}), 0)"
