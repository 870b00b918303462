"""Columns as normal scores: ranks of the training part, whatever the unit, ties in the middle, nothing invented."""

import numpy as np
from scipy.stats import norm
from sklearn.preprocessing import QuantileTransformer

from tasks.learning.inputs.quantiles import N_QUANTILE, TAIL, measure_quantiles, normal_scores

RNG = np.random.default_rng(0)
COLUMNS = np.column_stack([
    RNG.lognormal(0, 3, 2000), RNG.integers(0, 3, 2000), np.full(2000, 7.0), np.full(2000, np.nan),
]).astype(np.float32)  # fmt: skip
COLUMNS[::7, 0] = np.nan


def test_scores_are_those_of_scikit_learn_within_the_tails():
    scores = normal_scores(COLUMNS, measure_quantiles(COLUMNS))
    kind = QuantileTransformer(n_quantiles=N_QUANTILE, output_distribution="uniform", subsample=None)
    rank = kind.fit_transform(COLUMNS[:, :1].astype(np.float64))
    np.testing.assert_allclose(scores[:, :1], norm.ppf(TAIL + (1 - 2 * TAIL) * rank), atol=2e-3)
    assert np.nanstd(scores[:, 0]) > 0.9 and abs(np.nanmean(scores[:, 0])) < 0.02
    least, middle, most = (scores[COLUMNS[:, 1] == value, 1][0] for value in range(3))
    assert -1.2 < least < -0.7 and abs(middle) < 0.1 and 0.7 < most < 1.2  # the middle of those that are tied


def test_what_is_missing_stays_missing_and_no_value_is_farther_out_than_the_tail():
    quantiles = measure_quantiles(COLUMNS)
    assert np.array_equal(np.isnan(normal_scores(COLUMNS, quantiles)), np.isnan(COLUMNS))
    far = np.array([[1e30, -50, 1e30, 1.0], [-1e30, 50, -1e30, -1.0]], np.float32)
    assert np.isfinite(normal_scores(far, quantiles)[:, :3]).all()
    assert np.nanmax(np.abs(normal_scores(far, quantiles))) <= norm.ppf(1 - TAIL) + 1e-6
    assert np.allclose(normal_scores(COLUMNS, quantiles)[:, 2], 0)  # of a constant: the middle


def test_units_do_not_matter():
    other = (1000 * COLUMNS.astype(np.float64) + 5).astype(np.float32)
    one, two = (normal_scores(each, measure_quantiles(each)) for each in (COLUMNS, other))
    np.testing.assert_allclose(one, two, atol=2e-3)


def test_of_a_column_without_a_training_value_nothing_is_read_later():
    later = np.tile(np.array([[-5.0], [0.0], [5.0]], np.float32), 4)
    scores = normal_scores(later, measure_quantiles(COLUMNS))
    assert np.isnan(scores[:, 3]).all() and np.isfinite(scores[:, :3]).all()
