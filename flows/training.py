"""Train recipes for a dataset that was refreshed, without the rest of a refresh."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from flows.scoring import read_settings
from flows.settings import Settings, override
from flows.summary import line
from lakehouse.delta.store import Lake
from lakehouse.leases import leases_of
from lakehouse.manifest import RunManifest, read_manifests
from lakehouse.models import record_models
from lakehouse.run import Run, StageResult
from lakehouse.runs import record_runs
from schemas import BadInput
from schemas.errors import nearest
from tasks.stages.fanout import open_cluster
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models

FEATURES = "feature_sample__source"


def train_recipes(name: str, lake: Path, assignments: Sequence[str]) -> Settings:
    """Train for the dataset of the preset `name` with its settings, but for the `assignments` (key=value), and say how.

    A better model becomes current, and scores at the next refresh. BadInput where the lake has no features of it.
    """
    place = Lake(lake)
    settings = override(read_refreshed(place, name), ("training.budget_minutes=null", *assignments))
    with leases_of(place.path).hold(f"dataset-{settings.dataset}", f"training for {settings.dataset}"):
        manifest = RunManifest.start(place, settings.model_dump(mode="json"), command=f"train {name}")
        try:
            done = _train(settings, place, manifest)
        except BaseException as error:
            manifest.finish(place, str(error) or type(error).__name__, not isinstance(error, Exception))
            raise
        manifest.finish(place)
        record_models(place, manifest.run_id, settings.dataset)
        record_runs(place, manifest.run_id, settings.dataset)
    print("\n".join([line(done), *(f"  {note}" for note in done.notes)]), file=sys.stderr, flush=True)
    return settings


def _train(settings: Settings, lake: Lake, manifest: RunManifest) -> StageResult:
    """The one stage of the run."""
    compute, source = settings.compute, settings.source
    plan = TrainingPlan(settings.training, settings.seed, source.has_time, source.is_synthetic)
    with open_cluster(compute.n_workers, compute.scheduler) as scheduler, manifest.stage(lake, "train") as entry:
        path = str(lake.path.absolute())
        run = Run(manifest.run_id, path, settings.dataset, scheduler, compute.chunk_objects, compute.retries)
        began = time.monotonic()
        done = replace(train_models(run, plan, aside=True), seconds=time.monotonic() - began)
        manifest.add_result(entry, done)
    return done


def read_refreshed(lake: Lake, name: str) -> Settings:
    """Settings of the newest refresh of the dataset `name`, else of the preset of that name.

    BadInput where the lake has no features of it.
    """
    done = [each for each in read_manifests(lake) if each.status == "done" and each.command.startswith("refresh ")]
    for meant in ("dataset", "preset"):
        for manifest in (each for each in done if each.settings.get(meant) == name):
            dataset = manifest.settings.get("dataset", "")
            if lake.exists(FEATURES) and lake.count(FEATURES, dataset=dataset):
                return read_settings(manifest)
    known = sorted({manifest.settings.get("dataset", "") for manifest in done})
    raise BadInput(
        f"The lake at {lake.path} has no features of {name!r}; it was refreshed for {', '.join(known) or 'none'}."
        f"{nearest(name, known)} Run `argelander refresh {name}` first."
    )
