"""Door: score every source with the current models, and write the catalogue."""

from __future__ import annotations

from prefect import task

from lakehouse.models import ModelPlace
from lakehouse.run import Run, StageResult
from tasks.monitoring.watch import watched
from tasks.stages.retries import is_transient
from tasks.stages.score.stage import score_sources


@task(name="score", task_run_name="score-{run.dataset}", retries=1, retry_condition_fn=is_transient)
@watched
def score(run: Run, place: ModelPlace) -> StageResult:
    """Score every source with the current models of a place, and write the catalogue."""
    return score_sources(run, place)
