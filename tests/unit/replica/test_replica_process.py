"""The replica as a process of its own: it comes up, says who it is, and never outlives who started it."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import requests

from schemas import BadInput
from tasks.replica.serve import running
from tests.unit.replica.served_sky import SEED, N, small_sky


@pytest.fixture(scope="module")
def folder() -> Path:
    """The folder in which the small sky is held already."""
    return small_sky().path.parent


def gone(pid: int, seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


@contextmanager
def started_by_a_thread_that_passes(folder: Path) -> Iterator[str]:
    """The kernel tells a child when the thread, not the process, that made it ends: that must not end the replica."""
    context, urls = running(N, SEED, folder), []
    thread = threading.Thread(target=lambda: urls.append(context.__enter__()))
    thread.start()
    thread.join()
    time.sleep(0.3)
    try:
        yield urls[0]
    finally:
        context.__exit__(None, None, None)


def test_it_serves_every_archive_and_ends(folder):
    with started_by_a_thread_that_passes(folder) as url:
        about = requests.get(url + "/_about").json()
        assert about["n"] == N and about["seed"] == SEED
        (child,) = [one for one in psutil.Process().children() if str(folder) in one.cmdline()]
        count = {"QUERY": "SELECT COUNT(*) AS n FROM gaiadr3.vari_summary", "FORMAT": "csv"}
        assert 0 < int(requests.post(url + "/tap-server/tap/sync", data=count).text.split()[1]) <= N
        asked = {
            "gaia_tap": "/tap-server/tap/tables",
            "gaia_datalink": "/data-server/data",
            "truth": "/truth",
            "mast_ps1": "/mast/vo-tap/api/v0.1/ps1dr2/tables",
            "mast_tic": "/mast/vo-tap/api/v0.1/tic/tables",
            "mast_portal": "/mast/api/v0/invoke",
            "irsa_tap": "/irsa/TAP/tables",
            "irsa_lightcurves": "/irsa/cgi-bin/ZTF/nph_light_curves",
            "cds_xmatch": "/xmatch/api/v1/sync/tables",
        }
        assert all(requests.get(url + path).status_code != 404 for path in asked.values())
        served = [entry["service"] for entry in requests.get(url + "/_log").json()]
        assert served == ["gaia_tap", *asked]
        port = int(url.rpartition(":")[2])
        with pytest.raises(BadInput, match=f"cannot listen on port {port}"), running(N, SEED, folder, port):
            pass
    assert gone(child.pid)
    with pytest.raises(requests.ConnectionError):
        requests.get(url + "/_about", timeout=1)


def test_it_ends_with_a_parent_that_is_killed(folder):
    """SIGKILL, which no parent can answer; SIGTERM ends a Python process in the same way."""
    program = (
        "import sys, time; from tasks.replica.serve import running\n"
        f"with running({N}, {SEED}, {str(folder)!r}) as url:\n    print(url, flush=True); time.sleep(60)"
    )
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=env)
    url = parent.stdout.readline().strip()
    assert requests.get(url + "/_about", timeout=5).status_code == 200
    (child,) = psutil.Process(parent.pid).children()
    parent.kill()
    parent.wait()
    parent.stdout.close()
    assert gone(child.pid)


@pytest.mark.slow
def test_a_sky_that_cannot_be_is_said_in_one_sentence(tmp_path):
    with pytest.raises(BadInput, match="a sky of 0 objects"), running(0, SEED, tmp_path):
        pass


@pytest.mark.slow
def test_command_line(folder):
    options = ["--n-objects", str(N), "--seed", str(SEED), "--folder", str(folder)]
    command = [sys.executable, "-m", "tasks.replica", *options]
    root = Path(__file__).parents[3]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)
    try:
        url = json.loads(process.stdout.readline())["url"]
        assert requests.get(url + "/_about", timeout=5).json()["n"] == N
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0
        process.stdout.close()
