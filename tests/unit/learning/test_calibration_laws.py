"""Temperature, calibration error and conformal intervals of whatever comes: order, sums, limits, coverage."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.learning.calibration import (
    ENOUGH_FOR_TEMPERATURE,
    LOG_TEMPERATURE_LIMITS,
    ConformalInterval,
    JointCalibration,
    Temperature,
    expected_calibration_error,
)

LAW = settings(max_examples=60, deadline=None, derandomize=True)
SEEDS = st.integers(0, 2**16)


def probabilities(seed: int, n: int, n_class: int, sharpness: float) -> np.ndarray:
    """Rows (n, n_class) that sum to 1; sharp ones hold zeros, as forests give."""
    proba = np.random.default_rng(seed).dirichlet(np.full(n_class, 1 / sharpness), n)
    proba = np.where(proba < 1e-9, 0.0, proba)
    return proba / proba.sum(1, keepdims=True)


@LAW
@given(SEEDS, st.integers(1, 30), st.integers(1, 6), st.floats(0.2, 50), st.floats(0.5, 12), st.floats(0, 0.01))
def test_a_temperature_never_changes_the_order_of_the_classes(seed, n, n_class, sharpness, temperature, floor):
    proba = probabilities(seed, n, n_class, sharpness)
    found = Temperature(temperature, floor).apply(proba)
    assert found.shape == proba.shape and np.allclose(found.sum(1), 1) and (found >= 0).all()
    order = np.argsort(proba, axis=1, kind="stable")
    ranked = np.take_along_axis(found, order, axis=1)
    assert (np.diff(ranked, axis=1) >= -1e-12).all()
    assert (found.max(1) <= proba.max(1) + 1e-12).all() or temperature < 1


@LAW
@given(SEEDS, st.integers(2, 6), st.floats(0.2, 50))
def test_a_fitted_temperature_loses_no_likelihood_and_stays_in_its_limits(seed, n_class, sharpness):
    proba = probabilities(seed, 60, n_class, sharpness)
    codes = np.random.default_rng(seed + 1).integers(0, n_class, 60)
    found = Temperature.fit(proba, codes)
    low, high = np.exp(LOG_TEMPERATURE_LIMITS)
    assert low <= found.temperature <= high
    losses = [-np.log(each.apply(proba)[np.arange(60), codes]).mean() for each in
              (found, Temperature(1.0, found.floor), Temperature(1.02 * found.temperature, found.floor))]  # fmt: skip
    assert losses[0] <= losses[1] + 1e-9
    assert losses[0] <= losses[2] + 1e-9 or found.temperature > 0.99 * high


def test_right_probabilities_are_left_nearly_as_they_are():
    proba = probabilities(3, 6000, 3, 1.0)
    codes = (proba.cumsum(1) < np.random.default_rng(4).random((6000, 1))).sum(1)
    assert Temperature.fit(proba, codes).temperature == pytest.approx(1, abs=0.06)
    assert Temperature().apply(proba) is proba


@pytest.mark.parametrize("n", [0, ENOUGH_FOR_TEMPERATURE - 1, ENOUGH_FOR_TEMPERATURE])
def test_a_temperature_needs_enough_objects(n):
    proba = probabilities(5, n, 3, 10.0)
    found = Temperature.fit(proba, np.zeros(n, int))
    assert (found == Temperature()) == (n < ENOUGH_FOR_TEMPERATURE)


@LAW
@given(SEEDS, st.integers(1, 80), st.integers(1, 5), st.integers(1, 20))
def test_the_calibration_error_is_the_gap_of_each_bin_by_its_share(seed, n, n_class, bins):
    proba = probabilities(seed, n, n_class, 3.0)
    confidence = proba.max(1)
    hits = (proba.argmax(1) == np.random.default_rng(seed).integers(0, n_class, n)).astype(float)
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [abs((hits - confidence)[place == k].sum()) for k in range(bins)]
    error = expected_calibration_error(np.stack([confidence, hits]), np.stack([hits, hits]), bins)
    assert error == pytest.approx([sum(gaps) / n, 0])


@LAW
@given(SEEDS, st.integers(1, 60), st.floats(0.05, 0.95))
def test_an_interval_holds_at_least_its_level_of_what_it_was_fitted_on(seed, n, level):
    rng = np.random.default_rng(seed)
    y, mean, sigma = rng.standard_t(2, n), rng.normal(0, 1, n), rng.uniform(0.1, 3, n)
    found = ConformalInterval.fit(y, mean, sigma, level)
    lo, hi = found.interval(mean, sigma)
    if n < np.ceil((n + 1) * level):
        assert np.isinf(found.width) and np.isnan(lo).all() and np.isnan(hi).all()
        return
    tiny = 1e-9
    inside = ((y >= lo - tiny) & (y <= hi + tiny)).mean()
    assert level <= inside <= level + 2 / n
    assert np.allclose((lo + hi) / 2, mean) and np.allclose((hi - lo) / 2, found.width * sigma)


@LAW
@given(SEEDS, st.floats(-5, 5), st.floats(0.01, 100))
def test_an_interval_goes_with_the_unit_and_the_zero_point(seed, zero, unit):
    rng = np.random.default_rng(seed)
    y, mean, sigma = rng.normal(0, 1, 30), rng.normal(0, 1, 30), rng.uniform(0.1, 3, 30)
    one = ConformalInterval.fit(y, mean, sigma, 0.7)
    other = ConformalInterval.fit(zero + unit * y, zero + unit * mean, unit * sigma, 0.7)
    assert other.width == pytest.approx(one.width)
    for a, b in zip(one.interval(mean, sigma), other.interval(zero + unit * mean, unit * sigma), strict=True):
        assert np.allclose(zero + unit * a, b)


def test_a_higher_level_is_a_wider_interval():
    rng = np.random.default_rng(0)
    y, mean, sigma = rng.normal(0, 1, (3, 200))
    widths = [ConformalInterval.fit(y, mean, np.abs(sigma) + 0.1, level).width for level in (0.3, 0.68, 0.9, 0.99)]
    assert np.all(np.diff(widths) > 0)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 68])
def test_a_level_that_is_no_share_is_refused(level):
    with pytest.raises(ValueError, match=f"the level is {level}; give one between 0 and 1"):
        ConformalInterval.fit([1.0], [1.0], [1.0], level)


def test_cards_of_all_calibrations_are_plain_json():
    parts = (Temperature(2.5, 1e-3), ConformalInterval(0.9, float("inf"), 3), ConformalInterval(0.68, 1.25, 80))
    card = json.loads(json.dumps(JointCalibration(parts).to_json(), allow_nan=False))
    again = [type(part).from_json(own) for part, own in zip(parts, card["parts"], strict=True)]
    assert tuple(again) == parts
