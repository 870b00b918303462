"""Copies of tables go with their process; what a killed one left goes with the next."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import schemas

MAKE = "from schemas.formats.scratch import scratch_folder; print(scratch_folder(), flush=True); input()"


def start(tmp_path):
    """A process that holds a folder below `tmp_path`, and the folder."""
    root = str(Path(schemas.__file__).parents[1])
    process = subprocess.Popen(
        [sys.executable, "-c", MAKE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": root},
    )  # fmt: skip
    return process, Path(process.stdout.readline().strip())


def end(process):
    process.stdin.write("\n")
    process.communicate()


def test_the_folder_of_a_killed_process_is_cleared_by_the_next_and_no_other(tmp_path):
    killed, lost = start(tmp_path)
    living, kept = start(tmp_path)
    assert lost.is_dir() and lost != kept
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert lost.is_dir()
    last, own = start(tmp_path)
    assert not lost.exists() and kept.is_dir() and own.is_dir()
    end(living)
    end(last)
    assert list(tmp_path.iterdir()) == []
