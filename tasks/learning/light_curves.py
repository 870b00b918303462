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
from schemas.tables.catalogue import OF_CLASS
from tasks.features import FeatureConfig, compute_colours, compute_features
from tasks.features.feature import Arrays
from tasks.learning.catalogue import (
    Scorer,
    catalogue_columns,
    catalogue_values,
    columns_read,
    rank_novelty,
    reads_curves,
)
from tasks.learning.data import examples_from_table
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import NeutralCutConfig, cut_by_survey

PERIOD = tuple(
    TABLES["out__catalogue"].columns_by_name[name] for name in ("period_day", "period_error_day", "period_prob")
)
NOVELTY, REASON = (TABLES["out__catalogue"].columns_by_name[name] for name in ("novelty_rank", "unscored_reason"))
NO_EPOCH, NO_MODEL = "no_epoch", "no_model"  # reasons why a row has no scores


@dataclass(frozen=True, eq=False)
class Pipeline:
    """What makes catalogue rows of light curves: the cuts, the features, and a scorer for each target."""

    cuts: NeutralCutConfig
    features: FeatureConfig
    scorers: Sequence[Scorer]


@dataclass(frozen=True, eq=False)
class CatalogueRows:
    """What the catalogue says of S sources that their archives do not, and the scores that it was made of.

    `table`: source_id, n_epoch, the columns of PERIOD and OF_CLASS, novelty_rank, unscored_reason, and the columns of
    every target, a row for each source. `is_scored` (S,) is false where there was nothing to score; `scores` has those
    of each scorer for the others, and is empty where there are none.
    """

    table: pa.Table
    scores: tuple[Any, ...]
    is_scored: NDArray[np.bool_]


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


def rows_of_photometry(objects: LightCurveBatch, inputs: Arrays | None, pipeline: Pipeline) -> CatalogueRows:
    """Catalogue rows of mean photometry, without epochs; one epoch of a band is its mean magnitude.

    `inputs` as of `rows_of_curves`.
    """
    sources = objects.merge_rows()
    mags = np.full((len(sources), len(sources.bands)), np.nan)
    mags[sources.row, sources.band] = sources.mag
    colours = compute_colours(mags, sources.bands, pipeline.features, inputs)
    colours = colours.add_column(0, "source_id", pa.array(sources.source_id))
    return catalogue_rows(colours, None, None, pipeline.scorers)


def catalogue_rows(
    features: pa.Table, n_epoch: NDArray[np.integer] | None, curves: LightCurveBatch | None, scorers: Sequence[Scorer]
) -> CatalogueRows:
    """Catalogue rows of features (S): source_id, the columns that scorers read, and the period where there is one.

    `n_epoch` (S,) are the epochs that survived the cuts, None for mean photometry; a source without any is not scored.
    `curves` are those of the rows, in order, where a scorer reads them. What no scorer and no feature gives is null.
    """
    n = features.num_rows
    has_epoch = np.ones(n, bool) if n_epoch is None else np.asarray(n_epoch) > 0
    is_scored = has_epoch if scorers else np.zeros(n, bool)
    examples = examples_from_table(features, columns_read(scorers), curves if reads_curves(scorers) else None)
    if not is_scored.all():
        examples = examples.select(is_scored)
    scores = tuple(each.score(examples) for each in scorers) if len(examples) else ()
    nothing = {column.name: pa.nulls(n, column.type) for column in (*PERIOD, *OF_CLASS, NOVELTY)}
    period = {column.name: features[column.name] for column in PERIOD if column.name in features.column_names}
    measured = {
        "source_id": features["source_id"],
        "n_epoch": pa.array(np.zeros(n) if n_epoch is None else n_epoch, pa.int32()),
    }
    reason = {REASON.name: pa.array(np.where(has_epoch, NO_MODEL, NO_EPOCH), REASON.type, mask=is_scored)}
    values = _spread_values(scorers, scores, rank_novelty(scorers, examples), is_scored)
    return CatalogueRows(pa.table(measured | nothing | period | reason | values), scores, is_scored)


def _spread_values(
    scorers: Sequence[Scorer], scores: Sequence[Any], novelty: pa.Array, is_scored: NDArray[np.bool_]
) -> dict[str, Any]:
    """Values of the catalogue's columns for all sources (S,), from `scores` of the scored ones; null elsewhere."""
    if not scores:
        declared = catalogue_columns([(each.target, each.calibration) for each in scorers])
        return {column.name: pa.nulls(is_scored.size, column.type) for column in declared}
    values = {**catalogue_values(scorers, scores), NOVELTY.name: novelty}
    if is_scored.all():
        return values
    place = pa.array(np.cumsum(is_scored) - 1, mask=~is_scored)
    return {name: pa.array(column).take(place) for name, column in values.items()}
