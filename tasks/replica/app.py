"""The replica as one application: every archive's services over the same holdings, and pages of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from types import ModuleType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from schemas import BadInput
from tasks.replica import cdn, datalink, lightcurves_ztf, portal, tap, truth, xmatch
from tasks.replica.faults import Door
from tasks.replica.holdings import HOLDINGS_VERSION, Holdings
from tasks.replica.state import State

SERVICES = (tap, datalink, portal, lightcurves_ztf, xmatch, truth, cdn)


def create_app(holdings: Holdings, state: State | None = None, services: Sequence[ModuleType] = SERVICES) -> ASGIApp:
    """The ASGI application that serves `holdings`; `state` lets a test reach its faults, log and limits."""
    state = state or State()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        state.jobs.close()

    found = [route for service in services for route in service.routes(holdings, state)]
    return Door(Starlette(routes=[*found, *_own_pages(holdings, state)], lifespan=lifespan), state)


def name_of(holdings: Holdings) -> str:
    """What tells this sky from any other, whatever the port: it goes into every request's hash."""
    return f"replica-{holdings.n}-{holdings.seed}-v{HOLDINGS_VERSION}"


def _own_pages(holdings: Holdings, state: State) -> list[Route]:
    """Pages that no archive has and no client of the project asks for: /_about, /_log, /_faults, /_limits."""

    async def about(request: Request) -> Response:
        about = {"name": name_of(holdings), "n": holdings.n, "seed": holdings.seed, "version": HOLDINGS_VERSION}
        return JSONResponse(about)

    async def log(request: Request) -> Response:
        if request.method == "DELETE":
            state.log.clear()
        return JSONResponse(state.log.entries())

    async def faults(request: Request) -> Response:
        if request.method == "DELETE":
            state.faults.clear()
        elif request.method == "POST":
            try:
                given = await _json(request)
                state.faults.add(given if isinstance(given, list) else [given])
            except (BadInput, TypeError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(state.faults.waiting())

    async def limits(request: Request) -> Response:
        if request.method == "POST":
            try:
                state.limits.change(await _json(request))
            except (BadInput, TypeError, KeyError, IndexError) as error:
                return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(asdict(state.limits))

    return [
        Route("/_about", about, methods=["GET"]),
        Route("/_log", log, methods=["GET", "DELETE"]),
        Route("/_faults", faults, methods=["GET", "POST", "DELETE"]),
        Route("/_limits", limits, methods=["GET", "POST"]),
    ]


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError:
        raise BadInput(f"the body of POST {request.url.path} is no JSON") from None
