"""Migrate: what is known of a dataset follows its sources into a dataset of a later data release."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from flows.settings import Settings
from flows.summary import line
from flows.training import read_refreshed
from lakehouse.delta.store import Lake
from lakehouse.leases import leases_of
from lakehouse.manifest import RunManifest
from lakehouse.models import record_models
from lakehouse.run import Run, StageResult
from lakehouse.runs import record_runs
from schemas import BadInput
from schemas.inputs import ArchiveSource
from tasks.stages.migrate.stage import migrate_sources


def migrate_dataset(earlier: str, later: str, lake: Path, offline: bool = False) -> StageResult:
    """Migrate from the dataset `earlier` to `later`, both of them refreshed in the lake, and say what came of it."""
    place = Lake(lake)
    before, settings = _read(place, earlier), _read(place, later)
    with ExitStack() as stack:
        for name in sorted({earlier, later}):  # in one order, so that no two wait for each other
            stack.enter_context(leases_of(place.path).hold(f"dataset-{name}", f"refresh of {name}"))
        manifest = RunManifest.start(place, settings.model_dump(mode="json"), command=f"migrate {earlier} {later}")
        try:
            done = _migrate(place, manifest, settings, before, offline)
        except BaseException as error:
            manifest.finish(place, str(error) or type(error).__name__, not isinstance(error, Exception))
            raise
        manifest.finish(place)
        record_models(place, manifest.run_id, later)
        record_runs(place, manifest.run_id, later)
    print("\n".join([line(done), *(f"  {note}" for note in done.notes)]), file=sys.stderr, flush=True)
    return done


def _read(lake: Lake, dataset: str) -> Settings:
    """Settings of the newest refresh of a dataset; BadInput where there is none of that very name."""
    settings = read_refreshed(lake, dataset)
    if settings.dataset != dataset:
        raise BadInput(
            f"The lake at {lake.path} has no dataset {dataset!r}; the newest of the preset of that name is "
            f"{settings.dataset}. Refresh {dataset} first. Nothing was changed."
        )
    return settings


def _migrate(lake: Lake, manifest: RunManifest, settings: Settings, before: Settings, offline: bool) -> StageResult:
    """The one stage of the run."""
    path, source, compute = str(lake.path.absolute()), settings.source, settings.compute
    if isinstance(source, ArchiveSource):
        source = source.model_copy(update={"offline": offline, "ask_again": ()})
    run = Run(manifest.run_id, path, settings.dataset, "", compute.chunk_objects, compute.retries)
    with manifest.stage(lake, "migrate") as entry:
        began = time.monotonic()
        done = replace(migrate_sources(run, source, before.dataset, before.source), seconds=time.monotonic() - began)
        manifest.add_result(entry, done)
    return done
