"""Calibration does what it promises, by simulation."""

import numpy as np
import pytest

from tasks.learning.calibration import ConformalInterval, Temperature, expected_calibration_error


def overconfident(n: int, seed: int):
    """Probabilities whose logits are 2.5 times too large, and classes drawn from the right ones."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.2, (n, 4))
    right = np.exp(logit) / np.exp(logit).sum(1, keepdims=True)
    wrong = np.exp(2.5 * logit) / np.exp(2.5 * logit).sum(1, keepdims=True)
    return wrong, (right.cumsum(1) < rng.random((n, 1))).sum(1)


def test_temperature_recovers_overconfidence_and_keeps_the_order():
    proba, codes = overconfident(4000, 0)
    found = Temperature.fit(proba, codes, floor=0.0)
    assert found.temperature == pytest.approx(2.5, rel=0.1)
    other, truth = overconfident(4000, 1)
    cooled = found.apply(other)
    assert np.allclose(cooled.sum(1), 1) and np.array_equal(cooled.argmax(1), other.argmax(1))
    ece = [float(expected_calibration_error(p.max(1)[None], (p.argmax(1) == truth).astype(float)[None])[0])
           for p in (other, cooled)]  # fmt: skip
    assert ece[1] < 0.03 < 0.15 < ece[0]


def test_zeros_of_a_forest_get_a_finite_loss():
    proba = np.tile([1.0, 0.0], (100, 1))
    codes = (np.arange(100) < 10).astype(int)
    cooled = Temperature.fit(proba, codes).apply(proba)
    assert cooled[0, 1] == pytest.approx(0.1, abs=0.02)


def test_too_few_objects_change_nothing():
    proba, codes = overconfident(10, 0)
    assert np.array_equal(Temperature.fit(proba, codes).apply(proba), proba)


@pytest.mark.parametrize("level", [0.68, 0.9])
@pytest.mark.parametrize("n", [19, 200])
def test_conformal_intervals_cover_as_promised(level, n):
    rng = np.random.default_rng(n)
    covered = []
    for _ in range(400):
        sigma = rng.uniform(0.5, 2, n + 50)  # relative only: the real spread is 3 times larger and heavy tailed
        mean = rng.normal(0, 5, n + 50)
        y = mean + 3 * sigma * rng.standard_t(3, n + 50)
        found = ConformalInterval.fit(y[:n], mean[:n], sigma[:n], level)
        lo, hi = found.interval(mean[n:], sigma[n:])
        covered.append(((y[n:] >= lo) & (y[n:] <= hi)).mean())
    expected = np.ceil((n + 1) * level) / (n + 1)  # the exact coverage of split conformal prediction
    assert np.mean(covered) == pytest.approx(expected, abs=0.015)
    assert np.mean(covered) > level - 0.015


def test_too_few_residuals_promise_nothing():
    found = ConformalInterval.fit([1.0, 2.0], [1.0, 1.0], [1.0, 1.0], 0.9)
    assert np.isinf(found.width) and np.isnan(found.interval([0.0], [1.0])).all()
    with pytest.raises(ValueError, match="1 of 2 sigmas are not positive"):
        ConformalInterval.fit([1, 2], [1, 1], [1, 0], 0.9)
    with pytest.raises(ValueError, match="the level is 68"):
        ConformalInterval.fit([1], [1], [1], 68)
