"""One holder of a lease at a time, among threads and programs; it is free when its holder dies."""

import os
import signal
import threading

import pytest

from lakehouse.leases import LEASE_FOLDER, leases_of

HOLD = """
import sys, time
from lakehouse.leases import leases_of
with leases_of(sys.argv[1]).hold("dataset-demo", "refresh of demo"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lease_leaves_nothing_and_can_be_taken_again(tmp_path):
    leases = leases_of(tmp_path)
    for _ in range(2):
        with leases.hold("dataset-demo", "refresh of demo"), leases.hold("dataset-other", "refresh of other"):
            assert len(os.listdir(tmp_path / LEASE_FOLDER)) == 2
    assert os.listdir(tmp_path / LEASE_FOLDER) == []


def test_others_wait_and_say_so_and_one_is_at_work_at_a_time(tmp_path, capsys):
    working, most, done = 0, 0, []

    def work(number):
        nonlocal working, most
        with leases_of(tmp_path).hold("model-a", "training of a"):
            working += 1
            most = max(most, working)
            threading.Event().wait(0.02)
            working -= 1
            done.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == list(range(6)) and most == 1
    assert "Another training of a runs since " in capsys.readouterr().err
    assert os.listdir(tmp_path / LEASE_FOLDER) == []


@pytest.mark.slow
def test_a_lease_ends_with_its_holder(tmp_path, python, capsys):
    """Whoever waits for a program that is killed goes on at once."""
    holder = python(HOLD, tmp_path, wait=False)
    assert holder.stdout.readline() == "held\n"
    got = threading.Event()

    def wait():
        with leases_of(tmp_path).hold("dataset-demo", "refresh of demo"):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not got.wait(0.5), "the lease was given to two"
    os.kill(holder.pid, signal.SIGKILL)
    assert got.wait(10)
    waiting.join()
    holder.wait()
    assert f"(process {holder.pid} on " in capsys.readouterr().err


@pytest.mark.slow
def test_a_lease_that_a_killed_program_left_is_free(tmp_path, python):
    holder = python(HOLD, tmp_path, wait=False)
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert os.listdir(tmp_path / LEASE_FOLDER) == ["dataset-demo.lock"]
    with leases_of(tmp_path).hold("dataset-demo", "refresh of demo"):
        pass
    assert os.listdir(tmp_path / LEASE_FOLDER) == []
