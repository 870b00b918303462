"""From light curves to catalogue rows: cuts, features, scores, one after the other, without a lake.

The stages of a refresh use the same functions and keep what lies between them; `catalogue_rows` is the last step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import TABLES
from tasks.features import FeatureConfig, compute_colours, compute_features
from tasks.features.feature import Arrays
from tasks.learning.catalogue import Scorer, catalogue_values, columns_read, reads_curves
from tasks.learning.data import examples_from_table
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import NeutralCutConfig, cut_by_survey

PERIOD = tuple(
    TABLES["out__catalogue"].columns_by_name[name] for name in ("period_day", "period_error_day", "period_prob")
)
CLASS_PRED = TABLES["out__catalogue"].columns_by_name["class_pred"]


@dataclass(frozen=True, eq=False)
class Pipeline:
    """What makes catalogue rows of light curves: the cuts, the features, and a scorer for each target."""

    cuts: NeutralCutConfig
    features: FeatureConfig
    scorers: Sequence[Scorer]


@dataclass(frozen=True, eq=False)
class CatalogueRows:
    """What the catalogue says of S sources that their archives do not, and the scores that it was made of.

    `table`: source_id, n_epoch, the columns of PERIOD, class_pred, and the columns of every target, a row for each
    source. `scores` has those of each scorer.
    """

    table: pa.Table
    scores: tuple[Any, ...]


def rows_of_curves(
    objects: LightCurveBatch, survey: NDArray[np.integer], inputs: Arrays | None, pipeline: Pipeline
) -> CatalogueRows:
    """Catalogue rows of raw light curves: their epochs are counted after the cuts.

    `objects` and `survey` are as in `cut_by_survey`; the rows of a source are next to each other. `inputs` has the
    values of catalogues that the features take, one for each source in that order, NaN where unknown.
    """
    curves = cut_by_survey(objects, survey, pipeline.cuts)[0].merge_rows().sort_by_time()
    features = compute_features(curves, pipeline.features, inputs)
    return catalogue_rows(features, curves.n_epoch, curves, pipeline.scorers)


def rows_of_photometry(objects: LightCurveBatch, scorers: Sequence[Scorer]) -> CatalogueRows:
    """Catalogue rows of mean photometry, without epochs; one epoch of a band is its mean magnitude."""
    sources = objects.merge_rows()
    mags = np.full((len(sources), len(sources.bands)), np.nan)
    mags[sources.row, sources.band] = sources.mag
    colours = compute_colours(mags, sources.bands).add_column(0, "source_id", pa.array(sources.source_id))
    return catalogue_rows(colours, np.zeros(len(sources), np.int32), None, scorers)


def catalogue_rows(
    features: pa.Table, n_epoch: NDArray[np.integer], curves: LightCurveBatch | None, scorers: Sequence[Scorer]
) -> CatalogueRows:
    """Catalogue rows of features (S): source_id, the columns that scorers read, and the period where there is one.

    `n_epoch` (S,) are the epochs that survived the cuts; `curves` those of the rows, in order, where a scorer reads
    them. What no scorer and no feature gives is null.
    """
    examples = examples_from_table(features, columns_read(scorers), curves if reads_curves(scorers) else None)
    scores = tuple(each.score(examples) for each in scorers)
    nothing = {column.name: pa.nulls(features.num_rows, column.type) for column in (*PERIOD, CLASS_PRED)}
    period = {column.name: features[column.name] for column in PERIOD if column.name in features.column_names}
    measured = {"source_id": features["source_id"], "n_epoch": np.asarray(n_epoch, np.int32)}
    return CatalogueRows(pa.table(measured | nothing | period | catalogue_values(scorers, scores)), scores)
