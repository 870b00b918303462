"""The record of a run: what it was asked, with which code and machine, what it read and wrote, and how long it took."""

from __future__ import annotations

import hashlib
import os
import platform
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.disk import read_json, write_json

RUN_FOLDER = "runs"
ROOT = Path(__file__).parents[1]


def new_run_id() -> str:
    """A name that sorts by time and does not repeat: 20261120T101530Z-3f9a."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


@dataclass
class RunManifest:
    """One run, kept as JSON in the lake: written when it starts, at the end of each stage, and when it ends.

    `status` is running, done or failed; `runs` tells a run that is marked as running but whose program is gone.
    """

    run_id: str
    command: str
    settings: dict[str, Any]
    code_version: str
    lock_hash: str
    hardware: dict[str, Any]
    started: str
    host: str
    pid: int
    status: str = "running"
    finished: str | None = None
    seconds: float | None = None
    error: str | None = None
    inputs: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    stages: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def start(cls, lake: Lake, settings: dict[str, Any], command: str = "", run_id: str | None = None) -> RunManifest:
        """A new manifest with everything known before the run, written to the lake."""
        manifest = cls(
            run_id or new_run_id(), command, settings, code_version(), lock_hash(), hardware(),
            datetime.now(UTC).isoformat(), socket.gethostname(), os.getpid(),
        )  # fmt: skip
        manifest.write(lake)
        return manifest

    def write(self, lake: Lake) -> Path:
        """Replaces the manifest in the lake, whole."""
        path = lake.path / RUN_FOLDER / f"{self.run_id}.json"
        write_json(path, asdict(self))
        return path

    def read_from(self, name: str, fingerprint: str, **about: Any) -> None:
        """Notes an input: a file or table version, and the fingerprint of what was in it."""
        self.inputs.append({"name": name, "fingerprint": fingerprint, **about})

    def wrote(self, *refs: TableRef) -> None:
        """Notes table versions that the run published."""
        for output in map(asdict, refs):
            if output not in self.outputs:
                self.outputs.append(output)

    def count(self, **counts: int) -> None:
        """Sets counts such as quarantined rows."""
        self.counts.update(counts)

    @contextmanager
    def stage(self, lake: Lake, name: str) -> Iterator[dict[str, Any]]:
        """Times one stage; the yielded dict takes what else is to be said of it (rows, rate).

        Writes as it begins, so that a run that was killed says in which stage, and at its end.
        """
        entry: dict[str, Any] = {"name": name, "started": datetime.now(UTC).isoformat(), "status": "running"}
        self.stages.append(entry)
        self.write(lake)
        began = time.perf_counter()
        try:
            yield entry
            entry["status"] = "done"
        except BaseException:
            entry["status"] = "failed"
            raise
        finally:
            entry["seconds"] = round(time.perf_counter() - began, 3)
            self.write(lake)

    def finish(self, lake: Lake, error: str | None = None) -> None:
        """Marks the run as done, or as failed with the sentence that says why."""
        now = datetime.now(UTC)
        self.status, self.error, self.finished = "failed" if error else "done", error, now.isoformat()
        self.seconds = round((now - datetime.fromisoformat(self.started)).total_seconds(), 3)
        self.write(lake)


def runs(lake: Lake) -> list[RunManifest]:
    """Manifests of all runs, newest first; a run whose program died is shown as interrupted."""
    paths = sorted((lake.path / RUN_FOLDER).glob("*.json"), reverse=True)
    found = [RunManifest(**read_json(path)) for path in paths]
    for manifest in found:
        if manifest.status == "running" and manifest.host == socket.gethostname() and not _is_alive(manifest.pid):
            manifest.status = "interrupted"
    return sorted(found, key=lambda manifest: manifest.started, reverse=True)


def last_fingerprint(lake: Lake, name: str) -> str | None:
    """Fingerprint of the input `name` when a run last took it in; None where none has."""
    found = (i["fingerprint"] for manifest in runs(lake) for i in reversed(manifest.inputs) if i["name"] == name)
    return next(found, None)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@cache
def code_version() -> str:
    """`git describe` of the repository the code lies in, else the version of the installed package."""
    if (ROOT / ".git").exists():
        try:
            text = subprocess.run(
                ["git", "describe", "--always", "--dirty", "--tags"],
                cwd=ROOT, capture_output=True, text=True, check=True, timeout=20,
            ).stdout.strip()  # fmt: skip
            return text or "uncommitted"
        except (OSError, subprocess.SubprocessError):
            pass  # no git here, or no commit yet: the package says which code this is
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("argelander")
    except PackageNotFoundError:
        return "unknown"


@cache
def lock_hash() -> str:
    """SHA-256 of requirements.lock, else of the names and versions of everything installed."""
    lock = ROOT / "requirements.lock"
    if lock.exists():
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    from importlib.metadata import distributions

    installed = sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions()})
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


def hardware() -> dict[str, Any]:
    """Processor, cores this program may use, memory in GiB, graphics card (None where there is none), system."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu(), "cores": cores, "memory_gib": round(pages / 2**30, 1), "gpu": _gpu(),
        "system": platform.platform(), "python": platform.python_version(),
    }  # fmt: skip


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpu() -> str | None:
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = [line for card in cards for line in card.read_text().splitlines() if line.startswith("Model:")]
    return ", ".join(line.split(":", 1)[1].strip() for line in lines) or None
