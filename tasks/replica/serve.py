"""The replica as a process of its own, that ends when whoever started it does."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from schemas import BadInput
from schemas.parent import die_with_parent, end_with

HOST = "127.0.0.1"
# Idle connections are kept longer than clients pause between requests: a connection that the server closes just when
# a request is sent looks like a fault.
KEEP_ALIVE_S = 120
ANSWER_S = 30  # a replica that answers at all answers at once


def cache_folder() -> Path:
    """Where holdings are kept unless another folder is given: below $XDG_CACHE_HOME or ~/.cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "argelander" / "replica"


def serve(
    n: int, seed: int, folder: Path, port: int = 0, parent: int | None = None, dies_with_parent: bool = False
) -> None:
    """Build the holdings or find them, and serve them until the process is told to end.

    Prints one line of JSON, {"url": ...}, when requests are answered, and nothing else. `parent` is a process to end
    with; `dies_with_parent` asks the kernel for it too, which must not be done when a passing thread is the parent.
    BadInput where the port is taken.
    """
    stdout = _own_stdout()
    if dies_with_parent:
        die_with_parent()
    if parent is not None:
        end_with(parent)
    listener = _listen(port)

    import uvicorn

    from tasks.replica.app import create_app
    from tasks.replica.holdings import Holdings, build

    app = create_app(Holdings(build(folder, n, seed)))
    config = uvicorn.Config(
        app,
        log_level="critical",
        access_log=False,
        http="h11",
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        h11_max_incomplete_event_size=1 << 20,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    print(json.dumps({"url": url}), file=stdout, flush=True)
    asyncio.run(server.serve([listener]))


@contextmanager
def running(
    n: int, seed: int, folder: Path | str | None = None, port: int = 0, start_s: float = 900.0
) -> Iterator[str]:
    """A replica of the sky of `n` objects with `seed` in a process of its own: its base URL, while the context lasts.

    Waits until it answers, for `start_s` at most: the first start with a sky makes its holdings in `folder`.
    BadInput with the process's own last words where it does not come up.
    """
    command = [sys.executable, "-m", "tasks.replica", "--n-objects", str(n), "--seed", str(seed), "--port", str(port)]
    command += ["--folder", str(folder or cache_folder()), "--parent", str(os.getpid())]
    # The kernel's signal comes when the thread that started the process ends, so only the main thread may ask for it.
    if threading.current_thread() is threading.main_thread():
        command.append("--dies-with-parent")
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    )
    words: list[str] = []
    drain = threading.Thread(target=_read_all, args=(process.stderr, words), daemon=True)
    drain.start()
    try:
        yield _url_of(process, start_s, words)
    finally:
        process.kill()
        process.wait()
        drain.join(timeout=1)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def sky_at(base: str) -> dict[str, Any]:
    """Name, n, seed and version of the sky of the replica at `base`. BadInput where none answers."""
    try:
        with urllib.request.urlopen(f"{base.rstrip('/')}/_about", timeout=ANSWER_S) as answer:
            return json.load(answer)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"no archive replica answers at {base} ({error}): start one, or leave source.base_url out."
        ) from None


def _url_of(process: subprocess.Popen[str], start_s: float, words: list[str]) -> str:
    """The URL that a starting replica prints."""
    line: list[str] = []
    reader = threading.Thread(target=lambda: line.append(process.stdout.readline()), daemon=True)  # type: ignore[union-attr]
    reader.start()
    reader.join(start_s)
    if line and line[0].startswith("{"):
        return json.loads(line[0])["url"]
    time.sleep(0.1)
    last = words[-1].strip() if words else "no words"
    state = f"it ended with {process.poll()}" if process.poll() is not None else f"nothing after {start_s:g} s"
    raise BadInput(f"the archive replica did not start ({state}): {last}")


def _read_all(stream: Iterator[str] | None, words: list[str]) -> None:
    try:
        for line in stream or ():
            words.append(line)
            del words[:-50]
    except ValueError:
        pass  # closed under us at the end


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise BadInput(f"the archive replica cannot listen on port {port} ({error.strerror}): choose another") from None
    listener.listen(128)
    return listener


def _own_stdout() -> TextIO:
    """Standard output for us alone: whatever else is printed (progress bars of DuckDB) goes nowhere, and so never
    fills a pipe that nobody reads."""
    stdout = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return stdout
