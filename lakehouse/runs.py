"""The runs of a lake as a table: a copy of their manifests, so that a number leads to its run by a join."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pyarrow as pa

from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest, read_manifests
from schemas import TABLES

STAGE = TABLES["run_refresh__stage"]


def record_runs(lake: Lake, run_id: str, dataset: str) -> TableRef | None:
    """Copies the stages of the dataset's runs that have ended to run_refresh__stage; None where all are there.

    The manifests are the truth: a run that was killed has one, and the next run copies it. One commit that rewrites
    the dataset's rows, so that a thousand runs do not leave a thousand files to read.
    """
    held = lake.read(STAGE, where={"dataset": dataset}) if lake.exists(STAGE) else STAGE.empty()
    ended = [m for m in read_manifests(lake, but=set(held["run_id"].to_pylist())) if m.status != "running"]
    rows = [row for m in ended if m.settings.get("dataset") == dataset for row in _stage_rows(m)]
    if not rows:
        return None
    fresh = pa.Table.from_pylist(rows, schema=STAGE.arrow())
    whole = pa.concat_tables([held.cast(fresh.schema), fresh])
    return lake.overwrite(run_id, STAGE, whole, {"dataset": dataset}, stage="end")


def _stage_rows(manifest: RunManifest) -> list[dict[str, Any]]:
    run = {name: getattr(manifest, name) for name in ("run_id", "command", "error", "code_version", "lock_hash")}
    run |= {"dataset": manifest.settings["dataset"], "settings": json.dumps(manifest.settings)}
    return [
        {
            **run,
            "stage": entry["name"],
            "started": datetime.fromisoformat(entry["started"]),
            "status": "interrupted" if entry["status"] == "running" else entry["status"],
            "seconds": entry.get("seconds"),
            "n_done": entry.get("done"),
            "n_total": entry.get("total"),
            "tables": entry.get("tables"),
            "inputs": entry.get("inputs"),
        }
        for entry in manifest.stages
    ]
