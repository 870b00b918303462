"""From light curves to catalogue rows: cuts, features, scores, one after the other, without a lake.

The stages of a refresh use the same functions and keep what lies between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.features import FeatureConfig, compute_colours, compute_features
from tasks.features.feature import Arrays
from tasks.learning.catalogue import Scorer, catalogue_values, columns_read, reads_curves
from tasks.learning.data import examples_from_table
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import NeutralCutConfig, cut_by_survey


@dataclass(frozen=True, eq=False)
class Pipeline:
    """What makes catalogue rows of light curves: the cuts, the features, and a scorer for each target."""

    cuts: NeutralCutConfig
    features: FeatureConfig
    scorers: Sequence[Scorer]


def rows_of_curves(
    objects: LightCurveBatch, survey: NDArray[np.integer], inputs: Arrays | None, pipeline: Pipeline
) -> pa.Table:
    """Catalogue rows of raw light curves: source_id, n_epoch after the cuts, every feature, and the scores.

    `objects` and `survey` are as in `cut_by_survey`; the rows of a source are next to each other. `inputs` has the
    values of catalogues that the features take, one for each source in that order, NaN where unknown.
    """
    curves = cut_by_survey(objects, survey, pipeline.cuts)[0].merge_rows().sort_by_time()
    features = compute_features(curves, pipeline.features, inputs)
    return append_scores(features.append_column("n_epoch", pa.array(curves.n_epoch)), curves, pipeline.scorers)


def rows_of_photometry(objects: LightCurveBatch, scorers: Sequence[Scorer]) -> pa.Table:
    """Catalogue rows of mean photometry: source_id, colours and scores; one epoch of a band is its mean magnitude."""
    sources = objects.merge_rows()
    mags = np.full((len(sources), len(sources.bands)), np.nan)
    mags[sources.row, sources.band] = sources.mag
    colours = compute_colours(mags, sources.bands).add_column(0, "source_id", pa.array(sources.source_id))
    return append_scores(colours, None, scorers)


def append_scores(features: pa.Table, curves: LightCurveBatch | None, scorers: Sequence[Scorer]) -> pa.Table:
    """Rows of features (S) with the catalogue's columns of every scorer; `curves` are those of the rows, in order."""
    examples = examples_from_table(features, columns_read(scorers), curves if reads_curves(scorers) else None)
    for name, values in catalogue_values(scorers, [each.score(examples) for each in scorers]).items():
        features = features.append_column(name, pa.array(values))
    return features
