"""A small real HTTP server for the tests of the clients: it answers by a function, hangs, and drops connections."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

PAGE = b"<!DOCTYPE html>\n<html><head><title>x</title></head><body>Down for <b>maintenance</b></body></html>"


@dataclass
class Reply:
    """What is sent: `drop` closes the connection in the middle of the body, `hang_s` waits before anything is sent."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    drop: bool = False
    hang_s: float = 0.0


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    headers: Any

    @property
    def form(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


class WireServer:
    """Answers with `answer(asked)`; `asked` logs the requests in order."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answer: Callable[[Asked], Reply] = lambda asked: Reply(404, b"nothing here")
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_address[1]}"
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def wire_server(tls: ssl.SSLContext | None = None) -> Iterator[WireServer]:
    server = WireServer(tls)
    try:
        yield server
    finally:
        server.close()


def _handler(server: WireServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            address = urlsplit(self.path)
            asked = Asked(self.command, address.path, parse_qs(address.query), body, self.headers)
            server.asked.append(asked)
            reply = server.answer(asked)
            if reply.hang_s:
                server.closing.wait(reply.hang_s)
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": "text/plain", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: len(reply.body) // 2] if reply.drop else reply.body)
            self.close_connection = self.close_connection or reply.drop

        do_GET = do_POST = do_DELETE = _serve

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


UWS = """<?xml version="1.0" encoding="UTF-8"?>
<uws:job xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1">
<uws:jobId>{id}</uws:jobId><uws:ownerId>x</uws:ownerId><uws:phase>{phase}</uws:phase><uws:quote/>
<uws:creationTime>2026-11-20T00:00:00.000Z</uws:creationTime><uws:startTime/><uws:endTime/>
<uws:executionDuration>60</uws:executionDuration><uws:destruction>2026-11-30T00:00:00.000Z</uws:destruction>
<uws:parameters><uws:parameter id="query">SELECT 1</uws:parameter></uws:parameters>
<uws:results>{result}</uws:results>{error}</uws:job>"""


@dataclass
class TapArchive:
    """A TAP service whose jobs go through `phases`, one step for each time that somebody asks for the phase.

    `faults` maps (method, end of path) to replies that are given first, one each.
    """

    root: str = "/server/tap"
    phases: tuple[str, ...] = ("QUEUED", "EXECUTING", "COMPLETED")
    result: bytes = b"a,b\n1,x\n2,y\n"
    error: str = "no error"
    runs_at_once: bool = True  # PHASE=RUN in the creating request is honoured (Gaia), else after POST phase alone
    faults: dict[tuple[str, str], list[Reply]] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)  # steps of each job; -1: not told to run
    removed: list[str] = field(default_factory=list)
    queries: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Reply:
        for (method, end), replies in self.faults.items():
            if asked.method == method and asked.path.endswith(end) and replies:
                return replies.pop(0)
        path = asked.path.removeprefix(self.root)
        if asked.method == "POST" and path == "/async":
            return self._create(asked)
        if asked.method == "POST" and path == "/deletejobs":
            for id in asked.form["JOB_IDS"].split(","):
                self._remove(id)
            return Reply(200)
        parts = path.removeprefix("/async/").split("/")
        if parts[0] not in self.jobs:
            return Reply(404, b"no such job")
        return self._of_job(asked, parts[0], parts[1:])

    def _create(self, asked: Asked) -> Reply:
        self.queries.append(asked)
        id = f"job{len(self.queries)}"
        self.jobs[id] = 0 if self.runs_at_once else -1
        return Reply(303, b"", {"Location": f"http://{asked.headers['Host']}{self.root}/async/{id}"})

    def _remove(self, id: str) -> None:
        self.removed.append(id)
        self.jobs.pop(id, None)

    def _phase(self, id: str, step: bool) -> str:
        at = self.jobs[id]
        if at < 0:
            return "PENDING"
        if step:
            self.jobs[id] = min(at + 1, len(self.phases) - 1)
        return self.phases[at]

    def _of_job(self, asked: Asked, id: str, rest: list[str]) -> Reply:
        there = {"Location": f"http://{asked.headers['Host']}{self.root}/async/{id}"}
        if asked.method == "DELETE":
            self._remove(id)
            return Reply(303, b"", {"Location": f"http://{asked.headers['Host']}{self.root}/async"})
        if rest == ["phase"] and asked.method == "POST":
            self.jobs[id] = max(self.jobs[id], 0)
            return Reply(303, b"", there)
        if rest == ["executionduration"]:
            return Reply(303, b"", there)
        if rest == ["phase"]:
            return Reply(200, self._phase(id, step=True).encode())
        if rest == ["results", "result"]:
            return Reply(200, self.result, {"Content-Type": "text/csv"})
        if rest == ["error"]:
            return Reply(
                200, f'<VOTABLE><INFO name="QUERY_STATUS" value="ERROR">{self.error}</INFO></VOTABLE>'.encode()
            )
        phase = self._phase(id, step=True)
        result = f'<uws:result id="result" xlink:href="{there["Location"]}/results/result"/>'
        error = f'<uws:errorSummary type="fatal"><uws:message>{self.error}</uws:message></uws:errorSummary>'
        text = UWS.format(
            id=id, phase=phase, result=result if phase == "COMPLETED" else "", error=error if phase == "ERROR" else ""
        )
        return Reply(200, text.encode(), {"Content-Type": "text/xml"})


class KeptJob:
    """What is remembered of a job, in memory."""

    def __init__(self, url: str | None = None) -> None:
        self.url = url
        self.urls: list[str] = []

    def remember(self, url: str) -> None:
        self.url = url
        self.urls.append(url)
