"""A Prefect server of a run's own: a process that ends with the run, however that ends.

The server that Prefect starts by itself where no other is named outlives a run that is killed.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from flows.environment import DEFAULTS
from schemas import BadInput

# As Prefect's own: no pages, no services beside the API.
EPHEMERAL = {"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"}
END_S = 5.0


@contextmanager
def own_server() -> Iterator[Callable[[], None]]:
    """PREFECT_API_URL is the address of a server that ends with the block, unless the user has named one already.

    Gives a function that waits until the server answers: the run is imported while it starts. Prefect must not be
    imported before. BadInput where the server does not start.
    """
    if os.environ.get("PREFECT_API_URL") or (Path(os.environ["PREFECT_HOME"]) / "profiles.toml").exists():
        yield lambda: None
        return
    with tempfile.TemporaryFile("w+") as words:
        process = _start(words)
        try:
            assert process.stdout is not None, "the process was started with a pipe"
            address = os.environ["PREFECT_API_URL"] = process.stdout.readline().strip()
            os.environ.setdefault("PREFECT_CLIENT_MAX_RETRIES", "1")  # read when Prefect is imported
            yield partial(_wait_for, address, words)
        finally:
            os.environ.pop("PREFECT_API_URL", None)
            _end(process)


def _give_up_soon() -> None:
    """A server of this machine that does not answer at once is gone: Prefect would wait minutes for it."""
    from prefect.events.clients import PrefectEventsClient
    from prefect.events.worker import EventsWorker

    EventsWorker.set_client_override(PrefectEventsClient, reconnection_attempts=1)


def _start(words: IO[str]) -> subprocess.Popen[str]:
    # In a session of its own: an interrupt from the keyboard ends the run, and the run ends its server.
    command = [sys.executable, "-m", "flows.server", str(os.getpid())]
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=words, text=True, start_new_session=True,
                            env={**os.environ, **EPHEMERAL, "PYTHONPATH": path})  # fmt: skip


def _wait_for(address: str, words: IO[str]) -> None:
    """Wait until the server answers at the address that it printed; `words` are what else it said."""
    _give_up_soon()
    longest = float(os.environ.get(name := "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", DEFAULTS[name]))
    try:
        urllib.request.urlopen(f"{address}/health", timeout=longest).close()
    except (OSError, ValueError) as error:
        words.seek(0)
        last = (words.read().strip().splitlines() or [str(error)])[-1]
        raise BadInput(f"The orchestrator's own server did not start ({last}): run the same command again.") from error


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def main(parent: int) -> None:
    """Serve Prefect's API on a free port, whose address is printed first, until the process `parent` has ended."""
    from schemas.parent import end_with

    end_with(parent)
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/api", flush=True)
        import uvicorn
        from prefect.server.api.server import create_app

        config = uvicorn.Config(create_app(), log_level="error", lifespan="on", timeout_graceful_shutdown=1)
        uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main(int(sys.argv[1]))
