"""Normal equations against design matrices written out, and fits of odd slices: no epochs, one, equal phases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.fourier import UNQUOTED_ERR, FourierFit, fit_fourier, largest_gap, limit_harmonics, weights
from tasks.lightcurves.normal_equations import RIDGE, assemble, normal_equations, power_sums, solve_free

LAW = settings(max_examples=40, deadline=None)


def epochs(counts, seed):
    rng, offsets = np.random.default_rng(seed), np.concatenate([[0], np.cumsum(counts)])
    n = offsets[-1]
    return rng.uniform(-50, 50, n), rng.normal(15, 0.4, n), rng.uniform(10, 900, n), offsets


def design_of(turns, n_harmonics):
    angle = 2 * np.pi * turns[:, None] * np.arange(1, n_harmonics + 1)
    return np.hstack([np.cos(angle), np.sin(angle)])


@LAW
@given(st.lists(st.integers(0, 20), min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 99))
def test_matrices_are_those_of_centred_designs(counts, n_harmonics, seed):
    """The offset is eliminated: columns and data less their weighted means."""
    turns, mag, weight, offsets = epochs(counts, seed)
    matrix, vector, mean, constant = normal_equations(turns, mag, weight, offsets, n_harmonics)
    for s, n in enumerate(counts):
        part = slice(offsets[s], offsets[s + 1])
        if n == 0:
            assert not matrix[s].any() and not vector[s].any() and constant[s] == 0
            continue
        design, w = design_of(turns[part], n_harmonics), weight[part]
        np.testing.assert_allclose(mean.design[s], w @ design / w.sum(), atol=1e-9)
        design = design - w @ design / w.sum()
        residual = mag[part] - w @ mag[part] / w.sum()
        ridge = RIDGE * w.sum() * np.eye(2 * n_harmonics)
        np.testing.assert_allclose(matrix[s], design.T @ (w[:, None] * design) + ridge, atol=1e-7 * w.sum())
        np.testing.assert_allclose(vector[s], design.T @ (w * residual), atol=1e-7 * w.sum())
        assert constant[s] == pytest.approx(w @ residual**2, abs=1e-8)
        np.testing.assert_array_equal(matrix[s], matrix[s].T)


@LAW
@given(st.integers(1, 30), st.integers(0, 99), st.integers(-4, 4))
def test_whole_turns_do_not_matter_to_the_sums(n, seed, turns_more):
    turns, mag, weight, offsets = epochs([n], seed)
    first, second = (power_sums(turns + more, weight, weight * mag, offsets, 3) for more in (0, turns_more))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-9, atol=1e-7 * weight.sum())


def test_a_slice_without_weight_has_no_matrix():
    trig = np.ones((2, 4), np.complex128)
    matrix, design = assemble(trig, np.array([0.0, 3.0]))
    assert not matrix[0].any() and not design[0].any() and matrix[1].any()


@pytest.mark.parametrize("free", [0, 1, 3])
def test_fewer_harmonics_solve_the_smaller_equations(free):
    turns, mag, weight, offsets = epochs([40], 1)
    matrix, vector, _, _ = normal_equations(turns, mag, weight, offsets, 3)
    solution, _ = solve_free(matrix, vector, np.array([free]))
    kept = np.concatenate([np.arange(free), 3 + np.arange(free)])
    expected = np.zeros(6)
    expected[kept] = np.linalg.solve(matrix[0][np.ix_(kept, kept)], vector[0][kept])
    np.testing.assert_allclose(solution[0], expected, atol=1e-12)


def batch_of(counts, seed=0, period=0.7):
    rng, row = np.random.default_rng(seed), np.repeat(np.arange(len(counts)), counts)
    time = rng.uniform(0, 30, row.size)
    mag = 15 + 0.3 * np.cos(2 * np.pi * time / period + 1) + rng.normal(0, 0.02, row.size)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    zeros = np.zeros(row.size)
    return LightCurveBatch(np.arange(len(counts)), offsets, time, mag, np.full(row.size, 0.02), zeros, zeros, ("g",))


def test_slices_of_no_and_of_one_epoch():
    batch = batch_of([0, 1, 60])
    fit = fit_fourier(batch, np.full(3, 0.7), 4)
    assert np.isnan(fit.offset[0]) and np.isnan(fit.chi2[0]) and np.isnan(fit.cosine[0]).all()
    assert fit.offset[1] == pytest.approx(batch.mag[0]) and fit.chi2[1] == fit.chi2_constant[1] == 0
    assert fit.n_harmonics.tolist() == [0, 0, 4] and fit.n_epoch.tolist() == [0, 1, 60]
    assert np.isnan(fit.ratio(2)[:2]).all() and np.isnan(fit.phase_error(2)[:2]).all()
    assert fit.amplitude[2, 0] == pytest.approx(0.3, abs=0.02) and fit.phase[2, 0] == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("period", [np.nan, 0.0, -1.0, np.inf])
def test_what_is_no_period_gives_a_constant(period):
    batch = batch_of([50])
    fit = fit_fourier(batch, [period], 3)
    weight = weights(batch.mag_err)
    assert fit.n_harmonics[0] == 0 and fit.offset[0] == pytest.approx(np.average(batch.mag, weights=weight))
    assert fit.chi2[0] == pytest.approx(fit.chi2_constant[0]) and not fit.amplitude.any()


def test_no_objects_no_fits():
    fit = fit_fourier(batch_of([]), np.zeros(0), 3)
    assert isinstance(fit, FourierFit) and fit.cosine.shape == (0, 3) and fit.covariance.shape == (0, 6, 6)
    assert fit.evaluate([0.0, 0.5]).shape == (0, 2)


@LAW
@given(st.floats(0.05, 0.95), st.floats(-3, 3))
def test_a_series_is_the_same_at_phases_of_its_own_and_common_ones(phase, zero):
    fit = fit_fourier(batch_of([60, 50]), [0.7, 1.3], 3)
    np.testing.assert_allclose(fit.at(np.full((2, 1), phase)), fit.evaluate([phase]), atol=1e-12)
    np.testing.assert_allclose(fit.evaluate([phase + round(zero)]), fit.evaluate([phase]), atol=1e-9)
    faintest = fit.shape(np.arange(200) / 200)[:, 0] - fit.amplitude[:, 0]
    assert np.all(np.abs(faintest) <= fit.amplitude[:, 1:].sum(axis=1) + 1e-9)


def test_errors_that_are_not_quoted_count_as_one_value():
    found = weights(np.array([np.nan, 0.0, -0.3, 0.02, np.inf], np.float32))
    np.testing.assert_allclose(found, 1 / np.array([UNQUOTED_ERR] * 3 + [np.float32(0.02)] + [UNQUOTED_ERR]) ** 2)


@LAW
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=15), st.floats(-3, 3))
def test_gaps_are_those_of_sorted_phases_and_turn_with_them(turns, shift):
    turns = np.array(turns)
    phase = np.sort(turns % 1)
    expected = np.diff(np.append(phase, phase[0] + 1)).max()
    offsets = np.array([0, turns.size, turns.size])
    found = largest_gap(turns, offsets)
    assert found[0] == pytest.approx(expected) and found[1] == 1
    assert largest_gap(turns + shift, offsets)[0] == pytest.approx(expected, abs=1e-9)


@LAW
@given(st.floats(0.01, 0.99), st.floats(1.5, 50), st.floats(1.01, 3))
def test_more_swing_or_a_smaller_gap_allow_more_harmonics(gap, swing, factor):
    n, looser, smaller = limit_harmonics(np.array([gap, gap, gap / factor]), np.array([swing, swing * factor, swing]))
    assert n <= looser and n <= smaller and n == int(n) >= 0
