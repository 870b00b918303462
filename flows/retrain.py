"""The flow that trains again what a lake holds, between refreshes; a better model scores at the next one."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from flows.run_list import tell_outcome
from flows.run_page import open_page
from flows.training import train_recipes
from lakehouse.delta.store import Lake
from lakehouse.manifest import read_manifests
from tasks.monitoring.watch import Watch
from tasks.stages.progress import heard_by


@flow(name="retrain", flow_run_name="{dataset} retraining")
def retrain(dataset: str, lake: Path = Path("lake")) -> None:
    """Train the recipes of a dataset; a model that is better out of fold becomes current.

    Args:
        dataset: A preset, or a dataset, that the lake was refreshed with.
        lake: Folder of the lake.
    """
    with open_page(dataset) as page, heard_by(Watch(page, f"{dataset}-retrain")):
        settings = train_recipes(dataset, lake, ())
        done = next(m for m in read_manifests(Lake(lake)) if m.settings.get("dataset") == settings.dataset)
        page.rename(f"{settings.dataset} retrained: {tell_outcome(done)}")
        for note in done.stages[-1].get("notes", ()):
            page.log(note)
