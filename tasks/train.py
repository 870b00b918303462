"""Door: train every recipe of every target on folds, and make the best of each target current."""

from __future__ import annotations

from prefect import task

from lakehouse.run import Run, StageResult
from tasks.monitoring.watch import watched
from tasks.stages.retries import is_transient
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models


@task(name="train", task_run_name="train-{run.dataset}", retries=1, retry_condition_fn=is_transient)
@watched
def train(run: Run, plan: TrainingPlan) -> StageResult:
    """Train every recipe of every target on folds, and make the best of each target current."""
    return train_models(run, plan)
