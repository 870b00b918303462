"""What the training of a target reads beside its labels: groups of which coverage is measured, and what is strange."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.store import Lake
from lakehouse.lineage import select_sources
from lakehouse.run import Run
from schemas import TABLES
from schemas.arrays import align, floats
from tasks.learning.coverage import Groups
from tasks.learning.recipe import Recipe
from tasks.learning.targets import CLASS
from tasks.learning.training_config import TrainingConfig
from tasks.learning.uncertainty.novelty import Novelty
from tasks.stages.inputs import read_examples
from tasks.stages.train.labels import TargetLabels, take_first_labels

FEATURES, LABEL = TABLES["feature_sample__source"], TABLES[CLASS.label_source.table]
MEAN_MAG_UCD = "phot.mag;stat.mean"


def read_groups(run: Run, source_id: NDArray[np.int64], config: TrainingConfig) -> Groups:
    """Class and magnitude bin of these sources (S,): the magnitude of the band in which most of them have one."""
    lake = Lake(run.lake)
    ids, label = take_first_labels(lake.read(LABEL, where={"dataset": run.dataset}), CLASS, config.label_origins)
    return Groups.of(np.append(label, "")[align(source_id, ids)], _read_magnitudes(lake, run.dataset, source_id))


def fit_novelty(run: Run, labels: TargetLabels, chosen: Recipe, training: NDArray[np.bool_]) -> Novelty | None:
    """Of a model of classes, by the features that it reads of the `training` (S,) sources; None where it reads none."""
    for part, own in zip(labels.target.parts, labels.target.encode(labels.y), strict=True):
        if part.classes and chosen.columns:
            rows = training & own.is_known
            examples = read_examples(run, labels.source_id[rows], chosen.columns, with_curves=False)
            return Novelty.fit(examples, own.values[rows], chosen.columns)
    return None


def _read_magnitudes(lake: Lake, dataset: str, source_id: NDArray[np.int64]) -> NDArray[np.float64]:
    """(S,) NaN where there is none; the columns of mean magnitudes are known by their UCD."""
    schema = lake.dataset(FEATURES).schema
    names = [field.name for field in schema if (field.metadata or {}).get(b"ucd") == MEAN_MAG_UCD.encode()]
    where = select_sources(source_id) & (pc.field("dataset") == dataset)
    rows = lake.read(FEATURES, columns=["source_id", *names], where=where)
    place = align(source_id, rows["source_id"].to_numpy())
    values = (np.append(floats(rows[name]), np.nan)[place] for name in names)
    absent = np.full(source_id.size, np.nan)
    return max([absent, *values], key=lambda mag: np.isfinite(mag).sum())
