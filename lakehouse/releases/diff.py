"""What differs between two catalogues: objects that came or went, classes, and values beyond their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.sql import quote_name, quote_text
from schemas.tables.catalogue import QUANTITY_HI, QUANTITY_LO

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyarrow.dataset import Dataset

CLASS, PERIOD, PERIOD_ERR = "class_pred", "period_day", "period_error_day"
# Every difference is a row: change is added, removed, class or value, and name the quantity of a value.
DIFFERENCES = pa.schema(
    [("change", pa.string()), ("name", pa.string()), ("earlier_id", pa.int64()), ("source_id", pa.int64()),
     ("outcome", pa.string()), ("class_before", pa.string()), ("class_after", pa.string())]
    + [(f"{name}_{side}", pa.float64()) for side in ("before", "after") for name in ("value", "lo", "hi")]
)  # fmt: skip
LINKS = pa.schema(
    [("earlier_id", pa.int64()), ("source_id", pa.int64()), ("outcome", pa.string()), ("is_carried", pa.bool_())]
)


@dataclass(frozen=True)
class Catalogue:
    """The rows of one dataset in a catalogue, which are not read before they are compared."""

    dataset: str
    rows: Dataset


def diff_catalogues(earlier: Catalogue, later: Catalogue, links: pa.Table | None = None) -> tuple[int, pa.Table]:
    """How many objects are in both catalogues, and what differs: DIFFERENCES, by change, name and object.

    `links` (LINKS) say which later object an earlier one is; where they are None equal ids are one object. A value has
    changed where its intervals of 68 % have nothing in common.
    """
    import duckdb

    with duckdb.connect() as connection:
        columns = [_open(connection, name, side) for name, side in (("before", earlier), ("after", later))]
        if links is None:
            connection.execute("CREATE TABLE link AS SELECT source_id AS earlier_id, source_id, "
                               "NULL::VARCHAR AS outcome, true AS is_carried FROM before")  # fmt: skip
        else:
            connection.register("link", links.select(LINKS.names))
        connection.execute(PAIRS)
        both = [name for name in columns[0] if name in columns[1]]
        parts = [REMOVED, ADDED, *([CLASS_CHANGED] if CLASS in both else []), *map(_value_changed, _list_values(both))]
        empty = DIFFERENCES.empty_table()
        connection.register("nothing", empty)
        union = " UNION ALL BY NAME ".join(f"({part})" for part in ("SELECT * FROM nothing", *parts))
        found = connection.execute(f"SELECT * FROM ({union}) ORDER BY change, name, earlier_id, source_id")
        rows = found.to_arrow_table().select(DIFFERENCES.names).cast(DIFFERENCES)
        return connection.execute("SELECT count(*) FROM pair").fetchall()[0][0], rows


def _open(connection: DuckDBPyConnection, view: str, side: Catalogue) -> list[str]:
    """Make `view` show the rows of a side, `class_pred` null where it has none; returns its columns."""
    names = side.rows.schema.names
    connection.register(f"{view}_all", side.rows)
    lacking = "" if CLASS in names else f", NULL::VARCHAR AS {CLASS}"
    connection.execute(
        f"CREATE TEMP TABLE {view} AS SELECT *{lacking} FROM {view}_all WHERE dataset = ?", [side.dataset]
    )
    return names


# Objects in both catalogues; `gone` and `other` are what became of the rest, by their earlier and later ids.
PAIRS = """
CREATE TABLE pair AS SELECT link.* FROM link JOIN before ON before.source_id = link.earlier_id
    JOIN after ON after.source_id = link.source_id WHERE is_carried;
CREATE TABLE gone AS SELECT earlier_id, min(source_id) AS source_id, min(outcome) AS outcome FROM link
    WHERE outcome IS NOT NULL GROUP BY earlier_id;
CREATE TABLE other AS SELECT source_id, min(earlier_id) AS earlier_id, min(outcome) AS outcome FROM link
    WHERE outcome <> 'lost' GROUP BY source_id"""
REMOVED = f"""
SELECT 'removed' AS change, before.source_id AS earlier_id, gone.source_id, gone.outcome, {CLASS} AS class_before
FROM before LEFT JOIN gone ON gone.earlier_id = before.source_id
WHERE before.source_id NOT IN (SELECT earlier_id FROM pair)"""
ADDED = f"""
SELECT 'added' AS change, other.earlier_id, after.source_id, other.outcome, {CLASS} AS class_after
FROM after LEFT JOIN other ON other.source_id = after.source_id
WHERE after.source_id NOT IN (SELECT source_id FROM pair)"""
_OF_BOTH = """
FROM pair JOIN before ON before.source_id = pair.earlier_id JOIN after ON after.source_id = pair.source_id"""
_IDS = "pair.earlier_id, pair.source_id, pair.outcome"
CLASS_CHANGED = f"""
SELECT 'class' AS change, {_IDS}, before.{CLASS} AS class_before, after.{CLASS} AS class_after {_OF_BOTH}
WHERE before.{CLASS} IS DISTINCT FROM after.{CLASS}"""


def _list_values(columns: Sequence[str]) -> list[str]:
    """Every value that has an interval."""
    found = [name for name in columns if {_lo(name), _hi(name)} <= set(columns)]
    return [*([PERIOD] if {PERIOD, PERIOD_ERR} <= set(columns) else []), *found]


def _lo(name: str) -> str:
    return QUANTITY_LO.name.format(quantity=name)


def _hi(name: str) -> str:
    return QUANTITY_HI.name.format(quantity=name)


def _ends(name: str, side: str) -> tuple[str, str]:
    """The ends of the interval of a value of one side, in SQL."""
    if name == PERIOD:
        return f"{side}.{PERIOD} - {side}.{PERIOD_ERR}", f"{side}.{PERIOD} + {side}.{PERIOD_ERR}"
    return f"{side}.{quote_name(_lo(name))}", f"{side}.{quote_name(_hi(name))}"


def _value_changed(name: str) -> str:
    """The objects whose value has changed, in SQL."""
    ends = {side: _ends(name, side) for side in ("before", "after")}
    chosen = ", ".join(
        f"{side}.{quote_name(name)} AS value_{side}, {lo} AS lo_{side}, {hi} AS hi_{side}"
        for side, (lo, hi) in ends.items()
    )
    apart = f"{ends['after'][0]} > {ends['before'][1]} OR {ends['after'][1]} < {ends['before'][0]}"
    return f"SELECT 'value' AS change, {quote_text(name)} AS name, {_IDS}, {chosen} {_OF_BOTH} WHERE {apart}"


def summarise(rows: pa.Table) -> list[dict[str, Any]]:
    """How many differences there are of each kind: change, name (of a value, or classes before -> after), n."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("found", rows)
        return connection.execute(SUMMARY).to_arrow_table().to_pylist()


SUMMARY = """
SELECT change, CASE change WHEN 'value' THEN name
    WHEN 'class' THEN coalesce(class_before, 'none') || ' -> ' || coalesce(class_after, 'none')
    ELSE coalesce(outcome, '') END AS what, count(*) AS n
FROM found GROUP BY change, what
ORDER BY CASE change WHEN 'removed' THEN 0 WHEN 'added' THEN 1 WHEN 'class' THEN 2 ELSE 3 END, n DESC, what"""
