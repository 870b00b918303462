"""The catalogs.mast API for Pan-STARRS1 DR2 objects and detections, as astroquery.mast.Catalogs asks it.

Offered are POST and GET /catalogs.mast/api/v0.1/panstarrs/dr2/{mean,detection}.json and .../metadata.json. Answers have
the form of astroquery's recorded `panstarrs.json`: rows are lists, and 64-bit ids are text in columns called long.
(Since April 2026 the live service sends rows as objects with the text "None" for numbers, which breaks astroquery
0.4.11; that is not imitated.)
"""

from __future__ import annotations

import json
from typing import Any

import duckdb
import pyarrow as pa
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tasks.replica.disturb import disturb
from tasks.replica.forms import read_form
from tasks.replica.holdings import Holdings
from tasks.replica.product_text import without_nan
from tasks.replica.separation import separation
from tasks.replica.served import ServedColumn, ServedTable
from tasks.replica.state import State

PREFIX = "/catalogs.mast/api/v0.1/panstarrs/dr2"
# Table of the API: served table, columns of its position.
TABLES = {"mean": ("dbo.meanobjectview", "raMean", "decMean"), "detection": ("dbo.detection", "ra", "dec")}
SQL_TYPE = {"long": "BIGINT", "int": "INTEGER", "short": "SMALLINT", "double": "DOUBLE", "float": "REAL"}
COMPARISONS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
OPTIONS = ("ra", "dec", "radius", "columns", "sort_by", "pagesize", "page")
DISTANCE = "distance"
FAULTS = ("sentinel", "duplicate_ids", "missing_ids", "empty_product")
MEASURED = ("psfFlux", "psfFluxErr", *(f"{band}MeanPSFMag" for band in "grizy"))


class Invalid(Exception):
    """A parameter that the API does not take; answered with HTTP 400."""


def routes(holdings: Holdings, state: State) -> list[Route]:
    """Routes of the catalogs API."""
    connection, served = holdings.connect(), holdings.tables("ps1")

    async def rows(request: Request) -> Response:
        try:
            parameters = await _parameters(request)
            return await run_in_threadpool(_answer, connection, served, state, request, parameters)
        except Invalid as error:
            return JSONResponse({"message": str(error)}, 400)

    async def metadata(request: Request) -> Response:
        try:
            return JSONResponse([_described(column) for column in _table(request, served)[0].columns])
        except Invalid as error:
            return JSONResponse({"message": str(error)}, 404)

    return [
        Route(PREFIX + "/{table}/metadata.json", metadata, methods=["GET"]),
        Route(PREFIX + "/{table}.json", rows, methods=["GET", "POST"]),
    ]


async def _parameters(request: Request) -> dict[str, Any]:
    """Parameters by name: those of a JSON body, else of the query or form, where a repeated name gives a list."""
    if request.headers.get("content-type", "").startswith("application/json"):
        try:
            body = json.loads(await request.body())
        except ValueError:
            raise Invalid("the body is no JSON") from None
        if not isinstance(body, dict):
            raise Invalid("the body is no JSON object")
        return body
    form = await read_form(request)
    parameters: dict[str, Any] = {}
    for name, _ in form.items:
        values = form.all(name)
        parameters[name] = values if len(values) > 1 else values[0]
    return parameters


def _table(request: Request, served: Any) -> tuple[ServedTable, str, str]:
    name = request.path_params["table"]
    if name not in TABLES:
        raise Invalid(f"table {name!r} is not served by this replica; known are {', '.join(TABLES)}")
    full, ra, dec = TABLES[name]
    return served[full], ra, dec


def _answer(
    connection: duckdb.DuckDBPyConnection, served: Any, state: State, request: Request, parameters: dict[str, Any]
) -> Response:
    table, ra, dec = _table(request, served)
    columns = {column.name.lower(): column for column in table.columns}
    where, values, n_items = _conditions(columns, parameters)
    state.note(request, n_items=n_items)
    source, at = table.relation, []
    if "ra" in parameters:
        position = [_number(parameters, name) for name in ("dec", "dec", "ra")]
        distance = separation(ra, dec)
        source, at = f'(SELECT *, {distance} AS "{DISTANCE}" FROM {source})', position
        where, values = [f'"{DISTANCE}" <= ?', *where], [_number(parameters, "radius"), *values]
    if not where:
        raise Invalid("a query needs a position or a filter")
    chosen = [_column(columns, name) for name in _listed(parameters.get("columns"))] or list(table.columns)
    if "ra" in parameters:
        chosen.append(ServedColumn(DISTANCE, "double", "deg", None, "Distance from the position asked for."))
    query = f"SELECT {', '.join(_quoted(column.name) for column in chosen)} FROM {source} WHERE {' AND '.join(where)}"
    query += _order(columns, parameters) + _limit(parameters)
    with connection.cursor() as cursor:
        try:
            found = without_nan(cursor.execute(query, at + values).to_arrow_table())
        except duckdb.ConversionException as error:
            raise Invalid(str(error).splitlines()[0]) from None
    fault = state.take(request, *FAULTS)
    if fault is not None:
        found = disturb(found, "objID", fault, [name for name in MEASURED if name in found.column_names])
    return JSONResponse({"info": [_described(column) for column in chosen], "data": _lists(found)})


def _conditions(columns: dict[str, ServedColumn], parameters: dict[str, Any]) -> tuple[list[str], list[Any], int]:
    """SQL conditions, their values, and the length of the longest list asked for."""
    where: list[str] = []
    values: list[Any] = []
    longest = 1
    for name, value in parameters.items():
        if name in OPTIONS:
            continue
        name, _, comparison = name.partition(".")
        column = _column(columns, name)
        kind = SQL_TYPE.get(column.datatype, "VARCHAR")
        wanted = [str(item) for item in _listed(value)]
        longest = max(longest, len(wanted))
        if comparison in ("", "eq", "in"):
            where.append(f"{_quoted(column.name)} IN (SELECT unnest(?::VARCHAR[])::{kind})")
            values.append(wanted)
        elif comparison in COMPARISONS:
            where += [f"{_quoted(column.name)} {COMPARISONS[comparison]} ?::{kind}"] * len(wanted)
            values += wanted
        else:
            raise Invalid(f"filter {name}.{comparison} is not served by this replica")
    return where, values, longest


def _column(columns: dict[str, ServedColumn], name: str) -> ServedColumn:
    if str(name).lower() not in columns:
        raise Invalid(f"column {name!r} does not exist")
    return columns[str(name).lower()]


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]


def _number(parameters: dict[str, Any], name: str) -> float:
    try:
        return float(parameters[name])
    except (KeyError, TypeError, ValueError):
        raise Invalid(f"a search by position needs {name} in degrees") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _order(columns: dict[str, ServedColumn], parameters: dict[str, Any]) -> str:
    """ORDER BY of sort_by, whose items are "column", "asc.column" or "column.asc"; by objID where there is none."""
    terms = []
    for item in _listed(parameters.get("sort_by")):
        parts = str(item).split(".")
        direction = next((part.upper() for part in parts if part.lower() in ("asc", "desc")), "ASC")
        (name,) = [part for part in parts if part.lower() not in ("asc", "desc")] or [""]
        terms.append(f"{_quoted(_column(columns, name).name)} {direction}")
    if not terms and "ra" in parameters:
        terms = [f'"{DISTANCE}"']
    return " ORDER BY " + ", ".join([*terms, '"objID"'])


def _limit(parameters: dict[str, Any]) -> str:
    if parameters.get("pagesize") is None:
        return ""
    try:
        size, page = int(parameters["pagesize"]), int(parameters.get("page") or 1)
    except (TypeError, ValueError):
        raise Invalid("pagesize and page must be numbers") from None
    return f" LIMIT {size} OFFSET {max(page - 1, 0) * size}"


def _described(column: ServedColumn) -> dict[str, Any]:
    return {
        "name": column.name,
        "column_name": column.name,
        "db_type": SQL_TYPE.get(column.datatype, "STRING"),
        "datatype": column.datatype,
        "type": column.datatype,
        "unit": column.unit or "NULL",
        "ucd": column.ucd or "NULL",
        "description": column.doc,
    }


def _lists(rows: pa.Table) -> list[tuple]:
    """Rows as lists; 64-bit integers as text, which JavaScript could not hold as numbers."""
    columns = [
        column.cast(pa.string()).to_pylist() if column.type == pa.int64() else column.to_pylist()
        for column in rows.columns
    ]
    return list(zip(*columns, strict=True))
