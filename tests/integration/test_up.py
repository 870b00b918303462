"""`argelander up`: pools, deployments with schedules, a form that refuses, dead runs marked, a clean stop."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import uuid4

import psutil
import pytest
import requests

from flows.automations import SILENT_S
from tests.integration.conftest import environment

pytestmark = pytest.mark.slow

NAMES = {"refresh/demo", "refresh/rrlyrae", "refresh/cepheids", "refresh/pulsators", "retrain/demo"}


@pytest.fixture
def notices():
    """What a webhook was told, and its address."""
    told: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.send_response(204)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield told, f"http://127.0.0.1:{http.server_port}/hook"
        http.shutdown()


@pytest.fixture
def up(tmp_path, notices):
    """The address of its server, and the process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "flows.cli", "up", "--lake", str(tmp_path / "lake"), "--port", port, "--no-gpu",
               "--notify", notices[1]]  # fmt: skip
    alone = {key: value for key, value in environment().items() if not key.startswith("PREFECT_")}
    process = subprocess.Popen(command, env=alone, stdout=subprocess.PIPE, text=True)
    try:
        assert "Prefect's pages" in process.stdout.readline()
        yield f"http://127.0.0.1:{port}/api", process
    finally:
        process.kill()
        process.wait()


def post(address: str, what: str, body: object, status: int = 200) -> object:
    """What the API answers; fails at another status."""
    answer = requests.post(f"{address}/{what}", json=body, timeout=60)
    assert answer.status_code == status, (answer.status_code, answer.text[:1000])
    return answer.json() if answer.content else None


def wait_for(what, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"waited {seconds:g} s in vain"
        time.sleep(1)


def test_up_deploys_refuses_marks_the_dead_tells_of_them_and_stops(up, notices):
    address, process = up
    dead = run_that_dies(address)
    flows = {flow["id"]: flow["name"] for flow in post(address, "flows/filter", {})}
    deployed = {f"{flows[each['flow_id']]}/{each['name']}": each for each in post(address, "deployments/filter", {})}
    assert {*deployed} == NAMES
    assert {pool["name"] for pool in post(address, "work_pools/filter", {})} == {"cpu", "gpu"}
    assert all(each["global_concurrency_limit"]["limit"] == 1 for each in deployed.values())
    refuses_before_a_run_exists(address, deployed["refresh/demo"]["id"])
    scheduled = {"flow_runs": {"state": {"type": {"any_": ["SCHEDULED"]}}}}
    wait_for(lambda: post(address, "flow_runs/filter", scheduled), 120)
    wait_for(lambda: requests.get(f"{address}/flow_runs/{dead}", timeout=60).json()["state"]["type"] == "CRASHED", 180)
    run = requests.get(f"{address}/flow_runs/{dead}", timeout=60).json()
    began, marked = (datetime.fromisoformat(run[name]) for name in ("start_time", "end_time"))
    assert SILENT_S - 10 < (marked - began).total_seconds() < 120
    wait_for(lambda: notices[0], 60)
    assert len(notices[0]) == 1 and notices[0][0].startswith("doomed / ") and "Crashed" in notices[0][0]
    family = psutil.Process(process.pid).children(recursive=True)
    assert len(family) >= 2, "a server and a worker"
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0 and "Stopped." in process.stdout.read()
    assert not psutil.wait_procs(family, timeout=5)[1]


def run_that_dies(address: str) -> str:
    """A run whose heart beats once and never again."""
    flow = post(address, "flows/", {"name": "doomed"}, 201)["id"]
    run = post(address, "flow_runs/", {"flow_id": flow, "state": {"type": "PENDING"}}, 201)["id"]
    post(address, f"flow_runs/{run}/set_state", {"state": {"type": "RUNNING"}}, 201)
    resource = {"prefect.resource.id": f"prefect.flow-run.{run}", "prefect.resource.name": "doomed"}
    beat = {"event": "prefect.flow-run.heartbeat", "resource": resource, "id": str(uuid4()), "payload": {},
            "occurred": datetime.now(UTC).isoformat(), "related": []}  # fmt: skip
    post(address, "events", [beat], 204)
    return run


def refuses_before_a_run_exists(address: str, deployment: str) -> None:
    """A preset that is not there and a limit of no objects are refused by the API; no run is made."""
    for settings in ({"preset": "demmo"}, {"preset": "demo", "limit": 0}):
        answer = requests.post(f"{address}/deployments/{deployment}/create_flow_run", timeout=60,
                               json={"parameters": {"settings": settings}})  # fmt: skip
        assert answer.status_code in (409, 422), answer.text
    of_it = {"flow_runs": {"deployment_id": {"any_": [deployment]}, "state": {"type": {"not_any_": ["SCHEDULED"]}}}}
    assert post(address, "flow_runs/filter", of_it) == []
