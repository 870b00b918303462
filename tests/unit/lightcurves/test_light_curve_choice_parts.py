"""The parts of the choice by hand: what is possible, the criterion, the inputs of the network, a chosen period."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves import choice as module
from tasks.lightcurves.choice import (
    LARGEST,
    Network,
    baseline,
    choose,
    criterion,
    describe,
    is_possible,
    network,
    probabilities,
    scale,
)
from tasks.lightcurves.series import PeriodConfig, residual_series
from tasks.lightcurves.slots import build_slots
from tasks.lightcurves.trials import MULTIPLES, N_HARMONICS, N_SHAPE, Trials, fit_trials
from tasks.lightcurves.window import window

CONFIG = PeriodConfig()
PERIODS = np.array([0.61, 3.7])


def series_of(n=(60, 60, 0), seed=0, baseline_day=40.0):
    """Sines of PERIODS, and objects of as many epochs as `n` says."""
    rng, row = np.random.default_rng(seed), np.repeat(np.arange(len(n)), n)
    time = rng.uniform(0, baseline_day, row.size)
    mag = 15 + 0.3 * np.cos(2 * np.pi * time / PERIODS[row % 2]) + rng.normal(0, 0.02, row.size)
    batch = LightCurveBatch.from_epochs(row, time, mag, np.full(row.size, 0.02), np.zeros(row.size), None, ("g",))
    missing = [i for i, count in enumerate(n) if not count]
    if missing:
        offsets = np.concatenate([[0], np.cumsum(n)])
        batch = LightCurveBatch(np.arange(len(n)), offsets, *(getattr(batch, name) for name in
                                ("time", "mag", "mag_err", "band", "flags")), ("g",))  # fmt: skip
    return residual_series(batch, None, CONFIG)


def trials_of(series, peaks) -> Trials:
    slots = build_slots(series, CONFIG)
    return fit_trials(series, slots, np.asarray(peaks, float), np.full(len(peaks), 1e-4), CONFIG)


def test_the_baseline_is_the_time_covered():
    series = series_of((30, 0, 1))
    assert baseline(series)[1:].tolist() == [0, 0]
    assert baseline(series)[0] == series.time.max() > 30


def test_a_trial_longer_than_the_series_is_impossible():
    """Twice a period of 0.6 of the baseline is too long, the period itself is not."""
    series = series_of((60,))
    trials = trials_of(series, [[1 / (0.6 * baseline(series)[0]), 1 / 0.61]])
    assert is_possible(series, trials)[0].tolist() == [[True, False], [True, True]]
    chosen = choose(series, trials)
    assert chosen.period[0] <= baseline(series)[0]


def test_the_criterion_pays_for_every_term():
    series = series_of((50, 40))
    trials = trials_of(series, [[1.6, 0.4], [0.27, 2.2]])
    found = criterion(series, trials)
    for s, n in enumerate((50, 40)):
        for c, m in np.ndindex(2, len(MULTIPLES)):
            each = [trials.gain[s, c, m, k] - np.log(n) * trials.terms[s, c, m, k] for k in range(N_HARMONICS)]
            assert found[s, c, m] == pytest.approx(max(each), rel=1e-12)


def test_inputs_of_the_network_are_as_many_as_it_was_fitted_on_and_finite():
    series = series_of()
    trials = trials_of(series, [[1.6, 0.4], [0.27, np.nan], [np.nan, np.nan]])
    seen, star = describe(series, trials)
    assert seen.shape == (3, 2, len(MULTIPLES), network().centre.size) and star.shape == (3, network().none.shape[1])
    assert np.isfinite(seen).all() and np.isfinite(star).all()
    np.testing.assert_array_equal(seen[0, 0, 1, -star.shape[1] :], star[0])  # the star's inputs stand with each trial's


def test_inputs_do_not_depend_on_the_zero_point_of_phase():
    """Cosine and sine amplitudes of the same curve, begun at another time."""
    series = series_of((60,))
    trials = trials_of(series, [[1 / 0.61, 0.4]])
    cosine, sine = trials.shape[..., 0::2], trials.shape[..., 1::2]
    angle = 0.7 * np.arange(1, N_SHAPE + 1)
    c, s = np.cos(angle), np.sin(angle)
    turned = np.stack([cosine * c + sine * s, sine * c - cosine * s], axis=-1)
    moved = replace(trials, shape=turned.reshape(trials.shape.shape))
    np.testing.assert_allclose(describe(series, moved)[0], describe(series, trials)[0], atol=1e-7)


def test_the_true_period_is_chosen_with_its_error():
    series = series_of((80, 80))
    peaks = np.array([[1 / 0.61, 1 / 0.61 + 1.0027, 0.13], [0.31, 1 / 3.7, 2.9]])
    chosen = choose(series, trials_of(series, peaks))
    np.testing.assert_allclose(chosen.period, PERIODS, rtol=2e-3)
    assert np.all(chosen.probability > 5 * (chosen.half + chosen.double + chosen.alias))
    assert np.all(np.abs(chosen.period - PERIODS) < 5 * chosen.period_error)
    total = chosen.probability + chosen.half + chosen.double + chosen.none
    assert np.all(total < 1 + 1e-9) and np.all(chosen.rival != chosen.period)


def test_peaks_that_lead_to_one_period_are_added():
    """A peak at the frequency and one at twice it share the period: its probability is the sum."""
    series = series_of((80,))
    one, both = (choose(series, trials_of(series, [peaks])) for peaks in ([1 / 0.61, 0.13], [1 / 0.61, 2 / 0.61]))
    assert both.period[0] == pytest.approx(one.period[0], rel=1e-3) and both.probability[0] > 0.5


def test_without_trials_there_is_no_choice():
    chosen = choose(series_of((0, 5)), trials_of(series_of((0, 5)), [[np.nan], [np.nan]]))
    for name in ("period", "period_error", "probability", "half", "double", "alias", "none", "rival"):
        assert np.isnan(getattr(chosen, name)).all(), name


def test_the_window_of_nightly_epochs_has_its_peak_at_one_per_day():
    night = np.arange(40.0)
    batch = LightCurveBatch.from_epochs([0] * 40, night, 15 + np.sin(night), [0.1] * 40, [0] * 40, None, ("g",))
    series = residual_series(batch, None, CONFIG)
    assert window(series, np.array([[0.0, 1.0, 2.0]]))[0] == pytest.approx([1, 1, 1])
    assert window(series, np.array([[0.5, 0.31]])).max() < 0.1


def by_loop(seen, possible, star, net: Network):
    """Mean over the networks of a softmax, one star and one trial at a time."""
    total = np.zeros((len(seen), seen.shape[1] + 1))
    for s, k in np.ndindex(len(seen), net.last.shape[0]):
        scores = []
        for t in range(seen.shape[1]):
            x = np.clip((seen[s, t] - net.centre) / net.scale, -LARGEST, LARGEST)
            for weight, bias in ((net.first[k], net.first_bias[k]), (net.second[k], net.second_bias[k])):
                x = np.maximum(x @ weight + bias, 0)
            scores.append(x @ net.last[k] if possible[s, t] else -np.inf)
        n = star.shape[1]
        x = np.clip((star[s] - net.centre[-n:]) / net.scale[-n:], -LARGEST, LARGEST)
        weight = np.exp(np.array([*scores, x @ net.none[k] + net.none_bias[k]]))
        total[s] += weight / weight.sum() / net.last.shape[0]
    return total


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 999), st.integers(1, 4), st.integers(1, 5))
def test_probabilities_are_those_of_a_plain_loop(seed, n_object, n_trial):
    net, rng = network(), np.random.default_rng(seed)
    seen = net.centre + net.scale * rng.normal(0, 2, (n_object, n_trial, net.centre.size))
    star, possible = seen[:, 0, -net.none.shape[1] :], rng.random((n_object, n_trial)) < 0.7
    found = probabilities(seen, possible, star, net)
    np.testing.assert_allclose(found, by_loop(seen, possible, star, net), atol=1e-5)
    order = rng.permutation(n_trial)
    again = probabilities(seen[:, order], possible[:, order], star, net)
    np.testing.assert_allclose(again, found[:, [*order, n_trial]], atol=1e-5)
    assert scale(seen, net).dtype == np.float32 and module.NETWORK.exists()
