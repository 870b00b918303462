"""Tests of columns: each of ours is there, has one value a row and a type that ours can hold; else what is instead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from tasks.archives.adql import literal
from tasks.surveys.columns import list_columns
from tasks.surveys.data_files import FOLDER, read_rows
from tasks.surveys.gaia_check.findings import Findings, Line, Served, Status
from tasks.surveys.gaia_check.schema import most_alike
from tasks.surveys.gaia_release import NEEDED, OWN
from tasks.surveys.gaia_releases import FIRST, RELEASES

EVERYWHERE = ("g", "fl", "aa")  # tables with a row for each source: a column may move among them
NEIGHBOUR_COLUMNS = ("angular_distance", "magnitude_difference")
NAMES_OF_TYPES = {
    pa.int64(): ("bigint", "long", "integer", "int", "smallint", "short"),
    pa.int32(): ("integer", "int", "smallint", "short", "bigint", "long"),
    pa.bool_(): ("boolean", "bool"),
    pa.string(): ("char", "varchar", "text", "string", "unicodechar", "clob"),
}
NUMBERS = ("double", "real", "float", *NAMES_OF_TYPES[pa.int64()])


def find_columns(found: Findings) -> Iterator[Line]:
    """Each of our columns: there, one value a row, of a type that ours can hold; else what to ask for instead."""
    tables = {alias: table.lower() for alias, table in found.release.tables.items()}
    found.columns = _read_columns(found, tables)
    if not any(found.columns.values()):
        yield Line(Status.UNKNOWN, f"TAP_SCHEMA.columns knows none of {', '.join(tables.values())}")
        return
    asked = found.release.asked_columns
    lost = [name for name, path in asked.items() if not _is_usable(found, name, path)]
    before = _columns_before(found) if lost else {}
    for name in lost:
        yield _other_column(found, name, before)
    yield from _lose_statistics(found)
    yield from _shorten_chain(found)
    yield from _compare_draft(found)
    counts = ", ".join(f"{alias} {len(columns)}" for alias, columns in found.columns.items())
    yield Line(Status.OK, f"{len(asked) - len(lost)} of {len(asked)} columns as expected; {counts}")


def _lose_statistics(found: Findings) -> Iterator[Line]:
    """A statistic whose column is not there narrows no sample."""
    for name, (alias, column) in found.release.statistic_columns.items():
        if column.lower() not in found.columns.get(alias, {}):
            what = f"{alias}.{column} is not there"
            found.change(("statistics", name), "", what)
            near = most_alike(column, [one.name for one in _free(found, alias)]) or "none"
            seen = f"{what}: no sample can be narrowed by it; nearest {near}"
            yield Line(Status.MISSING, seen, f'statistics.{name} = "alias.column"')


def _shorten_chain(found: Findings) -> Iterator[Line]:
    """The chain of neighbours ends before a table without its columns; the archive's own choice can be done without."""
    steps: list[dict[str, Any]] = []
    for step in found.release.chain:
        here, needed = found.columns.get(step.alias, {}), (step.own, step.earlier, *NEIGHBOUR_COLUMNS)
        if lacking := [column for column in needed if column not in here]:
            found.change(("chain",), steps, f"{step.table} lacks {', '.join(lacking)}")
            yield Line(Status.MISSING, f"{step.table} lacks {', '.join(lacking)}: no {step.name}", "chain")
            return
        has_choice = not step.probable or step.probable in here
        steps.append(step.model_dump() | ({} if has_choice else {"probable": ""}))
        if not has_choice:
            yield Line(
                Status.MISSING, f"{step.table} has no {step.probable}: stars are told by their magnitude", "chain"
            )
    if steps != [step.model_dump() for step in found.release.chain]:
        found.change(("chain",), steps, "a table does not say which neighbour is the same star")


def _compare_draft(found: Findings) -> Iterator[Line]:
    """What has come to the tables since the draft of the data model, and what has gone: for the reader."""
    name = f"gaia_{found.release.release}_draft.csv"
    draft: dict[str, set[str]] = {}
    for row in read_rows(name) if (FOLDER / name).exists() else ():
        draft.setdefault(row["table"], set()).add(row["column"])
    for alias, table in found.release.tables.items():
        known, here = draft.get(table.rpartition(".")[2], set()), set(found.columns.get(alias, {}))
        if known and here and known != here:
            new, gone = (", ".join(sorted(names)) or "none" for names in (here - known, known - here))
            yield Line(Status.OK, f"{table} against the draft: new {new}; gone {gone}")


def _read_columns(found: Findings, tables: dict[str, str]) -> dict[str, dict[str, Served]]:
    """Columns by lower-case name of the tables, by alias: one question about all of them."""
    listed = ", ".join(literal(name) for name in sorted(set(tables.values())))
    rows = found.ask.schema_rows(f"SELECT * FROM TAP_SCHEMA.columns WHERE table_name IN ({listed})").to_pylist()
    by_table: dict[str, dict[str, Served]] = {}
    for row in rows:
        by_table.setdefault(str(row["table_name"]).lower(), {})[str(row["column_name"]).lower()] = _served(row)
    return {alias: by_table.get(name, {}) for alias, name in tables.items()}


def _served(row: dict[str, Any]) -> Served:
    datatype = re.sub(r"\(.*\)", "", str(row.get("datatype") or "")).lower().strip()
    is_text = datatype.removesuffix("[]") in NAMES_OF_TYPES[pa.string()]
    is_array = datatype.endswith("[]") or (not is_text and str(row.get("arraysize") or "1") != "1")
    unit, ucd, doc = (str(row.get(name) or "") for name in ("unit", "ucd", "description"))
    return Served(str(row["column_name"]), datatype.removesuffix("[]"), is_array, unit, ucd, doc)


def _is_usable(found: Findings, name: str, path: tuple[str, str]) -> bool:
    """Whether the column at `path` (alias, column) is there and can be ours called `name`."""
    served = found.columns.get(path[0], {}).get(path[1].lower())
    return served is not None and _fits(served, name)


def _fits(served: Served, name: str) -> bool:
    names = NAMES_OF_TYPES.get(list_columns(RELEASES[FIRST])[name], NUMBERS)
    return not served.is_array and (not served.datatype or served.datatype in names)


def _columns_before(found: Findings) -> dict[str, dict[str, Served]]:
    """Columns of the tables of the first release: what they say of themselves finds them under another name."""
    return _read_columns(found, {alias: table.lower() for alias, table in RELEASES[FIRST].tables.items()})


def _other_column(found: Findings, name: str, before: dict[str, dict[str, Served]]) -> Line:
    alias, column = found.release.asked_columns[name]
    served = found.columns.get(alias, {}).get(column.lower())
    what = f"{alias}.{column} {'is not there' if served is None else _kind(served)}"
    own, _, known = OWN[name].partition(".")
    was = before.get(own, {}).get(known)
    other = next(_candidates(found, name, was), None)
    if other and found.change(("columns", name), f"{other[0]}.{other[1]}", what):
        return Line(Status.DIFFERENT, f"{what}; {other[0]}.{other[1]} is", f'columns.{name} = "{other[0]}.{other[1]}"')
    near = _nearest(found, name, was)
    if name not in NEEDED and found.change(("columns", name), "", f"{what}; nearest {near}"):
        return Line(Status.MISSING, f"{what}: nulls; nearest {near}", f'columns.{name} = "alias.column"')
    return Line(Status.MISSING, f"{what}; no run can do without it; nearest {near}", f"columns.{name}", True)


def _kind(served: Served) -> str:
    return "is an array" if served.is_array else f"is of type {served.datatype}"


def _candidates(found: Findings, name: str, was: Served | None) -> Iterator[tuple[str, str]]:
    """Columns that can be ours, the surest first: other candidates of the release; in the same table what describes
    itself as that column did before; the same name in another table of all sources."""
    alias, column = found.release.asked_columns[name]
    paths = [path.partition(".") for path in found.release.columns.get(name, ())]
    yield from ((one, other) for one, _, other in paths if _is_usable(found, name, (one, other)))
    if was is not None and was.doc:
        yield from ((alias, one.name) for one in _free(found, alias) if one.doc == was.doc and _fits(one, name))
    if alias in EVERYWHERE:
        yield from ((other, column) for other in EVERYWHERE if _is_usable(found, name, (other, column)))


def _nearest(found: Findings, name: str, was: Served | None) -> str:
    """Columns that a reader may look at: with the same UCD and unit, or a name most alike."""
    alias, column = found.release.asked_columns[name]
    free = _free(found, alias)
    same = [one.name for one in free if was is not None and was.ucd and (one.ucd, one.unit) == (was.ucd, was.unit)]
    return ", ".join(same[:5]) or most_alike(column, [one.name for one in free]) or "none"


def _free(found: Findings, alias: str) -> list[Served]:
    """Columns of a table that are not asked for."""
    taken = {column.lower() for _, column in found.release.asked_columns.values()} | {"solution_id"}
    return [one for name, one in found.columns.get(alias, {}).items() if name not in taken]
