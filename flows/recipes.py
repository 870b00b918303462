"""Settings as the configurations that the tasks take."""

from __future__ import annotations

from flows.settings import Settings
from tasks.learning.recipe import NetworkConfig
from tasks.stages.train.stage import TrainingPlan


def plan(settings: Settings) -> TrainingPlan:
    """What is trained; the network needs epochs at times."""
    training = settings.training
    network = training.network
    config = NetworkConfig(hidden=network.hidden, max_per_band=network.max_per_band,
                           max_epoch_count=network.max_training_epochs)  # fmt: skip
    is_used = network.is_used and settings.source.has_time
    return TrainingPlan(
        training.n_folds, training.test_fraction, training.n_trees, training.quantities, training.label_origins,
        training.min_labels, training.interval_level, training.when,
        config if is_used else None, network.survey, settings.seed,
    )  # fmt: skip
