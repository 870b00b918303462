"""Door: compute the features of every source whose light curve or definition is new."""

from __future__ import annotations

from prefect import task

from lakehouse.run import Run, StageResult
from tasks.features import FeatureConfig
from tasks.monitoring.watch import watched
from tasks.stages.featurize.stage import featurize_sources
from tasks.stages.retries import is_transient


@task(name="featurize", task_run_name="featurize-{run.dataset}", retries=1, retry_condition_fn=is_transient)
@watched
def featurize(run: Run, config: FeatureConfig) -> StageResult:
    """Compute the features of every source whose light curve or definition is new."""
    return featurize_sources(run, config)
