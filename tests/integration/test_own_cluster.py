"""A Dask cluster that a user started by hand, on ports of its own: one of its workers is killed in the middle."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import LocalCluster

from flows.presets import preset
from flows.settings import override
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.clean.stage import clean_sources
from tasks.stages.featurize.stage import featurize_sources
from tests.integration.conftest import FOREST_ONLY, SMALL, argelander, environment, write_folder

pytestmark = pytest.mark.slow
SETTINGS = (
    FOREST_ONLY,
    "compute.chunk_objects=8",
    "features.period.f_max=24",
)


def program(stack: ExitStack, name: str, *arguments: object) -> subprocess.Popen:
    """A program of Dask in a process of its own, ended with the stack."""
    command = [sys.executable, "-m", f"distributed.cli.dask_{name}", *map(str, arguments), "--no-dashboard"]
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(process.wait)
    stack.callback(process.kill)
    return process


def wait_for(what, seconds: float = 120.0):
    """What `what()` gives as soon as it is true."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until, f"waited {seconds:g} s in vain"
        time.sleep(0.005)
    return found


def staged(lake: Path) -> int:
    """Finished parts of the feature stage that no reader sees yet."""
    return len(list((lake / "staging" / "feature_sample__source").glob("*/*.json")))


def test_a_worker_killed_in_the_middle_loses_nothing(tmp_path):
    folder, lake = write_folder(tmp_path / "data", 160), tmp_path / "lake"
    contact = tmp_path / "scheduler.json"
    with ExitStack() as stack:
        program(stack, "scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", contact)
        wait_for(contact.exists)
        workers = [
            program(stack, "worker", "--scheduler-file", contact, "--nthreads", 1, "--no-nanny", "--name", name,
                    "--local-directory", tmp_path / name, "--host", "127.0.0.1")
            for name in ("one", "other")
        ]  # fmt: skip
        settings = [word for setting in (*SMALL, *SETTINGS, f"compute.scheduler={address(contact)}")
                    for word in ("--set", setting)]  # fmt: skip
        command = [sys.executable, "-m", "flows.cli", "refresh", "folder", "--data", str(folder), "--lake", str(lake),
                   "--release", str(lake / "release"), *settings]  # fmt: skip
        run = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        stack.callback(run.kill)
        wait_for(lambda: staged(lake) >= 3)
        os.kill(workers[0].pid, signal.SIGKILL)
        done = staged(lake)
        said, _ = run.communicate(timeout=300)
        assert run.returncode == 0, said
        assert workers[1].poll() is None
    assert 3 <= done < 20, "the worker was killed after the stage"
    features = Lake(lake).read("feature_sample__source")
    assert features.num_rows == 160 and features.equals(undisturbed(folder, tmp_path / "whole"))
    assert [v.operation for v in Lake(lake).versions("feature_sample__source")].count("publish") == 1
    assert not list((lake / "staging").glob("*/*"))


def undisturbed(folder: Path, place: Path):
    """The features of the same folder, by a cluster that nobody kills."""
    settings = override(preset("folder", folder), (*SMALL, *SETTINGS))
    Lake(place, create=True)
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster:
        run = Run("r", str(place), settings.dataset, cluster.scheduler_address, settings.compute.chunk_objects)
        acquire_sources(run, settings.source, None)
        clean_sources(run, settings.cut_config)
        featurize_sources(run, settings.feature_config)
    return Lake(place).read("feature_sample__source")


def address(contact: Path) -> str:
    """The scheduler's address, from the file that it writes."""
    return json.loads(contact.read_text())["address"]


def test_a_scheduler_that_is_not_there_is_one_sentence(tmp_path):
    folder = write_folder(tmp_path / "data", 30)
    done = argelander("refresh", "folder", "--data", folder, "--lake", tmp_path / "lake", "--set",
                      "compute.scheduler=tcp://127.0.0.1:9", check=False, timeout=120)  # fmt: skip
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr[-2000:]
    assert "no Dask scheduler answers at tcp://127.0.0.1:9 within 10 s" in " ".join(done.stderr.split())
