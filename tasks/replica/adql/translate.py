"""From ADQL to the DuckDB query that gives the same answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb
from sqlglot import exp

from tasks.replica.adql.errors import AdqlError
from tasks.replica.adql.geometry import MACRO, expand_geometry, is_ours
from tasks.replica.adql.grammar import parse, refuse_unsupported
from tasks.replica.adql.names import Output, quote, resolve
from tasks.replica.served import ServedTable

# PostgreSQL (Gaia) and SQL Server (MAST) divide integers as integers. DuckDB takes registered tables for tiny ones
# and would compare every pair of rows; with both thresholds at 0 it joins by ranges of declination.
SESSION = (
    "SET enable_progress_bar = false",
    "SET integer_division = true",
    "SET nested_loop_join_threshold = 0",
    "SET merge_join_threshold = 0",
    MACRO,
)
UPLOADED = "tap_upload."
ROW = "__row"  # every uploaded table has this column beside its own: the number of the row
COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
TRUTHS = {"true": True, "t": True, "false": False, "f": False}
BOOLEAN_WORDS = tuple(TRUTHS)


@dataclass(frozen=True)
class Query:
    """A translated query: `sql` for a session made ready by `prepare`, what comes out, TOP (None: not asked), and the
    length of its longest list of literals."""

    sql: str
    outputs: tuple[Output, ...]
    top: int | None
    n_items: int


def prepare(cursor: duckdb.DuckDBPyConnection) -> None:
    """Make a DuckDB session ready for translated queries."""
    for statement in SESSION:
        cursor.execute(statement)


def translate(
    text: str,
    tables: Mapping[str, ServedTable],
    limit: int | None = None,
    boolean_words: tuple[str, ...] = BOOLEAN_WORDS,
) -> Query:
    """DuckDB's words for an ADQL query over `tables` (by lower-case qualified name, "tap_upload.x" among them).

    No more than `limit` rows are asked for, whatever TOP says; booleans are compared with `boolean_words`, keys of
    TRUTHS. AdqlError names what is unknown, unsupported or ambiguous.
    """
    query = parse(text)
    expand_geometry(query)
    refuse_unsupported(query)
    top = _top(query)
    outputs = resolve(query, tables)
    _read_booleans(query, boolean_words)
    _make_doubles(query)
    _match_left_joins(query, {table.relation for name, table in tables.items() if name.startswith(UPLOADED)})
    if limit is not None and (top is None or limit < top):
        query = query.limit(limit, copy=False)
    n_items = max((len(node.expressions) for node in query.find_all(exp.In)), default=0)
    return Query(query.sql(dialect="duckdb", copy=False), tuple(outputs), top, n_items)


def _top(query: exp.Query) -> int | None:
    for limit in query.find_all(exp.Limit):
        value = limit.expression
        if not (isinstance(value, exp.Literal) and not value.is_string and value.name.isdigit()):
            raise AdqlError(f"TOP takes a whole number, found {value.sql()}")
    outer = query.args.get("limit")
    return int(outer.expression.name) if outer else None


def _read_booleans(query: exp.Query, words: tuple[str, ...]) -> None:
    """Gaia compares booleans with 'true' or 'False' as text, and with nothing else."""
    for column in query.find_all(exp.Column):
        served = column.meta.get("served")
        if served is None or served.datatype != "boolean":
            continue
        inner: exp.Expr = column
        while isinstance(inner.parent, exp.Paren):
            inner = inner.parent
        parent = inner.parent
        if isinstance(parent, exp.Where | exp.And | exp.Or | exp.Not | exp.Having):
            raise AdqlError(f"{column.name} is no condition by itself: write {column.name} = 'true'")
        if not isinstance(parent, COMPARISONS):
            continue
        other = parent.expression if parent.this is inner else parent.this
        if isinstance(other, exp.Literal):
            if not other.is_string or other.name.lower() not in words:
                known = " or ".join(f"'{word}'" for word in words)
                raise AdqlError(f"{column.name} is boolean: compare it with {known}, not with {other.sql()}")
            other.replace(exp.Boolean(this=TRUTHS[other.name.lower()]))


def _make_doubles(query: exp.Query) -> None:
    """Numbers with a point are double precision in ADQL, where DuckDB would make decimals of them."""
    for literal in query.find_all(exp.Literal):
        if not literal.is_string and "." in literal.name and "e" not in literal.name.lower():
            text = repr(float(literal.name))
            literal.set("this", text if "e" in text else text + "e0")


def _match_left_joins(query: exp.Query, uploads: set[str]) -> None:
    """Make LEFT JOINs on a position an inner join first: DuckDB has no fast outer join on an angle.

    ``u LEFT JOIN t ON near`` becomes ``u LEFT JOIN (SELECT u.__row, t.* FROM u JOIN t ON near) AS t USING (__row)``
    in effect; only an uploaded table has rows with numbers, so any other is refused.
    """
    for join in list(query.find_all(exp.Join)):
        condition = join.args.get("on")
        if not join.side or condition is None:
            continue
        calls = [call for call in condition.find_all(exp.Anonymous) if is_ours(call)]
        near = {column.table for call in calls for column in call.find_all(exp.Column)}
        if len(near) < 2:
            continue
        right = join.this.alias
        used = {column.table for column in condition.find_all(exp.Column)} - {right}
        tables = join.parent.find_all(exp.Table) if join.parent else ()
        left = next((one for one in tables if {one.alias} == used and one.name in uploads), None)
        if join.side != "LEFT" or right not in near or left is None:
            raise AdqlError(
                f"a {join.side} JOIN on a position is answered with an uploaded table on its left side alone: "
                "write JOIN, or TAP_UPLOAD.name LEFT JOIN other ON ..."
            )
        pairs = (
            exp.select(exp.column(quote(ROW), table=quote(left.alias)), exp.column(exp.Star(), table=quote(right)))
            .from_(left.copy())
            .join(join.this.copy(), on=condition.copy())
        )
        join.set("this", pairs.subquery(quote(right)))
        same = (exp.column(quote(ROW), table=quote(name)) for name in (right, left.alias))
        join.set("on", exp.EQ(this=next(same), expression=next(same)))
