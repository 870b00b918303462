"""The runs of a lake as a table: what each did, or why it ended early."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest, read_manifests


def list_runs(lake: Lake) -> Table:
    """A row for each run, newest first."""
    table = Table("run", "preset", "status", "seconds", "did, or why not", box=None)
    for manifest in read_manifests(lake):
        seconds = sum(stage.get("seconds", 0.0) for stage in manifest.stages)
        preset, words = manifest.settings.get("preset", ""), tell_outcome(manifest)
        table.add_row(manifest.run_id, escape(preset), manifest.status, f"{seconds:.0f}", escape(words))
    return table


def tell_outcome(manifest: RunManifest) -> str:
    """What a run did, by stage; of one that ended early, in which stage and why."""
    did = ", ".join(f"{stage['name']} {stage['done']:,}" for stage in manifest.stages if stage.get("done"))
    if manifest.status in ("done", "running"):
        return did or "nothing new"
    where = manifest.stages[-1]["name"] if manifest.stages else "start"
    why = (manifest.error or "its program ended without a word: it was killed, or the machine stopped").splitlines()[0]
    return f"{where}: stopped by {why}" if manifest.status == "cancelled" else f"{where}: {why}"
