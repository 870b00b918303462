"""Columns of somebody else's Parquet file: found or complained about, and turned into the types we use.

Columns are called by their place in the file: SQL does not tell MAG from mag, and Parquet does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import BadInput
from schemas.errors import Guard, Problems, nearest
from schemas.files import parquet_schema, unreadable
from schemas.sql import match_only
from schemas.values import LIMIT, NOTHING, find_mask, identity, is_text, number, unmask, value_type, word

MIN_NUMBERS = 0.5  # share of the words of a column of text that must be numbers, where numbers are wanted
NONE: Mapping[str, str] = {}


def connect(**setting: Any) -> duckdb.DuckDBPyConnection:
    """A database in memory that fetches no extension and prints nothing."""
    offline = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}
    con = duckdb.connect(config={**offline, **setting})
    con.execute("SET enable_progress_bar = false")
    return con


def check_schema(file: Path, wanted: Mapping[str, str], guard: Guard = nullcontext) -> pa.Schema:
    """Schema of `file`, which must hold the column of each role in `wanted` (role to column name) once.

    Raises BadInput where the file is missing or a column is: with what there is and the nearest name, for the first,
    and for each inside `guard`.
    """
    schema = parquet_schema(file)
    wrong = Problems()
    for role, name in wanted.items():
        with wrong.collect():
            _require_one(file, role, name, schema.names)
    wrong.raise_each(guard)
    return schema


def _require_one(file: Path, role: str, name: str, names: list[str]) -> None:
    if names.count(name) > 1:
        raise BadInput(f"{file} has more than one column {name!r} ({role}): give them names that differ.")
    if name not in names:
        raise BadInput(
            f"{file} has no column {name!r} ({role}); it has {', '.join(names)}."
            f"{nearest(name, names)} Rename it, or name another as {role} in dataset.toml."
        )


def name_place(name: str, names: list[str] | tuple[str, ...]) -> str:
    """The column `name` of a file with these columns in a statement."""
    return f"c{names.index(name)}"


def name_table(names: list[str] | tuple[str, ...]) -> str:
    """What a statement selects from; its parameter is the path of the file, as `match_only` gives it."""
    return f"read_parquet(?, hive_partitioning = false) AS file({', '.join(f'c{k}' for k in range(len(names)))})"


def read_columns(
    file: Path,
    *,
    ids: Mapping[str, str] = NONE,
    words: Mapping[str, str] = NONE,
    numbers: Mapping[str, str] = NONE,
    guard: Guard = nullcontext,
) -> pa.Table:
    """Columns of `file` by their roles (role to column name), in the order of its rows, without what is masked.

    Ids and words are text without blanks around it, numbers float64. Raises BadInput for a column that is missing, and
    for each that is no number where it must be one inside `guard`.
    """
    schema = check_schema(file, {**ids, **words, **numbers})
    takers: dict[str, tuple[Callable[[str, pa.DataType], str], str]] = {}
    for take, columns in ((identity, ids), (word, words), (number, numbers)):
        takers |= {role: (take, name) for role, name in columns.items()}
    # SQL does not tell roles apart that differ in case: they get their names at the end.
    place = {role: f"r{k}" for k, role in enumerate(takers)}
    kind = {role: schema.field(name).type for role, (_, name) in takers.items()}
    cells = ", ".join(f"{_cell(name, schema)} AS {place[role]}" for role, (_, name) in takers.items())
    taken = ", ".join(f"{take(place[role], kind[role])} AS {place[role]}" for role, (take, _) in takers.items())
    query, values = f"SELECT {cells} FROM {name_table(schema.names)}", [match_only(file)]
    try:
        with closing(connect()) as con:
            numeric = {place[role]: (name, kind[role]) for role, name in numbers.items()}
            check_numbers(con, (query, values), numeric, file, guard)
            table = con.execute(f"SELECT {taken} FROM ({query})", values).to_arrow_table()
    except duckdb.Error as error:
        raise unreadable(file, error) from None
    return table.rename_columns(list(takers))


def _cell(name: str, schema: pa.Schema) -> str:
    mask = find_mask(name, schema)
    return unmask(name_place(name, schema.names), mask and name_place(mask, schema.names))


def check_numbers(
    con: duckdb.DuckDBPyConnection,
    cells: tuple[str, list[Any]],
    columns: Mapping[str, tuple[str, pa.DataType]],
    file: Path,
    guard: Guard = nullcontext,
) -> None:
    """BadInput where a column of text holds no numbers, for each inside `guard`; limits (">17.2") do not count.

    `cells` is the SELECT of the cells by role, with its parameters; `columns` gives the name and type of each role.
    """
    query, values = cells
    texts = {role: column for role, column in columns.items() if is_text(value_type(column[1]))}
    if not texts:
        return
    said, counted = [], []
    for place, (role, (_, kind)) in enumerate(texts.items()):
        text = word(role, kind)
        is_said = f"NOT list_contains(?, lower({text})) AND NOT starts_with({text}, '{LIMIT}')"
        said += [f"CASE WHEN {is_said} THEN {text} END AS said{place}", f"{number(role, kind)} AS value{place}"]
        no_number = f"FILTER (value{place} IS NULL)"
        counted += [f"count(said{place})", f"count(said{place}) {no_number}", f"any_value(said{place}) {no_number}"]
    words = [list(NOTHING)] * len(texts)
    found = con.execute(
        f"SELECT {', '.join(counted)} FROM (SELECT {', '.join(said)} FROM ({query}))", [*words, *values]
    ).fetchall()[0]
    wrong = Problems()
    for place, (name, kind) in enumerate(texts.values()):
        n_said, n_none, example = found[3 * place : 3 * place + 3]
        with wrong.collect():
            if n_said - n_none < MIN_NUMBERS * n_said:
                raise BadInput(
                    f"{file}: column {name!r} is {value_type(kind)}, but it must be a number ({n_none:,} of "
                    f"{n_said:,} values are none, such as {example!r}): convert it, or name another column."
                )
    wrong.raise_each(guard)


def require_id(kind: pa.DataType, where: str) -> None:
    """BadInput unless the type is text or whole numbers: a float has already lost the last digits of a long id."""
    kind = value_type(kind)
    if not (is_text(kind) or pa.types.is_integer(kind)):
        raise BadInput(f"{where} is {kind}, but ids must be text or whole numbers (a float loses digits of a long id).")


def require_number(kind: pa.DataType, where: str) -> None:
    """BadInput unless the type is a number, text (see `check_numbers`), or nothing at all (every value is null)."""
    kind = value_type(kind)
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (numeric or is_text(kind) or pa.types.is_null(kind)):
        raise BadInput(f"{where} is {kind}, but it must be a number: convert it, or name another column.")


def as_floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A column of float64 as an array, (rows,), NaN where it is null."""
    return column.fill_null(np.nan).to_numpy()
