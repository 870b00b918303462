"""Door: bring the sample and its photometry into the lake; what has not changed is not written again."""

from __future__ import annotations

from prefect import task

from lakehouse.run import Run, StageResult
from schemas.inputs import ArchiveSource, FolderSource
from tasks.monitoring.watch import watched
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.retries import is_transient


@task(name="acquire", task_run_name="acquire-{run.dataset}", retries=1, retry_condition_fn=is_transient)
@watched
def acquire(run: Run, source: ArchiveSource | FolderSource, limit: int | None) -> StageResult:
    """Bring the sample and its photometry into the lake; what has not changed is not written again."""
    return acquire_sources(run, source, limit)
