"""Lakes with one file cut, garbled, emptied, removed or of a newer version, and the commands that meet them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from tests.soak.folders import SETTINGS
from tests.soak.trial import FAULT, Verdict, run_command

Rng = np.random.Generator
SKIPPED = (".prefect", "release")  # Prefect's own database, and what is written for others to take away


def try_lake(rng: Rng, finished: Path, place: Path, scheduler: str) -> Verdict:
    """Tamper with a copy of a `finished` lake (its folder of light curves beside it) and try four commands on it."""
    lake = place / "lake"
    shutil.copytree(finished / "lake", lake)
    path = _choose(rng, lake)
    what = _tamper(rng, path)
    verdicts = [run_command(command) for command in _commands(lake, finished / "data", place, scheduler)]
    worst = max(verdicts, key=lambda each: each.outcome == FAULT)
    return Verdict(worst.outcome, f"{path.relative_to(lake)} {what}: {worst.words}")


def _choose(rng: Rng, lake: Path) -> Path:
    """A file of the lake: each kind of place as likely as another, however many files it has."""
    files = [path for path in sorted(lake.rglob("*")) if path.is_file() and not set(path.parts) & set(SKIPPED)]
    kinds = sorted({(path.relative_to(lake).parts[0], path.suffix) for path in files})
    kind = kinds[int(rng.integers(len(kinds)))]
    own = [path for path in files if (path.relative_to(lake).parts[0], path.suffix) == kind]
    return own[int(rng.integers(len(own)))]


def _tamper(rng: Rng, path: Path) -> str:
    """Spoil one file; says how."""
    old, way = path.read_bytes(), int(rng.integers(5))
    at = int(rng.integers(max(len(old), 1)))
    if way == 0:
        path.unlink()
        return "removed"
    if way == 1:
        path.write_bytes(old[:at])
        return f"cut at byte {at} of {len(old)}"
    if way == 2:
        path.write_bytes(b"")
        return "emptied"
    if way == 3 and path.suffix == ".json":
        return _add_field(path, old)
    path.write_bytes(old[:at] + rng.bytes(40) + old[at + 40 :])
    return f"garbled at byte {at} of {len(old)}"


def _add_field(path: Path, old: bytes) -> str:
    """What a newer version could have written."""
    # a commit of Delta is one JSON object a line, everything else is one object
    texts = old.decode().splitlines() if path.parent.name == "_delta_log" else [old.decode()]
    trees = [json.loads(text) for text in texts if text.strip()]
    grown = [{**tree, "of_the_future": 1} if isinstance(tree, dict) else tree for tree in trees]
    path.write_text("\n".join(json.dumps(tree) for tree in grown))
    return "with a field of the future"


def _commands(lake: Path, data: Path, place: Path, scheduler: str) -> list[list[object]]:
    settings = [word for each in (*SETTINGS, f"compute.scheduler={scheduler}") for word in ("--set", each)]
    query = "SELECT class_pred, count(*) FROM out__catalogue GROUP BY 1"
    return [
        ["runs", "--lake", lake],
        ["query", query, "--lake", lake],
        ["score", "--preset", "folder", "--data", data, "--lake", lake, "--out", place / "scores.parquet"],
        ["refresh", "folder", "--data", data, "--lake", lake, "--release", place / "release", *settings],
    ]
