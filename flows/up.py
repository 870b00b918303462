"""`argelander up`: Prefect's server, pools, automations, deployments and workers on one machine, until it stops."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from flows import environment
from flows.bench import ROOT
from schemas import BadInput

POOLS = ("cpu", "gpu")
START_S, STOP_S = 300.0, 20.0
# What a server and its workers need beside the defaults of a run of its own: pages, log lines, a heart that beats.
SERVING = {
    "PREFECT_UI_ENABLED": "true",
    "PREFECT_LOGGING_LEVEL": "INFO",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_LOGGING_TO_API_ENABLED": "true",
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # runs that ended 90 days ago are forgotten
}


def serve_all(lake: Path, port: int, n_runs: int, has_gpu: bool, notify: str | None = None) -> None:
    """Start everything, say where, and wait for an interrupt or SIGTERM; all that was started ends with this."""
    if not (ROOT / "prefect.yaml").exists():
        raise BadInput(f"there is no prefect.yaml in {ROOT}: deployments come with a checkout of the project.")
    environment.prepare(lake)
    os.environ.update({name: value for name, value in SERVING.items() if not _is_chosen(name)})
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    address = os.environ["PREFECT_API_URL"] = f"http://127.0.0.1:{port}/api"
    _refuse_taken(address)
    words = lake / ".prefect" / "logs"
    words.mkdir(parents=True, exist_ok=True)
    with _running(words / "server.txt", "server", "start", "--host", "127.0.0.1", "--port", str(port)) as server:
        _wait_for(address, server, words / "server.txt", stop)
        _set_up(words / "deploy.txt", notify, stop)
        pools = POOLS if has_gpu else POOLS[:1]
        with _workers(words, pools, n_runs) as workers:
            print(f"Prefect's pages: http://127.0.0.1:{port}; logs in {words}; stop with Ctrl-C.", flush=True)
            _watch([server, *workers], stop)
    print("Stopped.", flush=True)


def _is_chosen(name: str) -> bool:
    """Whether the user has set a variable: what is there may be our own default for runs that stand alone."""
    return os.environ.get(name) not in (None, environment.DEFAULTS.get(name))


def _refuse_taken(address: str) -> None:
    """BadInput where a server answers already: two would share neither schedules nor limits."""
    try:
        urllib.request.urlopen(f"{address}/health", timeout=5).close()
    except OSError:
        return
    raise BadInput(f"a server answers at {address} already: stop it, or give another --port.")


@contextmanager
def _running(words: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Prefect's command line in a process that ends, with all that it started, when the block does."""
    command = [sys.executable, "-m", "flows.kept", str(os.getpid()), *arguments]
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with words.open("ab") as stream:
        # In a session of its own: an interrupt from the keyboard reaches this program, which ends the others in order.
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL,
                                   start_new_session=True, env={**os.environ, "PYTHONPATH": paths})  # fmt: skip
    try:
        yield process
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and its descendants: they are asked first, and killed where they do not go."""
    if process.poll() is not None:
        return
    family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    process.terminate()
    _, left = psutil.wait_procs(family, STOP_S)
    for each in left:
        each.kill()
    process.wait()


@contextmanager
def _workers(words: Path, pools: Sequence[str], n_runs: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """A worker for each pool; that of the GPU takes one run at a time."""
    if not pools:
        yield []
        return
    pool, limit = pools[0], n_runs if pools[0] == "cpu" else 1
    command = ("worker", "start", "--pool", pool, "--type", "process", "--name", pool, "--limit", str(limit))
    with _running(words / f"worker-{pool}.txt", *command) as first, _workers(words, pools[1:], n_runs) as others:
        yield [first, *others]


def _wait_for(address: str, server: subprocess.Popen[bytes], words: Path, stop: threading.Event) -> None:
    """Wait until the server answers; BadInput where it ends before."""
    until = time.monotonic() + START_S
    while not stop.wait(0.3):
        try:
            urllib.request.urlopen(f"{address}/health", timeout=5).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                raise BadInput(f"Prefect's server did not start: {words} says why.") from None


def _set_up(words: Path, notify: str | None, stop: threading.Event) -> None:
    """Pools, automations and the deployments of prefect.yaml, all of them again at each start."""
    if stop.is_set():
        return
    from flows.automations import set_up_automations, set_up_pools

    set_up_pools(POOLS)
    set_up_automations(notify)
    with _running(words, "--no-prompt", "deploy", "--all") as process:
        while process.poll() is None and not stop.wait(0.3):
            pass
        if process.poll():
            raise BadInput(f"the deployments of prefect.yaml were refused: {words} says why.")


def _watch(processes: Sequence[subprocess.Popen[bytes]], stop: threading.Event) -> None:
    """Wait for the stop; BadInput where a process ends by itself."""
    while not stop.wait(1.0):
        if any(process.poll() is not None for process in processes):
            raise BadInput("Prefect's server or a worker ended by itself: the logs say why.")
