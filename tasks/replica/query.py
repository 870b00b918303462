"""A TAP query from its parameters to the document that answers it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb

from tasks.replica.adql import BOOLEAN_WORDS, AdqlError, prepare, translate
from tasks.replica.disturb import disturb
from tasks.replica.jobs import Answer
from tasks.replica.served import ServedTable
from tasks.replica.state import Fault
from tasks.replica.tap_formats import Result, convert_served, write
from tasks.replica.uploads import add_upload, read_votable

FAULTS = ("capped", "empty_product", "sentinel", "duplicate_ids", "missing_ids")
# Columns that say which star and where: a sentinel spares them, unlike everything that was measured.
NUMBERS = ("double", "float")
SPARED = ("id", "ra", "dec", "ramean", "decmean", "l", "b", "name", "filterid", "fid")


@dataclass(frozen=True)
class Site:
    """What tells one TAP service from another: its name in the settings, its tables, its address and its ways.

    `tells_overflow`: an answer cut off at a limit says so; MAST's do not.
    """

    service: str
    holdings: str
    base: str
    tells_overflow: bool = True
    is_gaia: bool = False
    takes_unicode: bool = True


# Adds to a session the tables of a query that are no views of the holdings: those by name that it finds in the text.
Attach = Callable[[duckdb.DuckDBPyConnection, str], Mapping[str, ServedTable]]


@dataclass(frozen=True)
class Asked:
    """Parameters of a query, by what they mean; `cap` is the most rows the service gives."""

    text: str
    style: str = "votable"
    maxrec: int | None = None
    cap: int | None = None
    fault: Fault | None = None
    boolean_words: tuple[str, ...] = BOOLEAN_WORDS


def read_parameters(
    parameters: Mapping[str, str],
    cap: int | None,
    fault: Fault | None,
    boolean_words: tuple[str, ...] = BOOLEAN_WORDS,
) -> Asked:
    """A query from TAP's parameters (lower-case names); AdqlError for what TAP does not know."""
    request, language = parameters.get("request", "doQuery"), parameters.get("lang", "ADQL")
    if request.lower() != "doquery" or language.upper().split("-")[0] != "ADQL":
        raise AdqlError(f"this service answers REQUEST=doQuery with LANG=ADQL, found {request} with {language}")
    if not parameters.get("query", "").strip():
        raise AdqlError("the parameter QUERY is missing")
    maxrec = parameters.get("maxrec")
    if maxrec is not None and not maxrec.strip().isdigit():
        raise AdqlError(f'MAXREC is a whole number, found "{maxrec}"')
    style = parameters.get("responseformat") or parameters.get("format") or "votable"
    return Asked(parameters["query"], style, None if maxrec is None else int(maxrec), cap, fault, boolean_words)


def answer(
    site: Site,
    tables: Mapping[str, ServedTable],
    connection: duckdb.DuckDBPyConnection,
    asked: Asked,
    uploads: Mapping[str, bytes],
    attach: Attach | None = None,
) -> tuple[Answer, int, int]:
    """The document, the number of its rows, and how many items were asked for (rows uploaded or ids listed).

    `attach` gives the tables besides `tables` that the query may name.
    AdqlError or ValueError in one sentence where the query or its format is wrong.
    """
    with connection.cursor() as cursor:
        prepare(cursor)
        known, n_items = dict(tables), 0
        if attach is not None:
            known |= attach(cursor, asked.text)
        for name, document in uploads.items():
            rows = read_votable(name, document, site.is_gaia, site.takes_unicode)
            qualified, table = add_upload(cursor, name, rows)
            known[qualified] = table
            n_items = max(n_items, rows.num_rows)
        limits = [limit for limit in (asked.maxrec, asked.cap) if limit is not None]
        limit = min(limits) if limits else None
        query = translate(asked.text, known, None if limit is None else limit + 1, asked.boolean_words)
        try:
            found = cursor.execute(query.sql).to_arrow_table()
        except duckdb.Error as error:
            raise AdqlError(f"the query cannot be run: {str(error).splitlines()[0]}") from None
    is_over = limit is not None and found.num_rows > limit
    found, columns = convert_served(found.slice(0, limit), [output.served for output in query.outputs])
    if asked.fault is not None:
        measured = [one.name for one in columns if one.datatype in NUMBERS and not _is_spared(one.name)]
        found = disturb(found, found.column_names[0], asked.fault, measured)
    result = Result(found, columns, asked.text, is_over and site.tells_overflow, site.is_gaia)
    return write(result, asked.style), found.num_rows, max(n_items, query.n_items)


def _is_spared(name: str) -> bool:
    return name.lower() in SPARED or name.lower().endswith("id")
