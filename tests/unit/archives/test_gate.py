"""Limits hold over threads and programs, and a program that dies holds nothing."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.archives.errors import ArchiveError
from tasks.archives.gate import Gate, gate_name, limits_folder
from tasks.archives.limits import ServiceLimits

ROOT = Path(__file__).parents[3]
HOLDER = """
import signal, sys, time
from tasks.archives.gate import Gate
from tasks.archives.limits import ServiceLimits
gate = Gate(sys.argv[1], "vo", ServiceLimits(int(sys.argv[2]), 1, 1.0, float(sys.argv[3]) or None))
with gate.hold():
    print("held", flush=True)
    sys.stdin.readline()
print("free", flush=True)
sys.stdin.readline()
"""


def limits(parallel, per_second=None):
    return ServiceLimits(parallel, 1, 1.0, per_second)


@pytest.fixture
def program(tmp_path):
    """Starts a program that holds a slot until it is told a line, and ends at another."""
    running = []

    def start(parallel, per_second=0, waits=True):
        one = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path), str(parallel), str(per_second)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(one)
        assert not waits or one.stdout.readline() == "held\n"
        return one

    yield start
    for one in running:
        one.kill()
        one.communicate()


def tell(one):
    one.stdin.write("\n")
    one.stdin.flush()
    return one.stdout.readline()


def slot_of(gate):
    gate.folder.mkdir(exist_ok=True)
    with gate._mutex():
        return gate._slot(gate._limits()[0])


def room(gate):
    """How many slots there are for this gate now."""
    with ExitStack() as held:
        for n in range(20):
            if (slot := slot_of(gate)) is None:
                return n
            held.callback(slot.release)
    raise AssertionError("no limit at all")


def test_no_more_at_a_time_than_allowed(tmp_path):
    gate, mutex, inside = Gate(tmp_path, "vo", limits(3)), threading.Lock(), []
    most, n_now = 0, 0

    def enter(_):
        nonlocal most, n_now
        with gate.hold():
            with mutex:
                n_now += 1
                most = max(most, n_now)
                inside.append(1)
            time.sleep(0.005)
            with mutex:
                n_now -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(enter, range(30)))
    assert most == 3 and len(inside) == 30


def test_a_program_counts_what_another_holds_and_a_killed_one_holds_nothing(tmp_path, program):
    gate = Gate(tmp_path, "vo", limits(2))
    first, second = program(2), program(2)
    assert room(gate) == 0
    assert tell(first) == "free\n" and room(gate) == 1
    os.kill(second.pid, signal.SIGKILL)
    second.wait()
    assert room(gate) == 2


def test_a_waiter_gets_the_slot_of_a_killed_holder(tmp_path, program):
    holder, gate, got = program(1), Gate(tmp_path, "vo", limits(1)), []

    def enter():
        with gate.hold():
            got.append(time.monotonic())

    waiter = threading.Thread(target=enter)
    waiter.start()
    time.sleep(0.1)
    assert not got
    killed = time.monotonic()
    holder.kill()
    waiter.join(5)
    assert 0 <= got[0] - killed < 0.5


def test_of_two_programs_that_disagree_the_lower_limit_holds(tmp_path, program):
    wide = Gate(tmp_path, "vo", limits(5))
    assert room(wide) == 5
    strict = program(2)  # holds one of its two
    assert room(wide) == 1
    assert tell(strict) == "free\n" and room(wide) == 2  # it lives and may ask again
    strict.kill()
    strict.wait()
    assert room(wide) == 5 and [path.name.split("_")[1] for path in (tmp_path / "vo").glob("*.program")] == ["5"]


def test_a_stricter_program_waits_until_the_others_are_down_to_its_limit(tmp_path):
    wide, strict = Gate(tmp_path, "vo", limits(4)), Gate(tmp_path, "vo", limits(2))
    held = [slot_of(wide) for _ in range(4)]
    for n_left in (3, 2):
        assert room(strict) == 0
        held.pop().release()
        assert len(held) == n_left
    assert room(strict) == 0
    held.pop().release()
    assert room(strict) == 1 and room(wide) == 1
    held.pop().release()
    strict.close()
    assert room(wide) == 4


def test_no_more_a_second_than_allowed_by_the_slower(tmp_path, program):
    slow = program(4, per_second=10)
    gate, began = Gate(tmp_path, "vo", limits(4, 1000.0)), []

    def enter(_):
        with gate.hold():
            began.append(time.monotonic())

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(enter, range(5)))
    assert max(began) - min(began) > 0.3  # 0.4, but for the time that threads take from the gate to the clock
    slow.kill()
    slow.wait()
    start = time.monotonic()
    for _ in range(5):
        enter(0)
    assert time.monotonic() - start < 0.2


def test_a_rest_holds_for_everyone_and_ends(tmp_path, program):
    gate, other = Gate(tmp_path, "vo", limits(2)), Gate(tmp_path, "vo", limits(2))
    start = time.monotonic()
    gate.rest(0.6)
    gate.rest(0.1)  # the longer one holds
    with other.hold():
        assert time.monotonic() - start >= 0.6
    assert program(2).poll() is None
    with other.hold():
        assert time.monotonic() - start < 2


def test_a_clock_that_was_set_back_stops_nobody(tmp_path):
    gate = Gate(tmp_path, "vo", limits(1, 1.0))
    with gate.hold():
        pass
    ahead = time.time() + 1e6
    (tmp_path / "vo" / "times").write_text(f"{ahead} {ahead}")
    start = time.monotonic()
    with gate.hold():
        assert time.monotonic() - start < 0.5
    (tmp_path / "vo" / "times").write_text("damaged")
    with gate.hold():
        assert time.monotonic() - start < 0.5


def test_waiting_can_be_given_up(tmp_path):
    gate = Gate(tmp_path, "vo", limits(1))

    def give_up(seconds):
        assert 0.01 <= seconds <= 0.05
        raise TimeoutError

    with gate.hold(), pytest.raises(TimeoutError), gate.hold(give_up):
        pass
    assert room(gate) == 1
    gate.rest(5)
    with pytest.raises(AssertionError), gate.hold(give_up):  # five seconds, and the slot is given back
        pass
    assert room(gate) == 1


def test_an_error_inside_frees_the_slot(tmp_path):
    gate = Gate(tmp_path, "vo", limits(1))
    with pytest.raises(ZeroDivisionError), gate.hold():
        raise ZeroDivisionError
    assert room(gate) == 1


def test_without_a_limit_there_is_no_gate(tmp_path):
    with pytest.raises(ArchiveError, match="No limits are known for vo: nothing is asked of it"):
        Gate(tmp_path, "vo", None)


def test_names_tell_hosts_apart_and_put_together_what_counts_together():
    live, replica = "https://mast.stsci.edu/vo-tap/api/v0.1/", "http://127.0.0.1:8765/mast/vo-tap/api/v0.1/"
    assert gate_name("mast_ps1", f"{live}ps1dr2/") == gate_name("mast_tic", f"{live}tic/") == "mast_tap_mast.stsci.edu"
    assert gate_name("mast_ps1", f"{replica}ps1dr2/") == "mast_tap_127.0.0.1_8765"
    assert gate_name("mast_portal", "https://mast.stsci.edu") == "mast_portal_mast.stsci.edu"
    assert gate_name("gaia_tap", "sky 1/7") == "gaia_tap_sky_1_7"


def test_the_folder_of_limits_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("ARGELANDER_LIMITS", str(tmp_path))
    assert limits_folder() == tmp_path
    monkeypatch.delenv("ARGELANDER_LIMITS")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert limits_folder() == Path("/state/argelander/limits")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert limits_folder() == Path.home() / ".local/state/argelander/limits"
