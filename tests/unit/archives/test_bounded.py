"""A reply ends: whatever trickles for ever or grows without end is left after the limits of its service."""

import gzip
import time
from dataclasses import replace

import pytest

from tasks.archives.errors import Retryable, TooMuch
from tests.hostile_proxy import hostile_proxy, same
from tests.unit.archives.test_client_transport import LIMITS, QUESTIONS, ask
from tests.unit.archives.wire_server import Reply, wire_server

REPLY_S = 0.4


def bounded(**changes):
    return {name: replace(limits, **changes) for name, limits in LIMITS.items()}


@pytest.fixture(scope="module")
def running():
    with wire_server() as server:
        yield server


@pytest.fixture
def server(running):
    """Any service: a job is begun with a long reply, everything else gives one too."""
    running.answer = lambda asked: Reply(200, b"x" * 5000)
    return running


@pytest.fixture
def proxy(server):
    with hostile_proxy(server.url) as between:
        yield between


@pytest.mark.parametrize("service", QUESTIONS)
def test_a_reply_that_trickles_is_left_in_time(proxy, service):
    """Each byte comes long before the timeout for silence."""
    proxy.spoil(service, same, path="", count=99, drip_s=0.02)
    began = time.monotonic()
    with pytest.raises(Retryable, match=f"{service} did not end its reply within {REPLY_S} s") as caught:
        ask(proxy.url, service, bounded(reply_s=REPLY_S, timeout_s=5.0))
    assert REPLY_S <= time.monotonic() - began < REPLY_S + 1.5
    assert caught.value.is_load and proxy.n_spoiled >= 1


@pytest.mark.parametrize("service", QUESTIONS)
def test_a_reply_that_grows_too_large_is_too_much(proxy, service):
    with pytest.raises(TooMuch, match=f"{service} sent a reply of more than 2,000 bytes"):
        ask(proxy.url, service, bounded(reply_bytes=2000))


def test_a_reply_that_unpacks_to_too_much_is_too_much(server):
    """A compressed reply of a few kilobytes is bounded by what it unpacks to, and read as usual below that."""
    rows = b"source_id\n" + b"1\n" * 500_000
    server.answer = lambda asked: Reply(200, gzip.compress(rows), {"Content-Encoding": "gzip"})
    with pytest.raises(TooMuch, match="truth sent a reply that unpacks to more than 900,000 bytes"):
        ask(server.url, "truth", bounded(reply_bytes=900_000))
    assert ask(server.url, "truth", bounded(reply_bytes=2_000_000)) == rows
    server.answer = lambda asked: Reply(200, gzip.compress(rows)[:-100], {"Content-Encoding": "gzip"})
    with pytest.raises(Retryable, match="truth"):
        ask(server.url, "truth", bounded(reply_bytes=2_000_000))


def test_a_head_that_trickles_is_left_too():
    """No body ever begins: the bounds hold from the status line on."""
    import socket
    import threading

    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def trickle():
        connection, _ = listener.accept()
        with connection:
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Header: x\r\n" * 50:
                if over.wait(0.02):
                    return
                connection.sendall(bytes([byte]))

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    try:
        with pytest.raises(Retryable, match="did not end its reply within"):
            ask(f"http://127.0.0.1:{listener.getsockname()[1]}", "truth", bounded(reply_s=REPLY_S, timeout_s=5.0))
    finally:
        over.set()
        listener.close()


def test_bounds_are_of_each_reply_and_not_of_all(server):
    """One connection, many replies: each may be as long as the limit."""
    limits = bounded(reply_bytes=6000)
    for _ in range(3):
        with pytest.raises(Retryable, match="ends in the middle of a line"):
            ask(server.url, "truth", limits)
