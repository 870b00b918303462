"""Settings as the configurations that the tasks take."""

from __future__ import annotations

from dataclasses import replace

from flows.settings import FolderSource, Settings
from tasks.features import FeatureConfig
from tasks.learning.recipe import NetworkConfig
from tasks.lightcurves.cuts import CutConfig
from tasks.lightcurves.series import PeriodConfig
from tasks.stages.train.stage import TrainingPlan


def cut_config(settings: Settings) -> CutConfig:
    """The cuts, told whether the dataset quotes errors at all."""
    has_error = settings.source.spec.has_errors if isinstance(settings.source, FolderSource) else True
    cuts = settings.cuts
    return CutConfig(cuts.names, has_error, max_err=cuts.max_mag_err, outlier_sigma=cuts.outlier_sigma)


def feature_config(settings: Settings) -> FeatureConfig:
    """The features; folded curves have no time and so no period search."""
    period = replace(PeriodConfig(), f_max=settings.features.max_frequency, oversampling=settings.features.oversampling)
    return FeatureConfig(has_time=has_time(settings), period=period,
                         second_period=settings.features.second_period and has_time(settings))  # fmt: skip


def has_time(settings: Settings) -> bool:
    """False for folded curves and for mean photometry."""
    return not isinstance(settings.source, FolderSource) or settings.source.spec.kind == "time"


def plan(settings: Settings) -> TrainingPlan:
    """What is trained; the network needs epochs at times."""
    training = settings.training
    network = training.network
    config = NetworkConfig(hidden=network.hidden, max_per_band=network.max_per_band,
                           max_epoch_count=network.max_training_epochs)  # fmt: skip
    return TrainingPlan(
        training.n_folds, training.test_fraction, training.n_trees, training.quantities, training.label_origins,
        training.min_labels, training.interval_level, training.when, config if network.is_used and has_time(settings)
        else None, network.survey, settings.seed,
    )  # fmt: skip
