"""Processes that end with the one that started them, however that ends."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

# A parent that starts a child and then waits; the child says its number and would wait for a minute.
CHILD = (
    "import os, sys, time; from schemas.parent import {name}; {call}; print(os.getpid(), flush=True); time.sleep(60)"
)
PARENT = """
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", sys.argv[1].replace("PARENT", str(os.getpid()))])
time.sleep(60)
"""


def start(name: str, call: str) -> tuple[subprocess.Popen, int]:
    """A parent whose child has said that it runs: the parent's process, and the child's number."""
    command = [sys.executable, "-c", PARENT, CHILD.format(name=name, call=call)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    return parent, int(parent.stdout.readline())


def is_running(pid: int) -> bool:
    """True for a process that is there and no zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("end_with", "end_with(PARENT)"),
        pytest.param("die_with_parent", "die_with_parent()",
                     marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills with the parent")),
    ],
)  # fmt: skip
def test_a_child_ends_with_its_parent(name, call):
    parent, child = start(name, call)
    try:
        assert is_running(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        end = time.monotonic() + 30
        while is_running(child) and time.monotonic() < end:
            time.sleep(0.05)
        assert not is_running(child)
    finally:
        parent.kill()
        if is_running(child):
            os.kill(child, signal.SIGKILL)


def test_a_child_of_another_process_ends_at_once():
    """A parent that ended before its child began to watch is met too."""
    command = [sys.executable, "-c", CHILD.format(name="end_with", call="end_with(1 if os.getppid() != 1 else 2)")]
    assert subprocess.run(command, capture_output=True, timeout=30).returncode == 1
