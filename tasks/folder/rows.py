"""The SQL over a file of epochs: one row per epoch from the long or the nested form. Values are always parameters."""

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
from schemas.rejections import REJECTED, reject
from schemas.sql import match_only
from schemas.values import (
    find_mask,
    identity,
    is_limit,
    is_list,
    is_text,
    limit_number,
    magnitude,
    magnitude_error,
    number,
    ratio_error,
    truth,
    unmask,
    value_type,
    word,
)
from tasks.folder.columns import check_schema, connect, name_place, name_table, require_id, require_number
from tasks.lightcurves.flags import BAD_QUALITY

NUMBERS = {"time": "DOUBLE", "mag": "FLOAT", "mag_err": "FLOAT", "flags": "DOUBLE"}  # SQL type of each
UPPER_LIMIT, NO_FLUX = -1, -2  # flags of rows whose `mag` is the limit, or the flux that is not positive
MASK = "{}_mask"  # role of the mask of a role's column


@dataclass(frozen=True)
class Layout:
    """Columns of a file of epochs by role with their types, their masks, and all columns of the file.

    `lists` are the columns that hold a list per row (the nested form). `zero_mag` is the magnitude of flux 1 where the
    role mag is a flux, and `good_flags` the words of good epochs, None for numbers of which 0 is good;
    `has_ratio` where the role mag_err is a flux over its error.
    """

    columns: dict[str, str]
    kinds: dict[str, pa.DataType]
    masks: dict[str, str]
    lists: frozenset[str]
    names: tuple[str, ...]
    zero_mag: float | None = None
    good_flags: tuple[str, ...] | None = None
    has_ratio: bool = False

    def sql(self, role: str) -> str:
        """The column with a role in a statement."""
        return name_place(self.columns[role], self.names)

    @property
    def id(self) -> str:
        """The object's id in a statement."""
        mask = self.masks.get("id")
        return identity(unmask(self.sql("id"), mask and name_place(mask, self.names)), self.kinds["id"])

    @property
    def limit(self) -> str | None:
        """Whether the brightness of a cell is a limit, in a statement; None where nothing can say so."""
        said = [is_limit("mag", self.kinds["mag"])] if is_text(value_type(self.kinds["mag"])) else []
        said += [truth("upper_limit", self.kinds["upper_limit"])] if "upper_limit" in self.kinds else []
        return " OR ".join(f"coalesce({each}, false)" for each in said) or None

    @property
    def has_aside(self) -> bool:
        """Whether rows may hold a brightness that is no measurement: limits, and fluxes that are not positive."""
        return self.zero_mag is not None or self.limit is not None

    @property
    def table(self) -> str:
        """What a statement selects from; its parameter is the path of the file."""
        return name_table(self.names)


def layout(file: Path, spec: DatasetSpec, guard: Guard = nullcontext) -> Layout:
    """The layout of `file`; raises BadInput for columns that are missing or, each inside `guard`, of a wrong type."""
    said = spec.lightcurves
    given = {"id": said.id, "time": said.time, "mag": said.value, "mag_err": said.error, "band": said.band,
             "flags": said.flags, "upper_limit": said.upper_limit}  # fmt: skip
    columns = {role: name for role, name in given.items() if name is not None}
    key = {"mag": "flux", "mag_err": "flux_err"} if said.flux else {"mag_err": "snr"} if said.snr else {}
    schema = check_schema(file, {f"lightcurves.{key.get(role, role)}": name for role, name in columns.items()}, guard)
    kinds = {role: schema.field(name).type for role, name in columns.items()}
    wrong = Problems()
    with wrong.collect():
        require_id(kinds["id"], f"{file}: column {columns['id']!r}")
    for role in (role for role in NUMBERS if role in kinds):
        is_word = said.good_flags is not None or pa.types.is_boolean(value_type(kinds[role]))
        if not (role == "flags" and is_word):
            with wrong.collect():
                require_number(kinds[role], f"{file}: column {columns[role]!r}")
    wrong.raise_each(guard)
    masks = {role: mask for role, name in columns.items() if (mask := find_mask(name, schema))}
    lists = frozenset(name for name in (*columns.values(), *masks.values()) if is_list(schema.field(name).type))
    return Layout(columns, kinds, masks, lists, tuple(schema.names), said.zero_mag, said.good_flags, bool(said.snr))


def connect_sorter(scratch: str, setting: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A database in memory that sorts, and spills into `scratch` beyond its memory limit."""
    return connect(preserve_insertion_order="false", temp_directory=scratch, **setting)


def cell_query(file: Path, form: Layout) -> tuple[str, list[Any]]:
    """SELECT of one row per epoch with the cells of the file by role, null where masked; and its parameters."""
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
    return query, [match_only(file)]


def row_query(file: Path, form: Layout) -> tuple[str, list[Any]]:
    """SELECT of one row per epoch with the values by role, null where there is none; and its parameters.

    id and band are text, time and flags DOUBLE, mag and mag_err FLOAT, or DOUBLE where they are fluxes; is_limit says
    whether the brightness is a limit, where something can say so.
    """
    query, values = cell_query(file, form)
    kinds = form.kinds
    types = NUMBERS if form.zero_mag is None else {**NUMBERS, "mag": "DOUBLE", "mag_err": "DOUBLE"}
    chosen = {"id": identity("id", kinds["id"])}
    chosen |= {role: number(role, kinds[role], kind) for role, kind in types.items() if role in kinds}
    chosen |= {"band": word("band", kinds["band"])} if "band" in kinds else {}
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


def epoch_query(file: Path, form: Layout, band_values: Sequence[str]) -> tuple[str, list[Any]]:
    """SELECT of id, time, mag, mag_err, band (index into `band_values`, -1 for null), flags; no nulls but in id.

    Fluxes have become magnitudes, but where flags are NO_FLUX; mag of UPPER_LIMIT is what the file says.
    """
    source, values = _magnitude_query(*row_query(file, form), form)
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


def measured_query(file: Path, form: Layout, band_values: Sequence[str]) -> tuple[str, list[Any]]:
    """`epoch_query` with NaN as mag and mag_err of what is no measurement."""
    query, values = epoch_query(file, form, band_values)
    if not form.has_aside:
        return query, values
    shown = ", ".join(f"CASE WHEN flags < 0 THEN 'nan'::FLOAT ELSE {role} END AS {role}" for role in ("mag", "mag_err"))
    return f"SELECT * REPLACE ({shown}) FROM ({query})", values


def _magnitude_query(source: str, values: list[Any], form: Layout) -> tuple[str, list[Any]]:
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
