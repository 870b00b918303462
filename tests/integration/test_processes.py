"""The processes of runs: one dies alone, two refresh the same dataset, and whoever is left does the right thing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest
import requests

from lakehouse.delta.store import Lake
from lakehouse.manifest import read_manifests
from tests.integration.conftest import environment
from tests.unit.stages.conftest import N_STARS, SMALL, write_folder

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    return write_folder(tmp_path / "data")


@pytest.fixture
def start(tmp_path):
    """Starts a refresh of a folder into tmp_path/lake; its standard error is a file."""
    started: list[subprocess.Popen] = []

    def run(folder: Path, name: str, **variables: str) -> tuple[subprocess.Popen, Path]:
        settings = [word for each in (*SMALL, "compute.n_workers=1") for word in ("--set", each)]
        command = [sys.executable, "-m", "flows.cli", "refresh", "folder", "--data", str(folder), "--lake",
                   str(tmp_path / "lake"), "--release", str(tmp_path / "release"), *settings]  # fmt: skip
        words = tmp_path / f"{name}.txt"
        alone = {key: value for key, value in environment().items() if key != "PREFECT_API_URL"}
        with words.open("w") as stream:
            process = subprocess.Popen(command, env=alone | variables, stdout=stream, stderr=stream)
        started.append(process)
        return process, words

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait_for(what: Callable[[], object], seconds: float = 180.0) -> object:
    """What `what()` gives as soon as it is true."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, f"waited {seconds:g} s in vain"
        time.sleep(0.05)
    return found


def server_of(process: subprocess.Popen) -> psutil.Process | None:
    """The run's own Prefect server."""
    children = psutil.Process(process.pid).children()
    return next((child for child in children if "flows.server" in child.cmdline()), None)


def test_a_run_whose_server_dies_ends_well(folder, tmp_path, start):
    process, words = start(folder, "run")
    wait_for(lambda: "acquire: 60 of 60" in words.read_text())
    server = server_of(process)
    assert server is not None
    server.kill()
    assert process.wait(180) == 0, words.read_text()
    text = words.read_text()
    assert text.count("The orchestrator's server was lost; the work of the run is done all the same.") == 1
    assert "Traceback" not in text and "ERROR" not in text and "Next:" in text
    assert read_manifests(Lake(tmp_path / "lake"))[0].status == "done"


def test_nothing_outlives_a_killed_run(folder, tmp_path, start):
    process, words = start(folder, "run")
    wait_for(lambda: "acquire: 60 of 60" in words.read_text())
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) >= 2, "a server and a worker"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive, [child.cmdline() for child in alive]
    assert read_manifests(Lake(tmp_path / "lake"))[0].status == "interrupted"


@pytest.mark.usefixtures("one_server")
def test_two_refreshes_of_one_dataset_do_not_mix(folder, tmp_path, start):
    """The second, of fewer stars, waits; the lake then holds its stars and no other."""
    few = write_folder(tmp_path / "few")
    objects = pq.read_table(few / "objects.parquet")
    pq.write_table(objects.slice(0, 40), few / "objects.parquet")
    server = {"PREFECT_API_URL": os.environ["PREFECT_API_URL"]}
    first, words = start(folder, "first", **server)
    wait_for(lambda: "Refreshing" in words.read_text() and list((tmp_path / "lake" / "runs").glob("*.json")))
    second, others = start(few, "second", **server)
    assert first.wait(240) == 0 and second.wait(240) == 0, words.read_text() + others.read_text()
    assert others.read_text().count("Another refresh of tiny runs since ") == 1
    assert "waiting" not in words.read_text()
    lake = Lake(tmp_path / "lake")
    for table in ("core_sample__source", "out__catalogue"):
        assert lake.count(table, dataset="tiny") == 40, table
    rows = [pq.read_table(path, columns=["source_id"]).num_rows
            for path in sorted((tmp_path / "release").glob("tiny-*/out__catalogue.parquet"))]  # fmt: skip
    assert rows == [N_STARS, 40]
    assert not list((tmp_path / "lake" / ".leases").iterdir())
    assert_pages_tell(server["PREFECT_API_URL"])


def assert_pages_tell(address: str) -> None:
    """The server shows of both runs what they did: a name, bars and tables of the stages, a summary, links, a log."""

    def ask(what: str, **filters: object) -> list[dict]:
        done = requests.post(f"{address}/{what}/filter", json=filters, timeout=30)  # 200 at most, of all that use it
        done.raise_for_status()
        return done.json()

    found = ask("flow_runs", flow_runs={"name": {"like_": "tiny "}})
    names = {run["id"]: run["name"] for run in found if run["name"].startswith("tiny ")}
    assert {name.split(" ", 2)[2] for name in names.values()} >= {"+60 stars"} and len(names) == 2, names
    stages = {"acquire", "clean", "featurize", "train", "score", "publish"}
    first = next(each for each, name in names.items() if name.endswith("+60 stars"))
    shown = ask("artifacts", artifacts={"flow_run_id": {"any_": [first]}})
    by_kind = {
        kind: {each["key"] for each in shown if each["type"] == kind} for kind in ("progress", "table", "markdown")
    }
    assert by_kind["table"] == {f"tiny-{stage}" for stage in stages}
    assert by_kind["progress"] == {f"tiny-{stage}-progress" for stage in stages}
    assert by_kind["markdown"] == {"tiny-summary", "tiny-links", "tiny-dask"}
    assert all(each["data"] == 100 for each in shown if each["type"] == "progress")
    said = [line for run in names for line in ask("logs", logs={"flow_run_id": {"any_": [run]}})
            if line["name"] == "argelander"]  # fmt: skip
    assert [line["flow_run_id"] != first for line in said if "Another refresh of tiny" in line["message"]] == [True]
    lines = [line["message"] for line in said if line["flow_run_id"] == first]
    assert {line.split(":")[0] for line in lines if " of 60 in " in line} == stages - {"train"}
