"""Settings as the configurations that the tasks take."""

from __future__ import annotations

from flows.settings import Settings
from tasks.stages.train.labels import TrainingPlan


def plan(settings: Settings) -> TrainingPlan:
    """What is trained, and whether the epochs have times."""
    return TrainingPlan(settings.training, settings.seed, settings.source.has_time)
