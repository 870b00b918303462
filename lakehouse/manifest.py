"""The record of a run: what it was asked, with which code and machine, what it read and wrote, and how long it took."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.disk import read_json, write_json
from lakehouse.machine import code_version, hardware, lock_hash
from lakehouse.run import StageResult
from schemas import BadInput

RUN_FOLDER = "runs"


def new_run_id() -> str:
    """A name that sorts by time and does not repeat: 20261120T101530Z-3f9a."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"


@dataclass
class RunManifest:
    """One run, kept as JSON in the lake: written when it starts, at the end of each stage, and when it ends.

    `status` is running, done, failed, or cancelled where somebody stopped it; `runs` tells a run that is marked as
    running but whose program is gone.
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
            run_id or new_run_id(),
            command,
            settings,
            code_version(),
            lock_hash(),
            hardware(),
            datetime.now(UTC).isoformat(),
            socket.gethostname(),
            os.getpid(),
        )
        manifest.write(lake)
        return manifest

    def write(self, lake: Lake) -> Path:
        """Replaces the manifest in the lake, whole."""
        path = lake.path / RUN_FOLDER / f"{self.run_id}.json"
        write_json(path, asdict(self))
        return path

    def add_input(self, name: str, fingerprint: str, **about: Any) -> None:
        """Notes an input: a file or table version, and the fingerprint of what was in it."""
        self.inputs.append({"name": name, "fingerprint": fingerprint, **about})

    def add_outputs(self, *refs: TableRef) -> None:
        """Notes table versions that the run committed."""
        for output in map(asdict, refs):
            if output not in self.outputs:
                self.outputs.append(output)

    def add_result(self, entry: dict[str, Any], result: StageResult) -> None:
        """Notes what a stage did, in its entry and in the totals of the run."""
        entry |= {
            "done": result.done,
            "total": result.total,
            "notes": list(result.notes),
            "tables": [f"{ref.table}@{ref.version}" for ref in result.tables],
            "inputs": [f"{name}={mark}" for name, mark in result.inputs.items()],
        }
        self.add_outputs(*result.tables)
        self.set_counts(**result.counts)
        for name, mark in result.inputs.items():
            self.add_input(name, mark)

    def set_counts(self, **counts: int) -> None:
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

    def finish(self, lake: Lake, error: str | None = None, is_cancelled: bool = False) -> None:
        """Marks the run as done, or as failed or cancelled with the sentence that says why."""
        now = datetime.now(UTC)
        self.status = "cancelled" if is_cancelled else "failed" if error else "done"
        self.error, self.finished = error, now.isoformat()
        self.seconds = round((now - datetime.fromisoformat(self.started)).total_seconds(), 3)
        self.write(lake)


def read_manifests(lake: Lake, but: Collection[str] = ()) -> list[RunManifest]:
    """Manifests of all runs but those named, newest first; a run whose program died is shown as interrupted."""
    paths = [path for path in (lake.path / RUN_FOLDER).glob("*.json") if path.stem not in but]
    found = [_read(path) for path in paths]
    for manifest in found:
        if manifest.status == "running" and manifest.host == socket.gethostname() and not _is_alive(manifest.pid):
            manifest.status = "interrupted"
    return sorted(found, key=lambda manifest: (manifest.started, manifest.run_id), reverse=True)


def _read(path: Path) -> RunManifest:
    """A manifest; what only another version of the program writes is left out."""
    known = {f.name for f in fields(RunManifest)}
    try:
        return RunManifest(**{name: value for name, value in read_json(path).items() if name in known})
    except TypeError as error:  # of what every version writes, something is not there
        raise BadInput(f"{path} is damaged ({error}); remove it and run again.") from error


def read_last_fingerprint(lake: Lake, name: str) -> str | None:
    """Fingerprint of the input `name` when a run last took it in; None where none has."""
    inputs = (entry for manifest in read_manifests(lake) for entry in reversed(manifest.inputs))
    return next((entry["fingerprint"] for entry in inputs if entry["name"] == name), None)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
