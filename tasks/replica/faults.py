"""The door of the replica: every request is logged there, and gets the fault of the wire that was ordered for it."""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from http import HTTPStatus
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.replica.state import WIRE_FAULTS, Fault, State, service_of

PAGE = (
    "<!DOCTYPE html>\n<html><head><title>Maintenance</title></head><body>\n<h1>Service under maintenance</h1>\n"
    "<p>The archive is temporarily unavailable. Please try again later.</p>\n</body></html>\n"
)


class Door:
    """ASGI middleware around the whole application; the replica's own pages ("/_...") pass unseen.

    It stands outside of any other middleware, next to the server: a dropped connection needs the server's own hands.
    """

    def __init__(self, app: ASGIApp, state: State) -> None:
        self.app, self.state = app, state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "//" in scope["path"]:
            # pyvo asks for ".../ps1dr2//sync" where the base URL ends in a slash, as MAST's own examples do.
            scope["path"] = re.sub("/+", "/", scope["path"])
            scope["raw_path"] = scope["path"].encode()
        if scope["type"] != "http" or service_of(scope["path"]) == "admin":
            await self.app(scope, receive, send)
            return
        service, path, log = service_of(scope["path"]), scope["path"], self.state.log
        entry = log.begin(service, scope["method"], path, self.state.jobs.active(service))
        scope["entry"] = entry
        fault = self.state.faults.take(service, path, WIRE_FAULTS)
        wire = Wire(scope, receive, send, entry)
        try:
            if fault is None:
                await asyncio.sleep(self.state.limits.answer_seconds.get(service, 0.0))
                await self.app(scope, wire.receive, wire.send)
            else:
                entry["fault"] = fault.kind
                await self._send_fault(fault, scope, wire)
        finally:
            entry.setdefault("digest", wire.digest())  # a route that knows better what was asked has noted its own
            log.end(entry)

    async def _send_fault(self, fault: Fault, scope: Scope, wire: Wire) -> None:
        if fault.kind in ("drop", "truncated_zip") and fault.bytes >= 0:
            start, body = await self._answer(scope, wire)
            kept = body[: fault.bytes or len(body) // 2]
            length = len(kept) if fault.kind == "truncated_zip" else len(body)
            await wire.start(start["status"], start["headers"], length)
            # Sending less than was announced makes the server close the connection: the client sees it drop.
            await wire.send({"type": "http.response.body", "body": kept, "more_body": fault.kind == "drop"})
            return
        await wire.drain()
        if fault.kind == "status":
            headers = [(b"content-type", b"text/html")]
            if fault.retry_after is not None:
                headers.append((b"retry-after", f"{fault.retry_after:g}".encode()))
            body = (fault.body or HTTPStatus(fault.status).phrase).encode()
            await wire.whole(fault.status, headers, body)
        elif fault.kind == "html":
            await wire.whole(200, [(b"content-type", b"text/html")], (fault.body or PAGE).encode())
        else:
            if fault.kind == "hang":
                await wire.wait_until_closed(fault.seconds)
            await wire.abort()

    async def _answer(self, scope: Scope, wire: Wire) -> tuple[Message, bytes]:
        """What the application would have answered."""
        start: Message = {"status": 500, "headers": []}
        parts: list[bytes] = []

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                parts.append(message.get("body", b""))

        await self.app(scope, wire.receive, keep)
        return start, b"".join(parts)


class Wire:
    """One request's connection: what goes over it is counted into the log's entry."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, entry: dict[str, Any]) -> None:
        self._receive, self._send, self._entry = receive, send, entry
        query = scope.get("query_string", b"")
        self._digest = hashlib.blake2b(f"{scope['method']} {scope['path']}?".encode() + query, digest_size=8)
        entry["query"] = query[:500].decode("latin-1")
        self._is_read = False

    async def receive(self) -> Message:
        """The next message of the request; its body is counted in the log and enters the digest."""
        message = await self._receive()
        if message["type"] == "http.request":
            body = message.get("body", b"")
            self._entry["bytes_in"] += len(body)
            self._digest.update(body)
            self._is_read = not message.get("more_body", False)
        return message

    def digest(self) -> str:
        """The request's method, address and body: 16 hex digits."""
        return self._digest.hexdigest()

    async def send(self, message: Message) -> None:
        """Send a message of the answer; its status and bytes go to the log."""
        if message["type"] == "http.response.start":
            self._entry["status"] = message["status"]
        else:
            self._entry["bytes_out"] += len(message.get("body", b""))
        await self._send(message)

    async def drain(self) -> None:
        """Take in the whole request, so that a client still sending does not see a broken pipe."""
        while not self._is_read and (await self.receive())["type"] == "http.request":
            pass

    async def wait_until_closed(self, seconds: float) -> None:
        """Stay silent until the client gives up or `seconds` have passed."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self._receive(), left)
            except TimeoutError:
                return
            if message["type"] == "http.disconnect":
                return

    async def abort(self) -> None:
        """Close the connection without an answer. uvicorn's `send` belongs to the object that holds the socket."""
        self._send.__self__.transport.abort()  # type: ignore[attr-defined]
        await self._receive()  # returns when the server knows that the client is gone, and will not answer for us

    async def start(self, status: int, headers: list[tuple[bytes, bytes]], length: int) -> None:
        """Send the head of an answer that announces `length` bytes, whatever length `headers` announce."""
        kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        length_header = (b"content-length", str(length).encode())
        await self.send({"type": "http.response.start", "status": status, "headers": [*kept, length_header]})

    async def whole(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a complete answer."""
        await self.start(status, headers, len(body))
        await self.send({"type": "http.response.body", "body": body})
