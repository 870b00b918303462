"""The SQL over a file of epochs: one row per epoch from the long or the nested form. Values are always parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from schemas.rejections import REJECTED, reject
from schemas.sql import match_only
from schemas.values import (
    is_text,
    limit_number,
    magnitude,
    magnitude_error,
    number,
    ratio_error,
    unmask,
    value_type,
    word,
)
from tasks.folder.columns import connect, name_place
from tasks.folder.layout import NUMBERS, Layout
from tasks.lightcurves.flags import BAD_QUALITY

UPPER_LIMIT, NO_FLUX = -1, -2  # flags of rows whose `mag` is the limit, or the flux that is not positive
MASK = "{}_mask"  # role of the mask of a role's column
Query = tuple[str, list[Any]]  # a SELECT and its parameters


def connect_sorter(scratch: str, setting: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A database in memory that sorts, and spills into `scratch` beyond its memory limit."""
    return connect(preserve_insertion_order="false", temp_directory=scratch, **setting)


def cell_query(file: Path, form: Layout, among: str = "") -> Query:
    """SELECT of one row per epoch with the cells of the file by role, null where masked.

    `among` is a table with the cells of id and band of the rows that are wanted; all are where it is not given.
    """
    wanted = {**form.columns, **{MASK.format(role): name for role, name in form.masks.items()}}
    cells = {role: name_place(name, form.names) for role, name in wanted.items()}
    chosen = ", ".join(
        f"{f'unnest({cell})' if wanted[role] in form.lists else cell} AS {role}" for role, cell in cells.items()
    )
    complete = _equal_lengths(form)
    query = f"SELECT {chosen} FROM {form.table}{f' WHERE {complete}' if complete else ''}"
    if form.masks:
        shown = (
            f"{unmask(role, MASK.format(role) if role in form.masks else None)} AS {role}" for role in form.columns
        )
        query = f"SELECT {', '.join(shown)} FROM ({query})"
    if among:
        query = f"SELECT * FROM ({query}) SEMI JOIN {among} USING ({', '.join(form.keys)})"
    return query, [match_only(file)]


def row_query(file: Path, form: Layout, among: str = "") -> Query:
    """SELECT of one row per epoch with the values by role, null where there is none; see `cell_query` for `among`.

    id and band are text, time and flags DOUBLE, mag and mag_err FLOAT, or DOUBLE where they are fluxes; is_limit says
    whether the brightness is a limit, where something can say so.
    """
    return _take(cell_query(file, form, among), form, form.words)


def value_query(file: Path, form: Layout) -> Query:
    """SELECT of time, mag and mag_err of each epoch, null where there is no measurement; id and band are still cells.

    A word costs more than all numbers of a row: who counts rows of the same object together asks for few of them.
    """
    source, values = _magnitude_query(*_take(cell_query(file, form), form, {key: key for key in form.keys}), form)
    if not form.has_aside:
        return source, values
    shown = (f"CASE WHEN aside = 0 THEN {role} END AS {role}" for role in ("mag", "mag_err") if role in form.columns)
    return f"SELECT * REPLACE ({', '.join(shown)}) FROM ({source})", values


def _take(cells: Query, form: Layout, keys: Mapping[str, str]) -> Query:
    """SELECT of the values of `cells` by role, and of what `keys` make of id and band."""
    query, values = cells
    kinds, chosen = form.kinds, dict(keys)
    types = NUMBERS if form.zero_mag is None else {**NUMBERS, "mag": "DOUBLE", "mag_err": "DOUBLE"}
    chosen |= {role: number(role, kinds[role], kind) for role, kind in types.items() if role in kinds}
    if form.limit:
        chosen["is_limit"] = form.limit
        chosen |= {"mag": limit_number("mag", kinds["mag"])} if is_text(value_type(kinds["mag"])) else {}
    if form.has_ratio:
        chosen["mag_err"] = f"({ratio_error(number('mag_err', kinds['mag_err']))})::FLOAT"
    if form.good_flags is not None:
        flag = word("flags", kinds["flags"])
        chosen["flags"] = f"CASE WHEN {flag} IS NULL OR list_contains(?, {flag}) THEN 0 ELSE 1 END::DOUBLE"
        values = [list(form.good_flags), *values]
    return f"SELECT {', '.join(f'{value} AS {role}' for role, value in chosen.items())} FROM ({query})", values


def epoch_query(file: Path, form: Layout, band_values: Sequence[str], among: str = "") -> Query:
    """SELECT of id, time, mag, mag_err, band (index into `band_values`, -1 for null), flags; no nulls but in id.

    Fluxes have become magnitudes, but where flags are NO_FLUX; mag of UPPER_LIMIT is what the file says. See
    `cell_query` for `among`.
    """
    source, values = _magnitude_query(*row_query(file, form, among), form)
    has = form.columns
    bad = f"CASE WHEN coalesce(nullif(flags, 'nan'::DOUBLE), 0) = 0 THEN 0 ELSE {BAD_QUALITY} END::INTEGER"
    chosen = {
        "id": "id",
        "time": "coalesce(time, 'nan'::DOUBLE)",
        "mag": "coalesce(mag, 'nan'::FLOAT)",
        "mag_err": "coalesce(mag_err, 'nan'::FLOAT)" if "mag_err" in has else "'nan'::FLOAT",
        "band": "CAST(coalesce(list_position(?, band), 0) - 1 AS SMALLINT)" if "band" in has else "0::SMALLINT",
        "flags": bad if "flags" in has else "0::INTEGER",
    }
    if form.has_aside:
        chosen["flags"] = f"CASE WHEN aside < 0 THEN aside ELSE {chosen['flags']} END"
    first = [list(band_values)] if "band" in has else []
    listed = ", ".join(f"{value} AS {role}" for role, value in chosen.items())
    return f"SELECT {listed} FROM ({source})", [*first, *values]


def _magnitude_query(source: str, values: list[Any], form: Layout) -> Query:
    """The rows of `row_query` with magnitudes for fluxes; `aside` is UPPER_LIMIT, NO_FLUX or 0 where rows may be so."""
    if not form.has_aside:
        return source, values
    cases = f"WHEN is_limit THEN {UPPER_LIMIT} " if form.limit else ""
    shown: dict[str, str] = {}
    if form.zero_mag is not None:
        cases += f"WHEN mag <= 0 THEN {NO_FLUX} "
        shown["mag"] = f"coalesce({magnitude('mag', '?')}, mag)::FLOAT"
        shown |= {"mag_err": f"{magnitude_error('mag', 'mag_err')}::FLOAT"} if "mag_err" in form.columns else {}
        values = [form.zero_mag, *values]
    replaced = f" REPLACE ({', '.join(f'{value} AS {role}' for role, value in shown.items())})" if shown else ""
    return f"SELECT *{replaced}, CASE {cases}ELSE 0 END::INTEGER AS aside FROM ({source})", values


def unequal_lengths(con: duckdb.DuckDBPyConnection, file: Path, form: Layout, ids: pa.Array) -> pa.Table:
    """Reports of the objects in nested form whose lists differ in length: none of their epochs can be told apart."""
    complete = _equal_lengths(form)
    if not complete:
        return REJECTED.empty_table()
    con.register("asked", pa.table({"id": ids}))
    nested = [role for role, name in form.columns.items() if name in form.lists]
    lengths = " || ' ' || ".join(_length(form, role) for role in nested)
    found = con.execute(
        f"""SELECT {form.id} AS id, {lengths} AS lengths
            FROM {form.table} WHERE NOT ({complete}) AND {form.id} IN (SELECT id FROM asked) ORDER BY id, lengths""",
        [match_only(file)],
    ).to_arrow_table()
    names = " ".join(form.columns[role] for role in nested)
    return reject(file.name, found["id"].combine_chunks(), names, "length", found["lengths"])


def _equal_lengths(form: Layout) -> str:
    """Condition that all lists of a row are as long as its times; empty in the long form."""
    return " AND ".join(
        f"{_length(form, role)} = {_length(form, 'time')}"
        for role, name in form.columns.items()
        if name in form.lists and role != "time"
    )


def _length(form: Layout, role: str) -> str:
    return f"coalesce(len({form.sql(role)}), 0)"
