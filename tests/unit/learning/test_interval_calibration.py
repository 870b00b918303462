"""Intervals hold the truth as often as stated, of stars that the model is sure of and of those that it is not."""

import json

import numpy as np
import pytest

from tasks.learning.interval_calibration import FEWEST, MOST_BINS, WIDE, IntervalCalibration

LEVEL = 0.68


def stars(n: int, seed: int):
    """Truth, prediction and stated spread (n,): the small spreads are four times too small, the large ones right."""
    rng = np.random.default_rng(seed)
    sigma = rng.choice([0.1, 0.2, 1.0], n) * rng.uniform(0.99, 1.01, n)
    mean = rng.normal(0, 5, n)
    return mean + rng.standard_t(4, n) * np.where(sigma < 0.5, 4 * sigma, sigma), mean, sigma


def coverage(found: IntervalCalibration, y, mean, sigma) -> np.ndarray:
    """Share held by the narrow and by the wide intervals (2,)."""
    lo, hi, lo95, hi95 = found.intervals(mean, sigma)
    return np.array([((y >= lo) & (y <= hi)).mean(), ((y >= lo95) & (y <= hi95)).mean()])


def test_each_level_is_kept_where_the_model_is_sure_and_where_it_is_not():
    held = []
    for seed in range(20):
        found = IntervalCalibration.fit(*stars(1500, seed), LEVEL)
        y, mean, sigma = stars(1500, 100 + seed)
        held.append([coverage(found, y[own], mean[own], sigma[own]) for own in (sigma < 0.5, sigma > 0.5)])
    assert np.mean(held, axis=0) == pytest.approx(np.array([[LEVEL, WIDE]] * 2), abs=0.015)


def test_one_width_for_all_would_fail_the_sure_ones():
    """So the bins are needed: the test above can fail."""
    found = IntervalCalibration.fit(*stars(1500, 1), LEVEL)
    few = IntervalCalibration.fit(*(each[: 2 * FEWEST - 1] for each in stars(20_000, 1)), LEVEL)
    assert len(found.narrow) == MOST_BINS and len(few.narrow) == 1
    y, mean, sigma = stars(20_000, 2)
    narrow = [coverage(few, y[own], mean[own], sigma[own])[0] for own in (sigma < 0.5, sigma > 0.5)]
    assert coverage(few, y, mean, sigma)[0] == pytest.approx(LEVEL, abs=0.06)
    assert narrow[0] < LEVEL - 0.05 and narrow[1] > LEVEL + 0.2


def test_a_model_with_one_spread_has_one_bin():
    y, mean, _ = stars(1000, 3)
    found = IntervalCalibration.fit(y, mean, np.ones(1000), LEVEL)
    assert found.edges == () and np.isfinite(found.intervals(mean, np.ones(1000))).all()


def test_too_few_stars_promise_no_wide_interval():
    y, mean, sigma = stars(15, 4)
    lo, hi, lo95, hi95 = IntervalCalibration.fit(y, mean, sigma, LEVEL).intervals(mean, sigma)
    assert np.isfinite([lo, hi]).all() and np.isnan([lo95, hi95]).all()


@pytest.mark.parametrize("n", [3, 15, 1500])
def test_a_card_gives_the_intervals_back(n):
    found = IntervalCalibration.fit(*stars(n, 5), LEVEL)
    assert IntervalCalibration.from_json(json.loads(json.dumps(found.to_json(), allow_nan=False))) == found


def test_a_card_of_older_programs_has_one_width_and_no_wide_interval():
    found = IntervalCalibration.from_json({"level": 0.68, "width": 2.0, "n": 80})
    lo, hi, *wide = found.intervals([1.0], [0.5])
    assert (lo, hi) == ([0.0], [2.0]) and np.isnan(wide).all() and found.level == 0.68
