"""TAP services: synchronous queries, and what a service says about itself. Asynchronous jobs are in `uws`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

import duckdb
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from schemas import BadInput
from tasks.replica import tap_schema
from tasks.replica.documents import digest, document_response, error_response, parameters_of, xml_response
from tasks.replica.dr4 import declared
from tasks.replica.forms import Form, read_form
from tasks.replica.holdings import Holdings
from tasks.replica.jobs import Answer, Job
from tasks.replica.query import FAULTS, Asked, Site, answer, read_parameters
from tasks.replica.served import ServedTable
from tasks.replica.state import Fault, State
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
    services = (TapService(site, holdings, connection, state) for site in SITES)
    return [route for service in services for route in service.routes()]


class TapService:
    """One TAP service over its archive's tables, by lower-case qualified name."""

    def __init__(self, site: Site, holdings: Holdings, connection: duckdb.DuckDBPyConnection, state: State) -> None:
        self.site, self.holdings, self.connection, self.state = site, holdings, connection, state
        self.held = holdings.tables(site.holdings)

    @property
    def tables(self) -> Mapping[str, ServedTable]:
        """Every table of the service by its lower-case qualified name, but for TAP_SCHEMA."""
        return {**self.held, **{name: shown for name, (_, shown) in self._later().items()}}

    def _later(self) -> Mapping[str, tuple[ServedTable, ServedTable]]:
        """The tables of DR4 as they are held and as the switches have them, by name; Gaia's service alone has them."""
        return declared.served(self.state.limits.dr4) if self.site.is_gaia else {}

    def _attach(self, cursor: duckdb.DuckDBPyConnection, text: str) -> dict[str, ServedTable]:
        """The tables beside those of the holdings. DR4 is made when a query first names a table of it."""
        text, later = text.lower(), self._later()
        for name, (held, shown) in later.items():
            if name in text:
                self.holdings.dr4.attach(cursor, held, shown)
        found = {name: shown for name, (_, shown) in later.items()}
        if tap_schema.NAME not in text:
            return found
        tap_schema.attach(cursor, self.tables.values())
        return found | tap_schema.EVERY

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

    def _asked(self, parameters: Mapping[str, str], is_async: bool, fault: Fault | None) -> Asked:
        words = self.state.limits.boolean_words
        return read_parameters(parameters, self._cap(is_async), fault, words)

    def _work(self, job: Job, request: Request) -> Answer:
        asked = self._asked(job.parameters, True, job.fault)
        document, n_rows, n_items = answer(self.site, self.held, self.connection, asked, job.uploads, self._attach)
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
        asked = self._asked(parameters, False, self.state.take(request, *FAULTS))
        document, n_rows, n_items = answer(self.site, self.held, self.connection, asked, uploads, self._attach)
        self.state.note(request, n_rows=n_rows, n_items=n_items)
        return document_response(document, "result")

    async def about_tables(self, request: Request) -> Response:
        """GET /tables: the tables asked for, all where none is named; 404 for an unknown one."""
        wanted = request.query_params.get("tables")
        tables = self.tables
        names = [name.strip().lower() for name in wanted.split(",")] if wanted else list(tables)
        if unknown := [name for name in names if name not in tables]:
            return error_response(f"unknown table {', '.join(unknown)}", 404)
        is_short = request.query_params.get("only_tables") == "true" or request.query_params.get("detail") == "min"
        return xml_response(tableset([tables[name] for name in names], is_short, self.site.is_gaia))

    async def about_table(self, request: Request) -> Response:
        """GET /tables/{name}: one table with its columns; 404 where it is unknown."""
        name, tables = request.path_params["name"].lower(), self.tables
        if name not in tables:
            return error_response(f'unknown table "{name}"', 404)
        return xml_response(one_table(tables[name], self.site.is_gaia))

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
