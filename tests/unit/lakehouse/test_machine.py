"""What a manifest says of code and machine: from git where there is a repository, else from the package."""

import hashlib
import os
import platform
import subprocess
from pathlib import Path

import pytest

from lakehouse import machine


@pytest.fixture
def root(tmp_path, monkeypatch):
    """The code lies in an empty folder, and nothing is known of it yet."""
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    machine.code_version.cache_clear()
    machine.lock_hash.cache_clear()
    yield tmp_path
    machine.code_version.cache_clear()
    machine.lock_hash.cache_clear()


def git(root, *arguments):
    names = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    return subprocess.run(["git", *arguments], cwd=root, env={**os.environ, **names}, check=True, capture_output=True,
                          text=True).stdout.strip()  # fmt: skip


def test_the_version_is_that_of_the_commit_and_tells_changes(root):
    git(root, "init", "-q")
    (root / "code.py").write_text("1")
    git(root, "add", ".")
    git(root, "commit", "-qm", "first")
    short = git(root, "rev-parse", "--short", "HEAD")
    assert machine.code_version() == short
    machine.code_version.cache_clear()
    (root / "code.py").write_text("2")
    assert machine.code_version() == f"{short}-dirty"


def test_without_a_commit_or_a_repository_the_package_says_it(root):
    from importlib.metadata import version

    assert machine.code_version() == version("argelander")
    machine.code_version.cache_clear()
    git(root, "init", "-q")
    assert machine.code_version() == version("argelander")


def test_the_hash_is_that_of_the_lock_file_else_of_what_is_installed(root):
    installed = machine.lock_hash()
    assert len(installed) == 64
    machine.lock_hash.cache_clear()
    assert machine.lock_hash() == installed  # whatever the order in which packages are found
    machine.lock_hash.cache_clear()
    (root / "requirements.lock").write_bytes(b"numpy==2.0\n")
    assert machine.lock_hash() == hashlib.sha256(b"numpy==2.0\n").hexdigest() != installed


def test_the_hardware_is_that_of_this_machine():
    found = machine.hardware()
    assert found["cores"] == len(os.sched_getaffinity(0)) and found["python"] == platform.python_version()
    total_kib = next(
        int(line.split()[1]) for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal")
    )
    assert found["memory_gib"] == pytest.approx(total_kib / 2**20, abs=0.1)
    assert found["cpu"] and (found["gpu"] is None) == (not os.path.exists("/proc/driver/nvidia/gpus"))
