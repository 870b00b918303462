"""Sums and order statistics of slices, against numpy slice by slice, and what must not change them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves.segments import (
    quantile,
    segment_gskew,
    segment_mad_sigma,
    segment_median,
    segment_quantile,
    segment_sum,
)

LAW = settings(max_examples=60, deadline=None)
COUNTS = st.lists(st.integers(0, 12), min_size=1, max_size=6)


def slices(counts, seed, ties=False):
    """Values, offsets and the slices themselves; with ties the values are few."""
    offsets, rng = np.concatenate([[0], np.cumsum(counts)]), np.random.default_rng(seed)
    values = rng.integers(0, 4, offsets[-1]).astype(float) if ties else rng.normal(size=offsets[-1])
    return values, offsets, [values[a:b] for a, b in pairwise(offsets)]


@LAW
@given(COUNTS, st.integers(0, 99), st.booleans(), st.floats(0, 1))
def test_quantiles_are_those_of_numpy_also_with_ties(counts, seed, ties, q):
    values, offsets, parts = slices(counts, seed, ties)
    expected = [np.quantile(part, q) if part.size else np.nan for part in parts]
    np.testing.assert_allclose(segment_quantile(values, offsets, q), expected, atol=1e-12)


@LAW
@given(COUNTS, st.integers(0, 99), st.booleans())
def test_deviations_are_those_of_numpy(counts, seed, ties):
    values, offsets, parts = slices(counts, seed, ties)
    median, sigma = segment_mad_sigma(values, offsets)
    for part, m, s in zip(parts, median, sigma, strict=True):
        if part.size:
            assert m == pytest.approx(np.median(part)) and s == pytest.approx(1.4826 * np.median(np.abs(part - m)))
        else:
            assert np.isnan(m) and np.isnan(s)


@LAW
@given(COUNTS, st.integers(0, 99), st.floats(-5, 5), st.floats(0.1, 9))
def test_a_shift_moves_the_median_alone_and_a_scale_everything(counts, seed, shift, factor):
    values, offsets, _ = slices(counts, seed)
    median, sigma = segment_mad_sigma(values, offsets)
    moved, same = segment_mad_sigma(values * factor + shift, offsets)
    np.testing.assert_allclose(moved, median * factor + shift, atol=1e-9)
    np.testing.assert_allclose(same, sigma * factor, atol=1e-9)
    skew = segment_gskew(values, offsets, 0.03)
    np.testing.assert_allclose(segment_gskew(values * factor + shift, offsets, 0.03), skew * factor, atol=1e-9)
    np.testing.assert_allclose(segment_gskew(-values, offsets, 0.03), -skew, atol=1e-9)


@LAW
@given(COUNTS, st.integers(0, 99), st.integers(0, 99))
def test_the_order_within_a_slice_does_not_matter(counts, seed, other):
    values, offsets, parts = slices(counts, seed)
    shuffled = np.concatenate([np.random.default_rng(other).permutation(part) for part in parts])
    for statistic in (segment_median, lambda v, o: segment_gskew(v, o, 0.03), segment_sum):
        np.testing.assert_allclose(statistic(shuffled, offsets), statistic(values, offsets), atol=1e-12)


@LAW
@given(COUNTS, st.integers(0, 99), st.integers(1, 3))
def test_sums_are_those_of_each_slice_in_every_row(counts, seed, n_row):
    _, offsets, _ = slices(counts, seed)
    values = np.random.default_rng(seed).normal(size=(n_row, offsets[-1] + 2))  # the last two are of no slice
    expected = [[row[a:b].sum() for a, b in pairwise(offsets)] for row in values]
    np.testing.assert_allclose(segment_sum(values, offsets), expected, atol=1e-12)


def test_sums_keep_the_type_of_the_values():
    assert segment_sum(np.array([1, 2, 3]), np.array([0, 2, 2, 3])).tolist() == [3, 0, 3]
    assert segment_sum(np.zeros(0), np.array([0, 0])).tolist() == [0.0]
    assert segment_sum(np.array([1 + 2j, 3j]), np.array([0, 2]))[0] == 1 + 5j


@pytest.mark.parametrize(("q", "expected"), [(0.0, 1.0), (0.5, 2.5), (1 / 3, 2.0), (1.0, 4.0)])
def test_a_quantile_is_interpolated(q, expected):
    assert quantile(np.array([1.0, 2.0, 3.0, 4.0]), q) == pytest.approx(expected)
