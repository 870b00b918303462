"""CDS XMatch: POST /xmatch/api/v1/sync and GET /xmatch/api/v1/sync/tables.

Parameters after CDS's page "xMatch HTTP API": request=xmatch, cat1 (an uploaded CSV or VOTable), cat2 (a VizieR table),
colRA1, colDec1, distMaxArcsec (at most 180), RESPONSEFORMAT (votable, csv, tsv), selection (all, best), MAXREC, cols1,
cols2, area (allsky, or cone of cat1). Rows are angDist (arcsec), cat1's columns, cat2's. More than
`state.limits.xmatch_rows` uploaded rows end as on the live service: in a gateway's 504.
"""

from __future__ import annotations

import threading
from html import escape

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tasks.replica.disturb import disturb
from tasks.replica.documents import digest
from tasks.replica.forms import Form, read_form
from tasks.replica.holdings import Holdings
from tasks.replica.served import ServedColumn, ServedTable
from tasks.replica.state import State
from tasks.replica.votable import MEDIA as VOTABLE
from tasks.replica.xmatch_pairs import Catalogue, load, pairs, select, within_cone
from tasks.replica.xmatch_tables import MEDIA, describe_columns, failure, format_table, read_upload

LARGEST_ARCSEC = 180.0
LARGEST_ANSWER = 2_000_000  # rows, whatever MAXREC says
FAULTS = ("sentinel", "duplicate_ids", "missing_ids", "empty_product", "capped")
STELLAR = ("Teff", "s_Teff", "logg", "s_logg", "M_H", "e_M_H", "Rad", "s_Rad", "Mass", "s_Mass")
DISTANCE = ServedColumn("angDist", "double", "arcsec", "pos.angDistance", "Angular distance between the two positions")


class BadRequest(Exception):
    """What the service says about a request that it cannot do."""


class Catalogues:
    """The VizieR tables that can be matched with, each loaded when it is first asked for."""

    def __init__(self, holdings: Holdings) -> None:
        self._connection: duckdb.DuckDBPyConnection = holdings.connect()
        self._served = {table.name.strip('"'): table for table in holdings.tables("vizier").values()}
        self._loaded: dict[str, Catalogue] = {}
        self._lock = threading.Lock()

    @property
    def names(self) -> list[str]:
        """Names of the tables that are served, sorted."""
        return sorted(self._served)

    def find(self, name: str | None) -> ServedTable:
        """The table with this name, with or without "vizier:"; `BadRequest` for another."""
        plain = (name or "").removeprefix("vizier:")
        if plain not in self._served:
            raise BadRequest(f"Table {name} is not available; this replica has {', '.join(self.names)}")
        return self._served[plain]

    def load(self, served: ServedTable) -> Catalogue:
        """The table in memory, read when it is first asked for."""
        with self._lock:
            if served.name not in self._loaded:
                self._loaded[served.name] = load(self._connection, served)
            return self._loaded[served.name]


def routes(holdings: Holdings, state: State) -> list[Route]:
    """Routes of the cross-match service."""
    catalogues = Catalogues(holdings)

    async def sync(request: Request) -> Response:
        return await run_in_threadpool(_sync, catalogues, state, request, await read_form(request))

    async def tables(request: Request) -> Response:
        return _tables(catalogues, await read_form(request))

    return [
        Route("/xmatch/api/v1/sync", sync, methods=["GET", "POST"]),
        Route("/xmatch/api/v1/sync/tables", tables, methods=["GET", "POST"]),
    ]


def _tables(catalogues: Catalogues, form: Form) -> Response:
    action = form.get("action") or "getVizieRTableNames"
    if action == "getVizieRTableNames":
        is_text = (form.get("RESPONSEFORMAT") or "txt").lower() == "txt"
        return (
            PlainTextResponse("".join(f"{name}\n" for name in catalogues.names))
            if is_text
            else JSONResponse(catalogues.names)
        )
    if action == "getColList":
        try:
            columns = catalogues.find(form.get("tabName")).columns
        except BadRequest as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse([{"name": column.name, "unit": column.unit, "ucd": column.ucd} for column in columns])
    return JSONResponse({"error": f"action {action} is not served by this replica"}, 400)


def _sync(catalogues: Catalogues, state: State, request: Request, form: Form) -> Response:
    try:
        return _match(catalogues, state, request, form)
    except BadRequest as error:
        return Response(failure(str(error)), 400, media_type=VOTABLE)


def _match(catalogues: Catalogues, state: State, request: Request, form: Form) -> Response:
    if (form.get("request") or "").lower() != "xmatch":
        raise BadRequest("REQUEST must be xmatch")
    radius = _number(form, "distMaxArcsec")
    if not 0 < radius <= LARGEST_ARCSEC:
        raise BadRequest(f"distMaxArcsec must be in (0, {LARGEST_ARCSEC:g}], not {radius:g}")
    style = (form.get("RESPONSEFORMAT") or "votable").lower()
    if style not in MEDIA:
        raise BadRequest(f"RESPONSEFORMAT {style} is not served by this replica, use {', '.join(MEDIA)}")
    served = catalogues.find(form.get("cat2"))
    upload = _upload(form)
    question = {"query": f"{served.name} {radius:g} {form.get('cat1') or ''}"}
    state.note(request, n_items=len(upload), digest=digest(question, form.files))
    if len(upload) > state.limits.xmatch_rows:
        return HTMLResponse("<html><body><h1>504 Gateway Time-out</h1></body></html>", 504)
    catalogue = catalogues.load(served)
    row, partner, distance = pairs(catalogue, *_positions(upload, form), radius)
    kept = select(row, (form.get("selection") or "all").lower() == "best")
    most = min(int(_number(form, "MAXREC", LARGEST_ANSWER)), LARGEST_ANSWER)
    is_cut, kept = kept.size > most, kept[:most]
    table, columns = _join(upload, catalogue.table, served, form, (row[kept], partner[kept], distance[kept]))
    fault = state.take(request, *FAULTS)
    if fault is not None:
        values = [name for name in STELLAR if name in table.column_names]
        table = disturb(table, served.columns[0].name, fault, values)
    return Response(format_table(table, columns, style, is_cut), media_type=MEDIA[style])


def _number(form: Form, name: str, default: float | None = None) -> float:
    text = form.get(name)
    try:
        return default if not text and default is not None else float(text or "")
    except ValueError:
        raise BadRequest(f"{name} must be a number, not {text!r}") from None


def _upload(form: Form) -> pa.Table:
    content = next((content for name, content in form.files.items() if name.lower() == "cat1"), None)
    if content is None and form.get("cat1"):
        text = str(form.get("cat1"))
        if "\n" not in text:
            raise BadRequest(f"cat1 {escape(text)} must be an uploaded table: this replica matches no two of its own")
        content = text.encode()
    if content is None:
        raise BadRequest("cat1 is missing")
    try:
        return read_upload(content)
    except ValueError as error:
        raise BadRequest(f"cat1 cannot be read: {error}") from None


def _positions(upload: pa.Table, form: Form) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions of the uploaded table in degrees; NaN outside the area."""
    found = []
    for name in ("colRA1", "colDec1"):
        column = form.get(name)
        if not column or column not in upload.column_names:
            raise BadRequest(f"{name} {column!r} is no column of cat1, which has {', '.join(upload.column_names)}")
        try:
            found.append(upload[column].cast(pa.float64()).to_numpy())
        except pa.ArrowInvalid:
            raise BadRequest(f"{name} {column!r} holds values that are no numbers") from None
    ra, dec = found
    area = (form.get("area") or "allsky").lower()
    if area == "allsky":
        return ra, dec
    if area != "cone":
        raise BadRequest(f"area {area} is not served by this replica, use allsky or cone")
    inside = within_cone(ra, dec, *(_number(form, name) for name in ("coneRA", "coneDec", "coneRadiusDeg")))
    return np.where(inside, ra, np.nan), dec


def _join(
    upload: pa.Table,
    catalogue: pa.Table,
    served: ServedTable,
    form: Form,
    pairs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]],
) -> tuple[pa.Table, list[ServedColumn]]:
    """Distance, then the columns of both tables for every pair; a name may be there twice, as on the service."""
    row, partner, distance = pairs
    left = _some(upload, form.get("cols1")).take(pa.array(row))
    right = _some(catalogue, form.get("cols2")).take(pa.array(partner))
    columns = [DISTANCE, *describe_columns(left), *describe_columns(right, served.columns)]
    arrays = [pa.array(np.round(distance, 6)), *left.columns, *right.columns]
    return pa.Table.from_arrays(arrays, names=[column.name for column in columns]), columns


def _some(table: pa.Table, names: str | None) -> pa.Table:
    if not names:
        return table
    wanted = [name.strip() for name in names.split(",")]
    if missing := [name for name in wanted if name not in table.column_names]:
        raise BadRequest(f"column {missing[0]!r} does not exist, there are {', '.join(table.column_names)}")
    return table.select(wanted)
