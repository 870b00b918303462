"""Replies that end: none takes longer, or grows larger, than the limits of its service allow.

The timeouts of http.client, urllib3 and requests are for each part of a reply: a byte a second keeps them content for
ever. These bounds hold for a reply as a whole, under whichever library reads it, and for what it unpacks to.
"""

from __future__ import annotations

import io
import time
from http.client import HTTPResponse
from typing import Any

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPHeaderDict, HTTPSConnectionPool
from urllib3 import HTTPResponse as Reply
from urllib3.connection import HTTPConnection, HTTPSConnection

from tasks.archives.limits import ServiceLimits

PART_BYTES = 1 << 18
PACKED = ("content-encoding", "content-length", "transfer-encoding")  # headers of a reply that is packed


class EndlessReply(Exception):
    """A reply that took too long, or (`is_large`) grew too large. Stays inside the clients, as BadReply does."""

    def __init__(self, said: str, is_large: bool) -> None:
        super().__init__(said)
        self.is_large = is_large


class _Within(io.RawIOBase):
    """The bytes of one reply, until its time or its size is used up; then EndlessReply."""

    def __init__(self, raw: io.RawIOBase, limits: ServiceLimits) -> None:
        self._raw, self._limits = raw, limits
        self._until, self._n_bytes = time.monotonic() + limits.reply_s, 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Reads what came into `buffer`; returns how many bytes."""
        if time.monotonic() > self._until:
            raise EndlessReply(f"did not end its reply within {self._limits.reply_s:g} s", is_large=False)
        n = self._raw.readinto(buffer)
        self._n_bytes += n or 0
        if self._n_bytes > self._limits.reply_bytes:
            raise EndlessReply(f"sent a reply of more than {self._limits.reply_bytes:,} bytes", is_large=True)
        return n

    def close(self) -> None:
        """Closes the connection's file too."""
        self._raw.close()
        super().close()


def bounded_response(limits: ServiceLimits) -> type[HTTPResponse]:
    """A `response_class` for connections of http.client, whose replies stay within the limits."""

    class Bounded(HTTPResponse):
        def __init__(self, sock: Any, *args: Any, **options: Any) -> None:
            super().__init__(sock, *args, **options)
            self.fp = io.BufferedReader(_Within(self.fp.detach(), limits))

    return Bounded


def bounded_pools(limits: ServiceLimits) -> dict[str, Any]:
    """Classes of urllib3's connection pools by scheme, whose replies stay within the limits."""
    response = bounded_response(limits)
    plain = type("Plain", (HTTPConnection,), {"response_class": response})
    secure = type("Secure", (HTTPSConnection,), {"response_class": response})
    return {
        "http": type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }


def unpack(raw: BaseHTTPResponse, limits: ServiceLimits) -> BaseHTTPResponse:
    """The reply `raw`, read to its end and unpacked, as one that never was packed (Content-Encoding).

    A part is unpacked at a time, and none beyond `reply_bytes`: a few kilobytes may unpack to gigabytes. A reply that
    is not packed stays unread.
    """
    if "content-encoding" not in raw.headers:
        return raw
    body = io.BytesIO()
    for part in raw.stream(PART_BYTES, decode_content=True):
        if body.write(part) and body.tell() > limits.reply_bytes:
            raw.close()
            raise EndlessReply(f"sent a reply that unpacks to more than {limits.reply_bytes:,} bytes", is_large=True)
    body.seek(0)
    headers = HTTPHeaderDict({name: value for name, value in raw.headers.items() if name.lower() not in PACKED})
    return Reply(body, headers, raw.status, raw.version, reason=raw.reason, preload_content=False)
