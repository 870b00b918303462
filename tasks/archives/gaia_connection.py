"""TapPlus as astroquery has it, on connections that time out, say nothing, and tell a refusal from an answer."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import urlsplit

from tasks.archives.bounded import bounded_response
from tasks.archives.errors import Refused, Retryable
from tasks.archives.libraries import ConnectionHandler, TapConn, TapPlus
from tasks.archives.limits import ServiceLimits
from tasks.archives.replies import BadReply, is_page

USER, PASSWORD = "ARGELANDER_GAIA_USER", "ARGELANDER_GAIA_PASSWORD"
REDIRECTS = 5


class _Once(HTTPConnection):
    """A connection for one request, as TapPlus uses them; it is closed with the reply and not when it is collected."""

    def request(self, method: str, url: str, body: Any = None, headers: Any = None, **options: Any) -> None:
        """Sends a request that closes its connection."""
        super().request(method, url, body, {**(headers or {}), "Connection": "close"}, **options)


class _OnceSecure(_Once, HTTPSConnection):
    pass


class _Sockets(ConnectionHandler):
    """Makes http.client connections with a timeout and with bounded replies; astroquery's own have neither."""

    def __init__(self, host: str, port: int, limits: ServiceLimits) -> None:
        super().__init__(host, port, port)
        self._address, self._timeout_s = (host, port), limits.timeout_s
        self._response = bounded_response(limits)

    def get_connection(
        self, *, ishttps: bool = False, cookie: str | None = None, verbose: bool = False
    ) -> HTTPConnection:
        """A plain connection, or a secure one where a session or HTTPS asks for it."""
        if ishttps or cookie is not None:
            return self.get_connection_secure(verbose)
        return self._bounded(_Once(*self._address, timeout=self._timeout_s))

    def get_connection_secure(self, verbose: bool = False) -> HTTPConnection:
        """A connection over TLS."""
        return self._bounded(_OnceSecure(*self._address, timeout=self._timeout_s))

    def _bounded(self, connection: _Once) -> HTTPConnection:
        connection.response_class = self._response
        return connection


class Connection(TapConn):
    """Raises BadReply where astroquery prints and raises an error without status, and keeps the login's cookie."""

    cookie: str | None = None

    def set_cookie(self, cookie: str) -> None:
        """Keeps the session's cookie here too: another thread's connection takes it over."""
        self.cookie = cookie
        super().set_cookie(cookie)

    def execute_tapget(self, *args: Any, **options: Any) -> HTTPResponse:
        """The reply to a GET; BadReply for an error or a page."""
        return _check_reply(super().execute_tapget(*args, **options))

    def execute_tappost(self, *args: Any, **options: Any) -> HTTPResponse:
        """The reply to a POST; BadReply for an error or a page."""
        return _check_reply(super().execute_tappost(*args, **options))

    def execute_datapost(self, *args: Any, **options: Any) -> HTTPResponse:
        """The reply of the data server to a POST; BadReply for an error or a page."""
        return _check_reply(super().execute_datapost(*args, **options))

    def check_launch_response_status(
        self, response: HTTPResponse, debug: bool, expected_response_status: int, *, raise_exception: bool = True
    ) -> bool:
        """False for the expected status; BadReply for any other."""
        if response.status != expected_response_status:
            raise BadReply(response.status, _read(response), dict(response.headers))
        return False


class Login:
    """The login that the environment names, if any, made once for all threads of a client."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._lock = threading.Lock()
        self._cookie: str | None = None

    def enter(self, tap: TapPlus, connection: Connection, is_https: bool) -> None:
        """Make `connection` a logged in one. Passwords travel over HTTPS alone: elsewhere everybody is anonymous."""
        user, password = os.environ.get(USER), os.environ.get(PASSWORD)
        if not is_https or not (user or password):
            return
        if not (user and password):
            raise Refused(f"{self._service} needs both {USER} and {PASSWORD} for a login: set both or neither.")
        with self._lock:
            if self._cookie is None:
                try:
                    tap.login(user=user, password=password)
                except BadReply as reply:
                    if reply.status not in (400, 401, 403):
                        raise
                    raise Refused(
                        f"{self._service} did not accept the login (status {reply.status}): "
                        f"look at {USER} and {PASSWORD}."
                    ) from None
                if connection.cookie is None:
                    raise Refused(f"{self._service} took the login but gave no session: log in by hand to see why.")
                self._cookie = connection.cookie
            elif connection.cookie != self._cookie:
                connection.set_cookie(self._cookie)

    @contextmanager
    def renew(self, connection: Connection) -> Iterator[None]:
        """Where the service ends our session inside of the block (status 401), the next attempt logs in anew."""
        try:
            yield
        except BadReply as reply:
            if reply.status != 401 or connection.cookie is None:
                raise
            with self._lock:
                self._cookie = None
            raise Retryable(f"{self._service} ended our session (status 401): we log in anew.", 0.0) from None


def open_tap(url: str, limits: ServiceLimits, *, is_data: bool = False) -> tuple[TapPlus, Connection]:
    """A TapPlus at `url`, of the TAP service or (`is_data`) of the DataLink server. Asks nothing yet.

    It is cheap and, since its headers are shared by all its calls, for one thread alone.
    """
    address = urlsplit(url)
    is_https = address.scheme == "https"
    port = address.port or (443 if is_https else 80)
    place = address.path.strip("/")
    server, _, tap = (place, "", "tap") if is_data else place.rpartition("/")
    connection = Connection(
        is_https,
        address.hostname,
        port=port,
        sslport=port,
        server_context=server,
        tap_context=tap,
        data_context="data",
        datalink_context="datalink",
        connhandler=_Sockets(address.hostname or "", port, limits),
    )
    return TapPlus(url=url, connhandler=connection, use_names_over_ids=True), connection


def fetch_document(connection: Connection, path: str) -> bytes:
    """The whole document at `path` of the TAP service, wherever it redirects to.

    Read in one piece: by pieces, http.client takes a reply that breaks off for one that ends.
    """
    response = connection.execute_tapget(path)
    for _ in range(REDIRECTS):
        if response.status not in (301, 302, 303, 307):
            break
        response.read()
        response = connection.execute_tapget(response.headers["Location"])
    return response.read()


def _check_reply(response: HTTPResponse) -> HTTPResponse:
    """The response, unless its status is an error or it is a web page."""
    if response.status >= 400:
        raise BadReply(response.status, _read(response), dict(response.headers))
    if response.status == 200 and "html" in response.headers.get("Content-Type", ""):
        body = _read(response)
        if is_page(body):
            raise BadReply(response.status, body, dict(response.headers))
        raise HTTPException("a reply declared as HTML which is none")
    return response


def _read(response: HTTPResponse) -> bytes:
    """The body of a reply that is quoted and nothing else: what came of it will do."""
    try:
        return response.read()
    except IncompleteRead as error:
        return error.partial
