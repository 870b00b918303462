"""A small sky behind a real server on a real port, for the tests of the replica's endpoints."""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

import uvicorn

from tasks.replica.app import create_app
from tasks.replica.holdings import Holdings, build
from tasks.replica.state import State

N, SEED = 300, 7


@cache
def small_sky() -> Holdings:
    """Holdings of a few hundred objects, made once per test process."""
    folder = tempfile.TemporaryDirectory(prefix="replica-")
    small_sky.folder = folder  # type: ignore[attr-defined]  # removed when the process ends
    return Holdings(build(Path(folder.name), N, SEED))


@dataclass(frozen=True)
class Server:
    url: str
    holdings: Holdings
    state: State


@contextmanager
def serving(*services: ModuleType) -> Iterator[Server]:
    """The replica with some of its services; its state is at hand for faults, limits and the log of requests."""
    holdings, state = small_sky(), State()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(holdings, state, services), log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield Server(f"http://127.0.0.1:{listening.getsockname()[1]}", holdings, state)
    finally:
        server.should_exit = True
        thread.join()
