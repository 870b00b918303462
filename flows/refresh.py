"""The main flow: sample, clean, featurize, train, score, publish. Each stage does only what is not done yet."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from prefect import flow

from flows.failure import is_lost_server
from flows.parameters import CompleteSettings
from flows.run_page import open_page, show_cluster, show_run
from flows.scoring import with_models
from flows.settings import Settings
from flows.summary import line
from lakehouse.delta.store import Lake
from lakehouse.disk import require_writable
from lakehouse.leases import leases_of
from lakehouse.leftovers import clear_after, clear_before
from lakehouse.manifest import RunManifest
from lakehouse.models import ModelPlace, record_models
from lakehouse.run import Run, StageResult
from lakehouse.runs import record_runs
from schemas import BadInput
from tasks.acquire import acquire
from tasks.clean import clean
from tasks.featurize import featurize
from tasks.monitoring.post import Page
from tasks.publish import publish
from tasks.score import score
from tasks.stages.fanout import open_cluster
from tasks.stages.train.labels import TrainingPlan
from tasks.train import train


@dataclass(frozen=True)
class Outcome:
    """What a run did, stage by stage."""

    run_id: str
    stages: tuple[StageResult, ...]
    manifest: RunManifest


ended: list[Outcome] = []  # the runs of this process whose work is done


def run_refresh(settings: Settings, lake: Path, release: Path) -> Outcome:
    """The flow `refresh`. Where the orchestrator is lost when the work is done, that is said, and the work counts."""
    ended.clear()
    try:
        return refresh(settings, lake, release)
    except Exception as error:
        if not ended or not is_lost_server(error):
            raise
        print("The orchestrator's server was lost; the work of the run is done all the same.", file=sys.stderr)
        return ended.pop()


@flow(name="refresh", flow_run_name="{settings.dataset} refreshing")
def refresh(settings: CompleteSettings, lake: Path = Path("lake"), release: Path = Path("release")) -> Outcome:
    """Refresh the catalogue and release it.

    Args:
        settings: Everything that decides what the run does; a preset, and what differs from it.
        lake: Folder of the lake.
        release: Folder that receives releases.
    """
    with open_page(settings.dataset) as page:
        require_writable(release, "release folder")
        place = Lake(lake, create=True)
        settings = with_models(settings, place)
        name, what = f"dataset-{settings.dataset}", f"refresh of {settings.dataset}"
        with leases_of(place.path).hold(name, what, page.tell):
            outcome = _refresh(settings, place, release, page)
        show_run(page, settings, place, outcome.stages)
    return outcome


def _refresh(settings: Settings, place: Lake, release: Path, page: Page) -> Outcome:
    """The run, once nobody else refreshes the dataset; its manifest says how it ended."""
    cleared = clear_before(place, settings.dataset, release)
    manifest = RunManifest.start(place, settings.model_dump(mode="json"), command=f"refresh {settings.preset}")
    try:
        with open_cluster(settings.compute.n_workers, settings.compute.scheduler) as scheduler:
            show_cluster(page, settings.dataset, scheduler)
            stages = run_stages(settings, place, release, manifest, scheduler)
        cleared += clear_after(place, settings.dataset)
    except BaseException as error:
        is_cancelled = not isinstance(error, Exception)  # an interrupt from the keyboard, or the orchestrator's
        manifest.finish(place, str(error) or type(error).__name__, is_cancelled)
        with suppress(BadInput):  # a full disk: what the run failed of is to be told, and the next run records it
            record(place, manifest.run_id, settings.dataset)
        raise
    if cleared:
        manifest.set_counts(cleared=cleared)
        page.tell(f"  cleared: {cleared:,} leftovers of runs that were killed")
    manifest.finish(place)
    record(place, manifest.run_id, settings.dataset)
    ended.append(Outcome(manifest.run_id, stages, manifest))
    return ended[-1]


def record(lake: Lake, run_id: str, dataset: str) -> None:
    """Copy the cards of the dataset's models and the manifests of its runs into their tables."""
    record_models(lake, run_id, dataset)
    record_runs(lake, run_id, dataset)


def run_stages(
    settings: Settings, lake: Lake, release: Path, manifest: RunManifest, scheduler: str
) -> tuple[StageResult, ...]:
    """The run, top to bottom."""
    compute = settings.compute
    path = str(lake.path.absolute())  # workers may stand elsewhere
    run = Run(manifest.run_id, path, settings.dataset, scheduler, compute.chunk_objects, compute.retries)
    place, is_synthetic = ModelPlace.parse(settings.models, path, settings.dataset), settings.source.is_synthetic
    stages: list[StageResult] = []

    def stage(door: Callable[..., StageResult], *arguments: Any) -> None:
        """Run a door, time it, and write what it did into the manifest."""
        with manifest.stage(lake, door.name) as entry:  # type: ignore[attr-defined]
            began = time.monotonic()
            done = replace(door(run, *arguments), seconds=time.monotonic() - began)
            manifest.add_result(entry, done)
        stages.append(done)
        print(line(done), file=sys.stderr, flush=True)

    stage(acquire, settings.source, settings.limit)
    stage(clean, settings.cut_config)
    stage(featurize, settings.feature_config)
    if settings.models is None:
        stage(train, TrainingPlan(settings.training, settings.seed, settings.source.has_time, is_synthetic))
    stage(score, place)
    stage(publish, release, manifest, place, is_synthetic)
    return tuple(stages)
