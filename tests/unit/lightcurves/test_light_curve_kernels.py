"""Compiled kernels against plain numpy: order statistics, peaks, logarithms, normal equations, gaps in phase."""

from itertools import pairwise

import numpy as np
import pytest

from tasks.lightcurves.choice import error_scale, network, probabilities, scale
from tasks.lightcurves.fourier import largest_gap, limit_harmonics, weights
from tasks.lightcurves.normal_equations import normal_equations, solve_free
from tasks.lightcurves.scan import highest_peaks, insert_peak, logarithm, maximum
from tasks.lightcurves.segments import quantile, segment_gskew, segment_median, segment_sum
from tasks.lightcurves.trials import _parabola, fill_units

COUNTS = [5, 0, 40, 1, 7]
OFFSETS = np.concatenate([[0], np.cumsum(COUNTS)])


@pytest.fixture
def values():
    return np.random.default_rng(1).normal(size=OFFSETS[-1])


def test_medians_are_those_of_numpy(values):
    theirs = [np.median(values[a:b]) if b > a else np.nan for a, b in pairwise(OFFSETS)]
    np.testing.assert_allclose(segment_median(values, OFFSETS), theirs)


def test_a_quantile_lies_between_its_neighbours():
    assert quantile(np.array([1.0, 2.0, 4.0]), 0.75) == 3.0
    assert quantile(np.array([7.0]), 0.3) == 7.0


def test_gskew_is_zero_of_a_symmetric_slice_and_of_the_sign_of_its_tail():
    ordered = np.linspace(-1, 1, 101)
    tail = np.concatenate([ordered, [8.0, 9.0, 10.0, 11.0]])
    found = segment_gskew(np.concatenate([ordered, tail, -tail]), np.array([0, 101, 206, 311]), 0.03)
    assert found[0] == pytest.approx(0, abs=1e-12) and found[1] > 1 and found[2] == pytest.approx(-found[1])
    assert np.isnan(segment_gskew(ordered, np.array([0, 0]), 0.03))[0]


def test_sums_of_empty_slices_are_zero(values):
    theirs = [values[a:b].sum() for a, b in pairwise(OFFSETS)]
    np.testing.assert_allclose(segment_sum(values, OFFSETS), theirs)
    two = segment_sum(np.stack([values, 2 * values]), OFFSETS)
    np.testing.assert_allclose(two, [theirs, np.multiply(2, theirs)])


def test_an_error_that_was_not_quoted_has_a_weight_all_the_same():
    found = weights(np.array([0.1, np.nan, 0.0], np.float32), 0.1)
    assert found[0] == pytest.approx(50, rel=1e-6) and np.isfinite(found).all() and found[1] == found[2] > 0


def test_the_logarithm_is_that_of_numpy():
    x = np.concatenate([np.logspace(-30, 30, 999), [1.0]]).astype(np.float32)
    found = x.copy()
    logarithm(found)
    np.testing.assert_allclose(found, np.log(x.astype(np.float64)), rtol=3e-7, atol=3e-7)


def test_the_highest_peaks_are_those_of_a_plain_search():
    gain = np.abs(np.random.default_rng(2).normal(size=5000)).astype(np.float32)
    inner = np.flatnonzero((gain[1:-1] >= gain[:-2]) & (gain[1:-1] > gain[2:])) + 1
    expected = inner[np.argsort(-gain[inner])][:8]
    place, height = highest_peaks(gain, 8)
    assert place.tolist() == expected.tolist()
    np.testing.assert_array_equal(height, gain[expected])


def test_an_end_of_the_grid_is_a_peak_only_where_it_is_the_highest():
    assert highest_peaks(np.array([5, 1, 2, 1, 0], np.float32), 2)[0].tolist() == [0, 2]
    assert highest_peaks(np.array([1.5, 1, 2, 1, 0], np.float32), 2)[0].tolist() == [2, -1]
    assert highest_peaks(np.zeros(9, np.float32), 1)[0].tolist() == [-1]


def test_a_peak_goes_to_its_place_and_the_lowest_out():
    place, height = np.array([1, 2, 3]), np.array([9.0, 5.0, 1.0], np.float32)
    insert_peak(7, 6.0, place, height)
    assert place.tolist() == [1, 7, 2] and height.tolist() == [9.0, 6.0, 5.0]


def test_maximum_is_that_of_numpy(values):
    assert maximum(values.astype(np.float32)) == values.astype(np.float32).max()


def test_normal_equations_are_those_of_least_squares():
    rng = np.random.default_rng(3)
    time, mag, weight = rng.uniform(0, 50, 80), rng.normal(15, 0.3, 80), rng.uniform(50, 900, 80)
    turns, offsets = time / 0.7, np.array([0, 80])
    matrix, vector, mean, constant = normal_equations(turns, mag, weight, offsets, 2)
    solution, _ = solve_free(matrix, vector, np.array([2]))
    angle = 2 * np.pi * turns[:, None] * [1, 2]
    design = np.column_stack([np.ones(80), np.cos(angle), np.sin(angle)])
    root = np.sqrt(weight)
    theirs = np.linalg.lstsq(design * root[:, None], mag * root, rcond=None)[0]
    np.testing.assert_allclose(solution[0], theirs[1:], atol=1e-6)
    assert mean.magnitude[0] == pytest.approx(np.average(mag, weights=weight))
    assert constant[0] == pytest.approx(np.sum(weight * (mag - mean.magnitude[0]) ** 2))


def test_harmonics_that_are_not_free_are_exactly_zero():
    matrix, vector = np.eye(6)[None] * 2.0, np.ones((1, 6))
    solution, held = solve_free(matrix, vector, np.array([1]))
    assert solution[0].tolist() == [0.5, 0, 0, 0.5, 0, 0] and held[0].diagonal().tolist() == [2, 1, 1, 2, 1, 1]


def test_the_largest_gap_goes_around():
    turns = np.array([0.9, 3.1, 0.4, 0.5])
    np.testing.assert_allclose(largest_gap(turns, np.array([0, 2, 4, 4])), [0.8, 0.9, 1.0])


def test_fewer_harmonics_are_steady_in_a_wider_gap():
    allowed = limit_harmonics(np.array([0.05, 0.2, 0.5, 1.0]), 5.0)
    assert (np.diff(allowed) <= 0).all() and allowed[0] >= 5 and allowed[-1] == 0


@pytest.mark.parametrize(("top", "fall"), [(0.3, 2.0), (-0.9, 0.1), (0.0, 5.0)])
def test_the_top_of_a_parabola_is_found(top, fall):
    place, found = _parabola(np.array([10 - fall * (x - top) ** 2 for x in (-1.0, 0.0, 1.0)]))
    assert place == pytest.approx(top) and found == pytest.approx(fall)


def test_a_parabola_without_a_top_gives_its_higher_end():
    assert _parabola(np.array([1.0, 1.0, 3.0])) == (1.0, 0.0)
    assert _parabola(np.array([3.0, 1.0, 1.0])) == (-1.0, 0.0)


def test_units_turn_with_the_frequency():
    time, real, imaginary = np.array([0.0, 1.0, 1e6 + 0.25]), np.empty(3), np.empty(3)
    fill_units(time, 1.0, real, imaginary)
    np.testing.assert_allclose(real, [1, 1, 0], atol=1e-9)
    np.testing.assert_allclose(imaginary, [0, 0, 1], atol=1e-9)


def test_probabilities_are_shared_among_the_possible_trials_and_none():
    net = network()
    n_feature, n_star = net.centre.size, net.none.shape[1]
    rng = np.random.default_rng(4)
    seen, star = rng.normal(size=(6, 4, n_feature)), rng.normal(size=(6, n_star))
    possible = np.ones((6, 4), bool)
    possible[2, 1], possible[3] = False, False
    chance = probabilities(seen, possible, star, net)
    np.testing.assert_allclose(chance.sum(axis=1), 1)
    assert chance[2, 1] == 0 and chance[3].tolist() == [0, 0, 0, 0, 1]


def test_inputs_of_the_network_are_clipped():
    net = network()
    found = scale(np.stack([net.centre, net.centre + 1e6 * net.scale]), net)
    assert np.abs(found[0]).max() < 1e-5 and (found[1] == found.max()).all() and np.isfinite(found).all()


def test_periods_are_never_surer_than_their_likelihood():
    scales = error_scale(np.array([10, 100, 10_000, 0]), np.array([3, 100, 1e7, 0]))
    assert (scales >= 1).all() and scales[0] > scales[1] > scales[2] and np.isfinite(scales).all()
