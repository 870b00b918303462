"""The choice among trial periods: its probabilities are true, and its parts are what they say."""

import numpy as np
import pytest

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.choice import error_scale, network, probabilities, spread
from tasks.lightcurves.cuts import apply_cuts
from tasks.lightcurves.periodogram import find_period
from tasks.lightcurves.series import PeriodConfig, residual_series
from tasks.lightcurves.window import window, windows
from tasks.sky import generate
from tasks.surveys.cuts import CutConfig
from tests.unit.lightcurves.dense_series import dense_stars


@pytest.fixture(scope="module")
def measured():
    """Result, true periods and classes of stars that Gaia sees, none of which the choice was learnt on."""
    sky = generate(600, seed=4)
    batch = apply_cuts(sky.epochs["gaia"], CutConfig())[0]
    batch = batch.keep(np.isfinite(batch.mag))
    truth = {row["source_id"]: row for row in sky.truth.to_pylist()}
    rows = [truth[source] for source in batch.source_id.tolist()]
    period = np.array([row["period_day"] for row in rows], float)
    return find_period(batch), period, np.array([row["class"] for row in rows])


def test_probabilities_are_the_frequencies_of_being_right(measured):
    found, truth, _ = measured
    right = np.abs(found.period / truth - 1) < 0.01
    known = np.isfinite(found.choice.probability)
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.01)):
        some = known & (found.choice.probability >= low) & (found.choice.probability < high)
        expected, n = found.choice.probability[some].mean(), some.sum()
        assert n > 20
        assert right[some].mean() == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / n) + 0.05)


def test_stars_that_do_not_vary_have_no_right_trial(measured):
    found, _, label = measured
    assert np.nanmedian(found.choice.none[label == "CONST"]) > 0.8
    assert np.nanmedian(found.choice.none[label == "RRab"]) < 0.1


def test_what_is_not_the_period_is_shared_out(measured):
    choice = measured[0].choice
    total = choice.probability + choice.half + choice.double + choice.alias + choice.none
    known = np.isfinite(total)
    assert np.all(total[known] < 1 + 1e-6) and np.all(choice.probability[known] > 0)
    assert np.all(choice.period_error[known] > 0)
    apart = choice.rival / choice.period
    assert not np.any(np.abs(apart[:, None] / [0.5, 1, 2] - 1) < 0.01)


def test_two_thirds_of_right_periods_are_off_by_less_than_their_error(measured):
    found, truth, label = measured
    right = (np.abs(found.period / truth - 1) < 0.01) & (label != "CONST")
    off = np.abs(found.period - truth)[right] / found.choice.period_error[right]
    assert right.sum() > 300 and 0.6 < np.mean(off < 1) < 0.75
    assert np.mean(off < 2) > 0.85


def test_the_error_of_a_frequency_counts_the_terms_of_the_series():
    """A sine in white noise, few epochs: the residuals are smaller than the noise, the error must not be."""
    rng, shape, truth = np.random.default_rng(2), (500, 24), 0.37
    time = np.sort(rng.uniform(0, 200, shape), axis=1)
    mag = 15 + 0.5 * np.sin(2 * np.pi * truth * time) + rng.normal(0, 0.03, shape)
    star, n = np.repeat(np.arange(500), 24), time.size
    batch = LightCurveBatch.from_epochs(star, time.ravel(), mag.ravel(), [0.03] * n, [0] * n, None, ("V",))
    trials = find_period(batch).trials
    peak = np.nanargmin(np.abs(trials.frequency - truth), axis=1)[:, None]
    off = np.take_along_axis(np.abs(trials.frequency - truth) / trials.sigma, peak, axis=1)
    assert np.mean(off < 1) == pytest.approx(0.683, abs=0.06)


def test_the_scale_of_errors_is_one_at_least():
    scale = error_scale(np.array([0, 36, 36, 5000]), np.array([0.0, 2.0, 2000.0, 1e5]))
    assert np.all(scale >= 1) and scale[1] > 2 * scale[2] and scale[3] == 1


def test_an_object_without_a_period_has_no_choice():
    batch = LightCurveBatch.from_epochs([0] * 4, [1.0, 2, 3, 4], [15.0] * 4, [0.1] * 4, [0] * 4, None, ("g",))
    choice = find_period(batch, PeriodConfig()).choice
    assert all(np.isnan(getattr(choice, name)[0]) for name in ("period", "probability", "none", "alias", "rival"))


def test_the_window_function_is_its_sum():
    rng = np.random.default_rng(1)
    time, error = np.sort(rng.uniform(0, 50, 40)).round() + 0.3, rng.uniform(0.1, 0.2, 40)
    batch = LightCurveBatch.from_epochs([0] * 40, time, rng.normal(15, 1, 40), error, [0] * 40, None, ("g",))
    series = residual_series(batch, None, PeriodConfig(error_floor=0.0))
    frequency = np.array([[0.0, 0.4, 1.0, 2.5]])
    weight = error**-2.0
    expected = np.abs(weight @ np.exp(2j * np.pi * time[:, None] * frequency[0])) / weight.sum()
    np.testing.assert_allclose(window(series, frequency)[0], expected, rtol=1e-5)
    centre = np.array([0.77])
    both = windows(series, frequency, centre)
    for found, at in zip(both, (frequency, frequency - centre, frequency + centre), strict=True):
        np.testing.assert_allclose(found, window(series, np.abs(at)), rtol=1e-6, atol=1e-9)
    assert expected[2] == pytest.approx(1)  # one epoch a day, at the same hour


def test_what_is_impossible_has_no_probability():
    net, rng = network(), np.random.default_rng(0)
    n_seen, n_star = net.centre.size, net.none.shape[1]
    possible = rng.random((50, 16)) < 0.5
    chance = probabilities(rng.normal(size=(50, 16, n_seen)), possible, rng.normal(size=(50, n_star)), net)
    np.testing.assert_allclose(chance.sum(axis=1), 1, rtol=1e-5)
    assert np.all(chance[:, :-1][~possible] == 0) and np.all(chance[:, :-1][possible] > 0)


def test_of_a_peak_and_its_side_lobes_the_peak_is_the_period():
    """27 days hold hundreds of cycles of a short period: its side lobes lie within 1 % of it."""
    batch, period = dense_stars(12, seed=3)
    found = find_period(batch)
    known = np.abs(found.period / period - 1) < 0.01
    coherent = np.abs(found.period / period - 1) * 27 / period < 0.1
    assert known.sum() >= 11 and np.array_equal(known, coherent)
    assert np.all(np.abs(found.period - period)[known] < 5 * found.choice.period_error[known])


def test_an_error_holds_68_per_cent_of_the_trials_that_dispute_the_period():
    off = np.array([[0.0, 0.2, 0.1, np.inf], [0.3, 0.0, 0.1, np.inf], [0.0, np.inf, np.inf, np.inf]])
    chance = np.array([[0.5, 0.1, 0.4, 0.0], [0.1, 0.8, 0.1, 0.0], [0.2, 0.0, 0.0, 0.0]])
    assert spread(off, chance).tolist() == [0.1, 0.0, 0.0]
    nothing = spread(np.full((1, 3), np.inf), np.zeros((1, 3)))
    assert nothing.shape == (1,)
