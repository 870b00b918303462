"""Door: release the catalogue with a report, unless the newest release holds it already."""

from __future__ import annotations

from pathlib import Path

from prefect import task

from lakehouse.manifest import RunManifest
from lakehouse.models import ModelPlace
from lakehouse.run import Run, StageResult
from tasks.monitoring.watch import watched
from tasks.stages.publish.stage import publish_release
from tasks.stages.retries import is_transient


@task(name="publish", task_run_name="publish-{run.dataset}", retries=1, retry_condition_fn=is_transient)
@watched
def publish(run: Run, release: Path, manifest: RunManifest, place: ModelPlace, is_synthetic: bool) -> StageResult:
    """Release the catalogue with a report, unless the newest release holds it already."""
    return publish_release(run, release, manifest, place, is_synthetic)
