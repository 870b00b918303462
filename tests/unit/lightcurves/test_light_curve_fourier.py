"""Batched Fourier fits against known series and against a plain least-squares solution."""

import numpy as np
import pytest
from scipy.optimize import linprog

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.fourier import fit_fourier, largest_gap, limit_harmonics, sine_phase
from tasks.lightcurves.segments import segment_sum

N_OBJECT, N_EPOCH, N_HARMONICS = 20, 60, 3


@pytest.fixture
def truth():
    """Objects with a known three-harmonic series, without noise."""
    rng = np.random.default_rng(3)
    row = np.repeat(np.arange(N_OBJECT), N_EPOCH)
    period, time = rng.uniform(0.3, 3, N_OBJECT), 57_000 + rng.uniform(0, 300, row.size)
    amplitude = rng.uniform(0.1, 0.5, (N_OBJECT, N_HARMONICS))
    phase = rng.uniform(0, 2 * np.pi, (N_OBJECT, N_HARMONICS))
    k = np.arange(1, N_HARMONICS + 1)
    mag = 15 + np.sum(amplitude[row] * np.cos(2 * np.pi * np.outer(time / period[row], k) + phase[row]), axis=1)
    batch = LightCurveBatch.from_epochs(
        row, time, mag, np.full(row.size, 0.02), rng.integers(0, 2, row.size), None, ("g", "r")
    )
    return batch, period, amplitude, phase


def angle_between(first, second):
    return np.abs(np.angle(np.exp(1j * (first - second))))


def test_it_recovers_a_known_series(truth):
    batch, period, amplitude, phase = truth
    fit = fit_fourier(batch, period, 4)
    np.testing.assert_allclose(fit.amplitude[:, :3], amplitude, atol=1e-4)
    np.testing.assert_allclose(fit.ratio(2), amplitude[:, 1] / amplitude[:, 0], atol=1e-3)
    assert angle_between(fit.phase[:, :3], phase).max() < 1e-3
    assert angle_between(fit.phase_difference(3), phase[:, 2] - 3 * phase[:, 0]).max() < 2e-3
    np.testing.assert_allclose(fit.offset, 15, atol=1e-4)


def test_the_shape_does_not_depend_on_the_zero_point_of_time(truth):
    batch, period, *_ = truth
    later = LightCurveBatch(
        batch.source_id,
        batch.offsets,
        batch.time + 123.25,
        batch.mag,
        batch.mag_err,
        batch.band,
        batch.flags,
        batch.bands,
    )
    grid = np.arange(64) / 64
    first, second = fit_fourier(batch, period, 3), fit_fourier(later, period, 3)
    np.testing.assert_allclose(first.shape(grid), second.shape(grid), atol=1e-5)
    assert np.abs(first.evaluate(grid) - second.evaluate(grid)).max() > 0.1


def test_it_agrees_with_weighted_least_squares():
    rng = np.random.default_rng(5)
    time, err, period = rng.uniform(0, 50, 40), rng.uniform(0.01, 0.2, 40), 2.3
    mag = (14 + rng.normal(0, 1, 40)).astype(np.float32)
    batch = LightCurveBatch.from_epochs(np.zeros(40), time, mag, err, np.zeros(40), None, ("g",))
    fit = fit_fourier(batch, [period], 2)
    angle, order = 2 * np.pi * time / period, np.argsort(time)
    design = np.stack([np.ones(40), np.cos(angle), np.cos(2 * angle), np.sin(angle), np.sin(2 * angle)], axis=1)
    err32 = err.astype(np.float32).astype(float)
    solution = np.linalg.lstsq(design[order] / err32[order, None], mag[order] / err32[order], rcond=None)[0]
    np.testing.assert_allclose(np.concatenate([fit.offset, fit.cosine[0], fit.sine[0]]), solution, atol=1e-4)
    np.testing.assert_allclose(fit.chi2, np.sum(((mag - design @ solution) / err32) ** 2), rtol=1e-4)


def test_bands_fit_on_their_own(truth):
    batch, period, amplitude, _ = truth
    by_band, offsets = batch.by_band()
    fit = fit_fourier(by_band, np.repeat(period, 2), 3, offsets)
    np.testing.assert_allclose(fit.amplitude.reshape(N_OBJECT, 2, 3), amplitude[:, None].repeat(2, 1), atol=1e-3)


def test_few_epochs_free_few_harmonics():
    counts = [0, 1, 2, 4, 6, 30]
    rng = np.random.default_rng(1)
    row = np.repeat(np.arange(6), counts)
    batch = LightCurveBatch(
        np.arange(6),
        np.concatenate([[0], np.cumsum(counts)]),
        rng.uniform(0, 9, row.size),
        rng.normal(15, 1, row.size),
        np.full(row.size, 0.1),
        np.zeros(row.size),
        np.zeros(row.size),
        ("g",),
    )
    fit = fit_fourier(batch, np.full(6, 1.7), 3)
    assert fit.n_harmonics.tolist() == [0, 0, 0, 1, 2, 3]
    assert np.isnan(fit.offset).tolist() == [True, False, False, False, False, False]
    assert np.isnan(fit.ratio(2)).tolist() == [True, True, True, True, False, False]


def test_without_a_period_it_is_a_constant(truth):
    batch, period, *_ = truth
    fit = fit_fourier(batch, np.full_like(period, np.nan), 3)
    assert np.all(fit.n_harmonics == 0)
    np.testing.assert_allclose(fit.chi2, fit.chi2_constant)


def test_sine_phase_is_that_of_a_sine_series():
    time, k = np.linspace(0, 1, 200, endpoint=False), 2
    sine1, sine2 = 0.7, 1.9
    mag = 12 + 0.5 * np.sin(2 * np.pi * time + sine1) + 0.2 * np.sin(4 * np.pi * time + sine2)
    batch = LightCurveBatch.from_epochs(np.zeros(200), time, mag, None, np.zeros(200), None, ("g",))
    fit = fit_fourier(batch, [1.0], 2)
    assert angle_between(sine_phase(fit.phase_difference(k), k), sine2 - k * sine1)[0] < 1e-4


def test_empty_slices_sum_to_zero():
    assert segment_sum(np.arange(5.0), np.array([0, 0, 2, 2, 5, 5])).tolist() == [0, 1, 0, 9, 0]
    assert segment_sum(np.empty(0), np.array([0, 0])).tolist() == [0]


def noisy(n_object: int, n_epoch: int, noise: float, seed: int = 8):
    """Objects with the same series and noise of their own; quoted errors are half of the true ones."""
    rng = np.random.default_rng(seed)
    time = rng.uniform(0, 80, n_object * n_epoch)
    err = noise * rng.uniform(0.5, 1.5, time.size)
    angle = 2 * np.pi * time / 0.57
    mag = 15 + 0.3 * np.cos(angle + 1) + 0.14 * np.cos(2 * angle + 0.4) + 0.08 * np.cos(3 * angle + 5)
    row = np.repeat(np.arange(n_object), n_epoch)
    batch = LightCurveBatch.from_epochs(row, time, mag + rng.normal(0, err), err / 2, np.zeros(time.size), None, ("g",))
    return fit_fourier(batch, np.full(n_object, 0.57), 4)


def test_errors_are_the_scatter_of_many_stars():
    fit = noisy(1500, 60, 0.03)
    for k, ratio, phase in ((2, 0.14 / 0.3, 0.4 - 2), (3, 0.08 / 0.3, 5 - 3)):
        pull = (fit.ratio(k) - ratio) / fit.ratio_error(k)
        assert np.std(pull) == pytest.approx(1, abs=0.08)
        assert np.mean(pull) == pytest.approx(0, abs=0.15)
        turned = np.angle(np.exp(1j * (fit.phase_difference(k) - phase))) / fit.phase_error(k)
        assert np.std(turned) == pytest.approx(1, abs=0.08)
        assert np.mean(turned) == pytest.approx(0, abs=0.1)


def test_an_angle_lost_in_noise_is_unknown():
    fit = noisy(200, 40, 3.0)
    assert fit.phase_error(3).max() == pytest.approx(np.pi / np.sqrt(3))
    assert np.median(fit.phase_error(3)) > 1


def test_errors_are_those_of_plain_least_squares():
    rng = np.random.default_rng(5)
    time, err, period = np.sort(rng.uniform(0, 50, 40)), rng.uniform(0.01, 0.2, 40), 2.3
    mag = (14 + rng.normal(0, 1, 40)).astype(np.float32)
    batch = LightCurveBatch.from_epochs(np.zeros(40), time, mag, err, np.zeros(40), None, ("g",))
    fit = fit_fourier(batch, [period], 2)
    angle, weight = 2 * np.pi * time / period, err.astype(np.float32).astype(float) ** -2
    design = np.stack([np.ones(40), np.cos(angle), np.cos(2 * angle), np.sin(angle), np.sin(2 * angle)], axis=1)
    covariance = np.linalg.inv(design.T @ (design * weight[:, None])) * fit.chi2[0] / 35
    np.testing.assert_allclose(fit.covariance[0], covariance[1:, 1:], rtol=1e-3, atol=1e-7)

    def parameters(x):
        ratio = np.hypot(x[1], x[3]) / np.hypot(x[0], x[2])
        return np.array([ratio, np.arctan2(-x[3], x[1]) - 2 * np.arctan2(-x[2], x[0])])

    x = np.concatenate([fit.cosine[0], fit.sine[0]])
    slope = np.stack([(parameters(x + step) - parameters(x - step)) / 2e-6 for step in 1e-6 * np.eye(4)], axis=1)
    expected = np.sqrt(np.diag(slope @ fit.covariance[0] @ slope.T))
    assert fit.ratio_error(2)[0] == pytest.approx(expected[0], rel=1e-5)
    assert fit.phase_error(2)[0] == pytest.approx(min(expected[1], np.pi / np.sqrt(3)), rel=1e-5)
    assert np.isnan(fit_fourier(batch, [np.nan], 2).ratio_error(2)[0])


def test_the_largest_gap_may_lie_around_the_zero_of_phase():
    turns = np.array([0.1, 3.4, 7.2, -0.3, 5.5, 5.8])
    np.testing.assert_allclose(largest_gap(turns, np.array([0, 3, 6, 6])), [0.7, 0.7, 1.0])


@pytest.mark.parametrize("n_harmonics", [1, 3, 6])
def test_a_series_swings_in_a_gap_as_far_as_is_said(n_harmonics):
    """The highest of all series within 1 outside the gap is found by a linear programme."""
    gap, phase = 0.15, np.linspace(0, 1, 1201)
    angle = 2 * np.pi * np.outer(phase, np.arange(1, n_harmonics + 1))
    design = np.hstack([np.ones((phase.size, 1)), np.cos(angle), np.sin(angle)])
    outside = np.abs(phase - 0.5) >= gap / 2
    limits = np.vstack([design[outside], -design[outside]])
    found = linprog(-design[600], limits, np.ones(len(limits)), bounds=(None, None))
    highest = -found.fun
    assert limit_harmonics(np.array([gap]), 1.03 * highest)[0] == n_harmonics
    assert limit_harmonics(np.array([gap]), 0.97 * highest)[0] == n_harmonics - 1


def test_a_series_does_not_swing_far_in_a_gap():
    rng = np.random.default_rng(0)
    phase = rng.uniform(0.4, 1, (200, 44))
    mag = 15 + 0.5 * np.cos(2 * np.pi * phase) + rng.normal(0, 0.1, phase.shape)
    batch = LightCurveBatch(
        np.arange(200), np.arange(201) * 44, phase.ravel(), mag.ravel(), np.full(mag.size, 0.1), np.zeros(mag.size),
        np.zeros(mag.size), ("G",),
    )  # fmt: skip
    wild, held = (fit_fourier(batch, np.ones(200), 6, swing=swing) for swing in (np.inf, 5.0))
    span = [np.ptp(fit.evaluate(np.arange(128) / 128), axis=1).max() for fit in (wild, held)]
    assert span[0] > 10 and span[1] < 3 and held.n_harmonics.max() == 1
