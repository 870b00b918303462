"""The MAST portal's service for the TESS Input Catalog: filters, positions and pages of JSON, and the columns' widgets.

Offered are POST and GET /mast/api/v0/invoke (services Mast.Catalogs.Filtered.Tic.Rows, ...Position.Rows,
Mast.Catalogs.Tic.Cone and Mast.Catalogs.All.Tic) and /mast/portal/Mashup/Mashup.asmx/columnsconfig. As in the recorded
answer, ids of digits (ID, SDSS, duplicate_id, objID) are JSON numbers in fields called "string".
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
from tasks.replica.documents import digest
from tasks.replica.forms import read_form
from tasks.replica.holdings import Holdings
from tasks.replica.portal_columns import NUMERIC_TEXT, everything, fields, widgets
from tasks.replica.product_text import without_nan
from tasks.replica.separation import separation
from tasks.replica.served import ServedColumn, ServedTable
from tasks.replica.state import State

FILTERED, POSITION = "Mast.Catalogs.Filtered.Tic.Rows", "Mast.Catalogs.Filtered.Tic.Position.Rows"
CONE, ALL = "Mast.Catalogs.Tic.Cone", "Mast.Catalogs.All.Tic"
SERVICES = (FILTERED, POSITION, CONE, ALL)
FAULTS = ("sentinel", "duplicate_ids", "missing_ids", "empty_product")
STELLAR = ("Teff", "e_Teff", "logg", "e_logg", "MH", "e_MH", "rad", "e_rad", "mass", "e_mass", "lum")
DISTANCE = "dstArcSec"  # the column that a search by position adds


class Misunderstood(Exception):
    """The portal's own sentence about a request; it is sent with HTTP 200 and status ERROR."""


def routes(holdings: Holdings, state: State) -> list[Route]:
    """The portal's routes."""
    connection, catalog = holdings.connect(), holdings.tables("tic")["dbo.catalogrecord"]

    async def invoke(request: Request) -> Response:
        form = await read_form(request)
        return await run_in_threadpool(_invoke, connection, catalog, state, request, form.get("request") or "")

    async def columnsconfig(request: Request) -> Response:
        form = await read_form(request)
        known = (form.get("colConfigId") or "").lower() in ("mast.catalogs.tess.cone", CONE.lower())
        return JSONResponse(widgets(catalog) if known else {})

    return [
        Route("/mast/api/v0/invoke", invoke, methods=["GET", "POST"]),
        Route("/mast/portal/Mashup/Mashup.asmx/columnsconfig", columnsconfig, methods=["GET", "POST"]),
    ]


def _invoke(
    connection: duckdb.DuckDBPyConnection, catalog: ServedTable, state: State, request: Request, text: str
) -> Response:
    try:
        return _answer(connection, catalog, state, request, text)
    except Misunderstood as error:
        return JSONResponse({"status": "ERROR", "msg": str(error), "fields": [], "data": [], "paging": None})


def _answer(
    connection: duckdb.DuckDBPyConnection, catalog: ServedTable, state: State, request: Request, text: str
) -> Response:
    try:
        asked = json.loads(text)
        service, parameters = str(asked["service"]), asked.get("params") or {}
    except (ValueError, KeyError, TypeError):
        raise Misunderstood("The request is no JSON object with a service and params") from None
    service = next((known for known in SERVICES if known.lower() == service.lower()), service)  # TIC.Cone, Tic.Cone
    if service == ALL:
        state.note(request, is_about=True)  # what columns there are: no question about stars
        return JSONResponse(everything(connection, catalog))
    if service not in SERVICES:
        raise Misunderstood(f"Service {service!r} is not served by this replica")
    question = json.dumps([service, parameters, asked.get("page")], sort_keys=True)  # without what differs every time
    state.note(request, n_items=_n_items(parameters), digest=digest({"query": question}, {}))
    where, values = _conditions(catalog, parameters)
    position = _position(parameters) if service in (POSITION, CONE) else None
    if position is None and not where:
        raise Misunderstood(f"{FILTERED} needs filters")
    try:
        rows = _rows(connection, catalog, where, values, position)
    except duckdb.ConversionException as error:
        raise Misunderstood(f"A filter's value does not fit its column: {str(error).splitlines()[0]}") from None
    rows = disturb(rows, "ID", state.take(request, *FAULTS), STELLAR)
    page, size = int(asked.get("page") or 1), int(asked.get("pagesize") or state.limits.portal_page)
    if page < 1 or size < 1:
        raise Misunderstood(f"page {page} and pagesize {size} must be 1 or more")
    return _page(rows, catalog, page, min(size, state.limits.portal_page))


def _n_items(parameters: dict[str, Any]) -> int:
    """How many ids are asked for: the longest list among the filters."""
    return max((len(item.get("values") or []) for item in parameters.get("filters") or []), default=1)


def _conditions(catalog: ServedTable, parameters: dict[str, Any]) -> tuple[list[str], list[Any]]:
    """SQL conditions and their values: filters by lists of values, by pattern or by range, all of which must hold."""
    columns = {column.name.lower(): column for column in catalog.columns}
    where: list[str] = []
    values: list[Any] = []
    for item in parameters.get("filters") or []:
        column = columns.get(str(item.get("paramName", "")).lower())
        if column is None:
            raise Misunderstood(f"Filter {item.get('paramName')!r} does not exist in TIC")
        condition, asked = _condition(column, item)
        where.append(condition)
        values += asked
    return where, values


def _condition(column: ServedColumn, item: dict[str, Any]) -> tuple[str, list[Any]]:
    wanted = item.get("values") or []
    ranges = [value for value in wanted if isinstance(value, dict)]
    if ranges and len(ranges) == len(wanted):
        bounds = [(float(value["min"]), float(value["max"])) for value in ranges]
        return "(" + " OR ".join(f'"{column.name}" BETWEEN ? AND ?' for _ in bounds) + ")", [*sum(bounds, ())]
    if ranges:
        raise Misunderstood(f"Filter {column.name!r} mixes ranges and values")
    parts: list[str] = []
    values: list[Any] = []
    if wanted:
        parts.append(f'"{column.name}" IN (SELECT unnest(?::VARCHAR[])::{_sql_type(column)})')
        values.append([str(value) for value in wanted])
    if item.get("freeText"):
        parts.append(f'"{column.name}"::VARCHAR LIKE ?')
        values.append(str(item["freeText"]))
    if not parts:
        raise Misunderstood(f"Filter {column.name!r} has no values")
    return "(" + " OR ".join(parts) + ")", values


def _sql_type(column: ServedColumn) -> str:
    return {"char": "VARCHAR", "double": "DOUBLE", "float": "DOUBLE", "boolean": "BOOLEAN"}.get(
        column.datatype, "BIGINT"
    )


def _position(parameters: dict[str, Any]) -> tuple[float, float, float]:
    """Right ascension, declination and radius, degrees."""
    try:
        return float(parameters["ra"]), float(parameters["dec"]), float(parameters["radius"])
    except (KeyError, TypeError, ValueError):
        raise Misunderstood("A search by position needs ra, dec and radius in degrees") from None


def _rows(
    connection: duckdb.DuckDBPyConnection,
    catalog: ServedTable,
    where: list[str],
    values: list[Any],
    position: tuple[float, float, float] | None,
) -> pa.Table:
    """Rows of the catalogue under all conditions; nearest first where a position is given, else by ID."""
    names = ", ".join(f'"{column.name}"' for column in catalog.columns)
    source, order = catalog.relation, 'TRY_CAST("ID" AS BIGINT), "ID"'
    if position is not None:
        ra, dec, radius = position
        distance = f"3600 * {separation('ra', 'dec')}"
        source = f'(SELECT {names}, {distance} AS "{DISTANCE}" FROM {catalog.relation} WHERE dec BETWEEN ? AND ?)'
        names, order = "*", f'"{DISTANCE}", {order}'
        where = [f'"{DISTANCE}" <= ?', *where]
        values = [dec, dec, ra, dec - radius, dec + radius, 3600 * radius, *values]
    query = f"SELECT {names} FROM {source} WHERE {' AND '.join(where)} ORDER BY {order}"
    with connection.cursor() as cursor:
        return without_nan(cursor.execute(query, values).to_arrow_table())


def _page(rows: pa.Table, catalog: ServedTable, page: int, size: int) -> Response:
    """One page of the rows with what the portal says about the others."""
    part = rows.slice((page - 1) * size, size)
    for name in NUMERIC_TEXT:
        index = part.schema.get_field_index(name)
        if pa.types.is_string(part.schema.field(index).type):
            part = part.set_column(index, name, part.column(index).cast(pa.int64()))
    paging = {
        "page": page,
        "pageSize": size,
        "pagesFiltered": max(1, -(-len(rows) // size)),
        "rows": len(part),
        "rowsFiltered": len(rows),
        "rowsTotal": len(rows),
    }
    described = fields(catalog) + ([{"name": DISTANCE, "type": "float"}] if DISTANCE in rows.column_names else [])
    return JSONResponse(
        {"status": "COMPLETE", "msg": "", "data": part.to_pylist(), "fields": described, "paging": paging}
    )
