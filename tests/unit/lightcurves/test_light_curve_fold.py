"""Phases, order statistics of slices, and binned curves."""

from itertools import pairwise

import numpy as np

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.fold import fold, folded_order, mean_by_phase
from tasks.lightcurves.segments import segment_mad_sigma, segment_quantile


def batch_of(time, offsets):
    n = len(time)
    return LightCurveBatch(
        np.arange(len(offsets) - 1), offsets, time, np.zeros(n), np.ones(n), np.zeros(n), np.zeros(n), ("g",)
    )


def test_phase_is_within_one_turn():
    batch = batch_of([0.0, 2.5, -0.5, -1e-18, 7.0], [0, 4, 5])
    np.testing.assert_allclose(fold(batch, [2.0, np.nan])[:4], [0, 0.25, 0.75, 0])
    assert np.isnan(fold(batch, [2.0, np.nan])[4])
    np.testing.assert_allclose(fold(batch, [2.0, 4.0], epoch=1.0)[4], 0.5)


def test_folded_order_stays_within_objects():
    order = folded_order(np.array([0.9, 0.1, 0.5, 0.2, 0.1]), np.array([0, 3, 5]))
    assert order.tolist() == [1, 2, 0, 4, 3]


def test_binned_means():
    curve = mean_by_phase(np.array([0.1, 0.2, 0.9, 0.1]), np.array([1.0, 3.0, 5.0, 7.0]), np.array([0, 3, 4, 4]), 2)
    np.testing.assert_allclose(curve, [[2, 5], [7, np.nan], [np.nan, np.nan]])


def test_quantiles_are_those_of_numpy():
    rng = np.random.default_rng(0)
    counts = [5, 0, 1, 12, 2]
    offsets = np.concatenate([[0], np.cumsum(counts)])
    values = rng.normal(size=offsets[-1])
    for q in (0.0, 0.1, 0.5, 0.95, 1.0):
        theirs = [np.quantile(values[a:b], q) if b > a else np.nan for a, b in pairwise(offsets)]
        np.testing.assert_allclose(segment_quantile(values, offsets, q), theirs)


def test_mad_sigma_of_a_normal_is_its_sigma():
    values = np.random.default_rng(0).normal(3, 0.5, 200_000)
    median, sigma = segment_mad_sigma(values, np.array([0, 100_000, 200_000]))
    np.testing.assert_allclose(median, 3, atol=0.01)
    np.testing.assert_allclose(sigma, 0.5, rtol=0.01)
