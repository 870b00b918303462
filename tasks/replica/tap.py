"""TAP services: synchronous queries, and what a service says about itself. Asynchronous jobs are in `uws`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from schemas import BadInput
from tasks.replica.documents import digest, document_response, error_response, parameters_of, xml_response
from tasks.replica.forms import Form, read_form
from tasks.replica.holdings import Holdings
from tasks.replica.jobs import Answer, Job
from tasks.replica.query import FAULTS, Site, answer, read_parameters
from tasks.replica.served import ServedTable
from tasks.replica.state import State
from tasks.replica.uploads import read_uploads
from tasks.replica.uws import Asynchronous
from tasks.replica.vosi import availability, capabilities, one_table, tableset

SITES = (
    Site("gaia_tap", "gaia", "/tap-server/tap", is_gaia=True),
    Site("mast_ps1", "ps1", "/mast/vo-tap/api/v0.1/ps1dr2", tells_overflow=False),
    Site("mast_tic", "tic", "/mast/vo-tap/api/v0.1/tic", tells_overflow=False),
    # Text in IRSA's uploads must be bytes, says who uses it; unconfirmed.
    Site("irsa_tap", "irsa", "/irsa/TAP", takes_unicode=False),
)


def routes(holdings: Holdings, state: State) -> list[Route]:
    """Routes of the four TAP services."""
    connection = holdings.connect()
    services = (TapService(site, holdings.tables(site.holdings), connection, state) for site in SITES)
    return [route for service in services for route in service.routes()]


class TapService:
    """One TAP service over its archive's tables, by lower-case qualified name."""

    def __init__(
        self, site: Site, tables: Mapping[str, ServedTable], connection: duckdb.DuckDBPyConnection, state: State
    ) -> None:
        self.site, self.tables, self.connection, self.state = site, tables, connection, state

    def routes(self) -> list[Route]:
        """Every address of the service: TAP's own, its asynchronous jobs, and what VOSI asks for."""
        base = self.site.base
        about: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "/tables": self.about_tables,
            "/tables/{name:path}": self.about_table,
            "/capabilities": self.about_capabilities,
            "/availability": self.about_availability,
            "/notification": self.notification,
        }
        return [
            Route(f"{base}/sync", self.sync, methods=["GET", "POST"]),
            *Asynchronous(self.site, self.state, self._work).routes(),
            *(Route(base + path, page, methods=["GET"]) for path, page in about.items()),
        ]

    def _cap(self, is_async: bool) -> int | None:
        return self.state.limits.row_caps.get(self.site.service, (None, None))[is_async]

    def _work(self, job: Job, request: Request) -> Answer:
        asked = read_parameters(job.parameters, self._cap(is_async=True), job.fault)
        document, n_rows, n_items = answer(self.site, self.tables, self.connection, asked, job.uploads)
        self.state.note(request, n_rows=n_rows, n_items=n_items)
        return document

    async def sync(self, request: Request) -> Response:
        """POST or GET /sync: the result of the query at once, or an error document."""
        try:
            return await run_in_threadpool(self._sync, request, await read_form(request))
        except (BadInput, ValueError) as error:
            return error_response(str(error))

    def _sync(self, request: Request, form: Form) -> Response:
        uploads, parameters = read_uploads(form), parameters_of(form)
        self.state.note(request, digest=digest(parameters, uploads))
        asked = read_parameters(parameters, self._cap(is_async=False), self.state.take(request, *FAULTS))
        document, n_rows, n_items = answer(self.site, self.tables, self.connection, asked, uploads)
        self.state.note(request, n_rows=n_rows, n_items=n_items)
        return document_response(document, "result")

    async def about_tables(self, request: Request) -> Response:
        """GET /tables: the tables asked for, all where none is named; 404 for an unknown one."""
        wanted = request.query_params.get("tables")
        names = [name.strip().lower() for name in wanted.split(",")] if wanted else list(self.tables)
        if unknown := [name for name in names if name not in self.tables]:
            return error_response(f"unknown table {', '.join(unknown)}", 404)
        is_short = request.query_params.get("only_tables") == "true" or request.query_params.get("detail") == "min"
        return xml_response(tableset([self.tables[name] for name in names], is_short, self.site.is_gaia))

    async def about_table(self, request: Request) -> Response:
        """GET /tables/{name}: one table with its columns; 404 where it is unknown."""
        name = request.path_params["name"].lower()
        if name not in self.tables:
            return error_response(f'unknown table "{name}"', 404)
        return xml_response(one_table(self.tables[name], self.site.is_gaia))

    async def about_capabilities(self, request: Request) -> Response:
        """GET /capabilities: what the service can do, and its limits."""
        base = str(request.base_url).rstrip("/") + self.site.base
        return xml_response(capabilities(base, self._cap(is_async=True)))

    async def about_availability(self, request: Request) -> Response:
        """GET /availability: the service is available."""
        return xml_response(availability())

    async def notification(self, request: Request) -> Response:
        """Gaia's messages to all users, read when `astroquery.gaia` is imported: there are none."""
        return PlainTextResponse("")
