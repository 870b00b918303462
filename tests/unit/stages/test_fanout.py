"""Calls spread over a cluster: results in the order of the jobs, counted tries, and sizes for the progress line."""

import stat
import threading
from contextlib import contextmanager

import pytest
from distributed import Client, LocalCluster
from distributed.security import Security

from lakehouse.disk import private_folder
from tasks.stages import fanout
from tasks.stages.fanout import SECURITY, fan_out, open_cluster, require_scheduler

CALLS: dict[str, int] = {}
MUTEX = threading.Lock()


def wait_then_double(number: int, before: int) -> int:
    """Ends only when `before` other calls have ended, so that the last job is the first to be done."""
    while CALLS.get("done", 0) < before:
        threading.Event().wait(0.002)
    with MUTEX:
        CALLS["done"] = CALLS.get("done", 0) + 1
    return 2 * number


def fail_at_first(name: str, times: int) -> int:
    """Fails so many times and then gives the number of calls."""
    with MUTEX:
        CALLS[name] = CALLS.get(name, 0) + 1
    if CALLS[name] <= times:
        raise ValueError(f"{name} fails")
    return CALLS[name]


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


@pytest.fixture
def steps(monkeypatch):
    """What the progress line is told: its label, its total, and how many more are done each time."""
    told = []

    @contextmanager
    def record(label, total):
        told.append((label, total))
        yield told.append

    monkeypatch.setattr(fanout, "progress", record)
    return told


def test_results_follow_the_jobs_and_not_who_is_done_first(scheduler):
    assert fan_out(scheduler, wait_then_double, [(1, 1), (2, 0)], "test") == [2, 4]


def test_without_jobs_no_scheduler_is_asked():
    assert fan_out("tcp://127.0.0.1:9", fail_at_first, [], "test") == []


def test_a_job_is_tried_again_so_many_times(scheduler):
    assert fan_out(scheduler, fail_at_first, [("a", 2)], "test", retries=2) == [3]


def test_a_job_that_keeps_failing_raises_its_own_error(scheduler):
    with pytest.raises(ValueError, match="b fails"):
        fan_out(scheduler, fail_at_first, [("b", 9), ("c", 0)], "test", retries=1)
    assert CALLS["b"] == 2


def test_equal_jobs_are_each_done(scheduler):
    """Dask would otherwise take the result of the first for the second."""
    assert sorted(fan_out(scheduler, fail_at_first, [("d", 0)] * 3, "test")) == [1, 2, 3]


def test_progress_counts_the_objects_of_each_job(scheduler, steps):
    fan_out(scheduler, wait_then_double, [(1, 0), (1, 1), (1, 2)], "clean", [500, 500, 7])
    assert steps == [("clean", 1007), 500, 500, 7]


def test_without_sizes_progress_counts_jobs(scheduler, steps):
    fan_out(scheduler, wait_then_double, [(1, 0), (1, 0)], "train")
    assert steps == [("train", 2), 1, 1]


def test_a_scheduler_that_runs_is_used_and_left_running(scheduler, capsys):
    for _ in range(2):
        with open_cluster(5, scheduler) as address:
            assert address == scheduler
    assert fan_out(scheduler, wait_then_double, [(4, 0)], "test") == [8]
    assert "no worker" not in capsys.readouterr().err


def test_a_scheduler_without_workers_is_told(capsys):
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as empty:
        require_scheduler(empty.scheduler_address)
    assert "has no worker yet: waiting for one" in capsys.readouterr().err


@pytest.mark.slow
def test_the_cluster_of_a_run_takes_no_code_from_others():
    """Without the certificate, which is in the memory of its processes, nobody connects; workers' files are closed."""
    with open_cluster(1) as address:
        assert address.startswith("tls://127.0.0.1:")
        require_scheduler(address)
        assert fan_out(address, abs, [(-3,), (2,)], "test") == [3, 2]
        folder = private_folder()
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and list(folder.glob("dask-scratch-space/worker-*"))
        plain = address.replace("tls://", "tcp://")
        for stranger, security in ((plain, None), (address, Security.temporary())):
            with pytest.raises((OSError, TypeError)):
                Client(stranger, security=security, timeout=2, set_as_default=False)
    assert SECURITY == {}
