"""A proxy between the clients and a replica that spoils replies: each in a way, at a service, the n-th of a kind.

What it spoils it sends as a whole and valid HTTP reply, so that no library notices: lists that end too early or have
nothing but a header, rows twice or of another star, files that unpack without end, replies that trickle for ever.
"""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tasks.replica.state import service_of

# Ends of the paths that bring what is asked for: a job's result, or a direct reply.
RESULT, REPLY = r"results/result$", r"data$|invoke$|nph_light_curves$|sync$|truth$|\.csv\.gz$|_MD5SUM\.txt$"
Change = Callable[[bytes], bytes]
STRANGER = 9_000_000_000_000_000_000  # larger than any id of Gaia


def cut_at_line(body: bytes) -> bytes:
    """The header and the first half of the rows, whole lines."""
    head, *lines = body.splitlines(keepends=True)
    return b"".join([head, *lines[: len(lines) // 2]])


def cut_last_line(body: bytes) -> bytes:
    """All lines but the last."""
    return b"".join(body.splitlines(keepends=True)[:-1])


def cut_in_line(body: bytes) -> bytes:
    """All but the end of the last line: its last cell is shorter, or another line was."""
    return body[:-2]


def header_only(body: bytes) -> bytes:
    """The header line."""
    return body.splitlines(keepends=True)[0]


def duplicate_rows(body: bytes) -> bytes:
    """The header, and every row twice."""
    head, *lines = body.splitlines(keepends=True)
    return b"".join([head, *(line for line in lines for _ in range(2))])


def rows_of_another(body: bytes) -> bytes:
    """The rows, the first of which is about another item: its first cell is an id that nobody has."""
    head, first, *lines = body.splitlines(keepends=True)
    return b"".join([head, b"%d" % STRANGER + first[first.index(b",") :], *lines])


def no_number(body: bytes) -> bytes:
    """The rows, with a word where the first has a number."""
    head, first, *lines = body.splitlines(keepends=True)
    return b"".join([head, b"word" + first[first.index(b",") :], *lines])


def no_rows_of_json(body: bytes) -> bytes:
    """A page of the MAST portal with no row on it, although its paging counts some."""
    return json.dumps({**json.loads(body), "data": []}).encode()


def empty_page(body: bytes) -> bytes:
    """A page of the MAST portal that says by itself that there is nothing."""
    page = json.loads(body)
    paging = dict.fromkeys(("rows", "rowsFiltered", "rowsTotal"), 0)
    return json.dumps({**page, "data": [], "paging": page["paging"] | paging}).encode()


def giant_member(n_bytes: int) -> Change:
    """A small zip file whose one member unpacks to `n_bytes`."""

    def change(body: bytes) -> bytes:
        packed = io.BytesIO()
        with (
            zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
            archive.open("EPOCH_PHOTOMETRY-Gaia DR3 1.csv", "w", force_zip64=True) as member,
        ):
            for _ in range(n_bytes >> 20):
                member.write(bytes(1 << 20))
        return packed.getvalue()

    return change


def same(body: bytes) -> bytes:
    """The reply as it is."""
    return body


@dataclass
class Trick:
    """What happens to `count` replies of a service whose path matches, after `after` of them."""

    service: str
    change: Change
    path: str
    after: int
    count: int
    drip_s: float  # between two bytes
    status: int | None
    headers: dict[str, str]


class HostileProxy:
    """The proxy at `url`; `tricks` wait for their replies, `n_spoiled` counts those that were met."""

    def __init__(self, upstream: str) -> None:
        self.upstream = urlsplit(upstream).netloc
        self.tricks: list[Trick] = []
        self.n_spoiled = 0
        self.closing = threading.Event()
        self._mutex = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def spoil(self, service: str, change: Change = same, *, path: str = f"{RESULT}|{REPLY}", after: int = 0,
              count: int = 1, drip_s: float = 0.0, status: int | None = None, **headers: str) -> None:  # fmt: skip
        """Spoil `count` replies of a service, after the first `after` that match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.tricks.append(Trick(service, change, path, after, count, drip_s, status, named))

    def take(self, path: str) -> Trick | None:
        """The trick for this reply, if any."""
        with self._mutex:
            for trick in self.tricks:
                if trick.count and trick.service == service_of(path) and re.search(trick.path, path):
                    trick.after -= 1
                    if trick.after < 0:
                        trick.count -= 1
                        self.n_spoiled += 1
                        return trick
        return None

    def close(self) -> None:
        """Ends the proxy and what it still sends."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def hostile_proxy(upstream: str) -> Iterator[HostileProxy]:
    """A proxy before the replica at `upstream`."""
    proxy = HostileProxy(upstream)
    try:
        yield proxy
    finally:
        proxy.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Clients that give up are what is tested."""


def _handler(proxy: HostileProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream = HTTPConnection(proxy.upstream, timeout=60)
            # With the client's own Host: the replica names its jobs by it, at our address.
            upstream.request(self.command, self.path, body, dict(self.headers))
            reply = upstream.getresponse()
            content = reply.read()
            upstream.close()
            trick = proxy.take(urlsplit(self.path).path)
            self.send(reply.status, dict(reply.headers), content, trick)

        def send(self, status: int, headers: dict[str, str], content: bytes, trick: Trick | None) -> None:
            if trick is not None:
                content, status = trick.change(content), trick.status or status
                headers |= trick.headers
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if trick is None or not trick.drip_s:
                self.wfile.write(content)
                return
            for place in range(len(content)):
                self.wfile.write(content[place : place + 1])
                if proxy.closing.wait(trick.drip_s):
                    return

        do_GET = do_POST = do_DELETE = forward

        def log_message(self, *_: object) -> None:
            """Quiet."""

    return Handler
