"""Door: keep the good epochs of every light curve; the ledger says how many each cut removed."""

from __future__ import annotations

from prefect import task

from lakehouse.run import Run, StageResult
from tasks.monitoring.watch import watched
from tasks.stages.clean.stage import clean_sources
from tasks.stages.retries import is_transient
from tasks.surveys.cuts import CutConfig


@task(name="clean", task_run_name="clean-{run.dataset}", retries=1, retry_condition_fn=is_transient)
@watched
def clean(run: Run, cuts: CutConfig) -> StageResult:
    """Keep the good epochs of every light curve; the ledger says how many each cut removed."""
    return clean_sources(run, cuts)
