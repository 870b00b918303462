"""The calibration curve: bins, their bootstrap intervals, and what is drawn of them."""

import numpy as np
import pytest

from tasks.reporting import HeldOutClasses
from tasks.reporting.figures.calibration import _FEW, _N_BOOTSTRAP, _resamples, calibration_curve, reliability


def two_classes(top, is_right):
    """Objects whose class 0 has the probability `top` >= 0.5; labelled 0 where it is right, else 1."""
    top = np.asarray(top, float)
    return np.where(is_right, 0, 1), np.stack([top, 1 - top], axis=1)


@pytest.mark.parametrize(("top", "place"), [(0.5, 5), (0.59, 5), (0.6, 6), (0.95, 9), (1.0, 9)])
def test_a_probability_falls_into_its_bin(top, place):
    curve = reliability(*two_classes([top], [True]))
    assert curve.n.tolist() == [int(k == place) for k in range(10)]
    assert curve.confidence[place] == pytest.approx(top)


def test_perfect_and_hopeless_predictions():
    y_true, prob = two_classes(np.ones(20), np.ones(20, bool))
    perfect = reliability(y_true, prob)
    assert (perfect.ece, perfect.ece_lo, perfect.ece_hi, perfect.accuracy[9]) == (0, 0, 0, 1)
    hopeless = reliability(1 - y_true, prob)
    assert hopeless.ece == 1 and hopeless.accuracy[9] == 0


def test_an_empty_bin_is_nan_and_no_more():
    curve = reliability(*two_classes([0.95] * 5, [True] * 5))
    empty = np.arange(10) != 9
    for values in (curve.confidence, curve.accuracy, curve.lo, curve.hi):
        assert np.isnan(values[empty]).all() and np.isfinite(values[9])


def test_the_interval_of_a_half_right_bin_is_binomial():
    n = 400
    curve = reliability(*two_classes(np.full(n, 0.95), np.arange(n) % 2 == 0))
    spread = 1.96 * np.sqrt(0.25 / n)
    np.testing.assert_allclose([curve.lo[9], curve.hi[9]], [0.5 - spread, 0.5 + spread], atol=0.012)


def test_the_seed_decides_the_bootstrap():
    data = two_classes(np.linspace(0.5, 1, 60), np.arange(60) % 3 > 0)
    first, again, other = (reliability(*data, seed=seed) for seed in (1, 1, 2))
    assert first.ece_lo == again.ece_lo != other.ece_lo and first.ece == other.ece


@pytest.mark.parametrize(("n", "rounds"), [(10, _N_BOOTSTRAP), (50_001, 100)])
def test_very_large_sets_are_resampled_less_often(n, rounds):
    draws = _resamples(np.random.default_rng(0), n)
    assert len(draws) == rounds and all(draw.size == n for draw in draws[:2])
    assert draws[0].min() >= 0 and draws[0].max() < n


def test_filled_points_rest_on_enough_objects_and_hollow_ones_do_not(draw):
    top = np.r_[np.full(_FEW, 0.95), np.full(_FEW - 1, 0.65)]
    y_true, prob = two_classes(top, np.ones(top.size, bool))
    figure, part = draw(calibration_curve, HeldOutClasses(y_true, prob.argmax(1), prob, ("A", "B")))
    _, curve, filled, hollow = figure.axes[0].lines
    np.testing.assert_allclose(curve.get_xdata(), [0.65, 0.95])
    np.testing.assert_allclose(filled.get_xydata(), [[0.95, 1]])
    np.testing.assert_allclose(hollow.get_xydata(), [[0.65, 1]])
    assert f"fewer than {_FEW} objects" in part.caption


def test_the_diagonal_and_the_axes(draw):
    y_true, prob = two_classes([0.7, 0.9], [True, False])
    figure, _ = draw(calibration_curve, HeldOutClasses(y_true, prob.argmax(1), prob, ("A", "B")))
    above, below = figure.axes
    assert above.lines[0].get_xydata().tolist() == [[0, 0], [1, 1]]
    assert above.get_xlim() == below.get_xlim() == (0, 1)
    assert (above.get_ylabel(), below.get_xlabel()) == ("Share correct", "Highest class probability")


def test_the_bars_below_count_the_objects(draw):
    y_true, prob = two_classes([0.55, 0.95, 0.96, 0.97], [True] * 4)
    figure, _ = draw(calibration_curve, HeldOutClasses(y_true, prob.argmax(1), prob, ("A", "B")))
    below = figure.axes[1]
    assert [bar.get_height() for bar in below.patches] == [0, 0, 0, 0, 0, 1, 0, 0, 0, 3]
    np.testing.assert_allclose([bar.get_x() for bar in below.patches], np.arange(10) / 10)
    assert [label.get_text() for label in below.get_yticklabels()] == ["0", "3"]


def test_words_hold_the_error_and_the_split(draw):
    y_true, prob = two_classes(np.ones(3), np.ones(3, bool))
    figure, part = draw(calibration_curve, HeldOutClasses(y_true, prob.argmax(1), prob, ("A", "B"), split="test"))
    assert figure.axes[0].texts[0].get_text() == "ECE 0.000 [0.000, 0.000]"
    assert "(held-out test)" in part.caption and "n = 3." in part.caption and "ECE 0.000" in part.alt


def test_unusable_objects_are_left_out_and_counted(draw):
    prob = np.array([[0.9, 0.1], [np.nan, np.nan], [0.8, 0.2]])
    figure, part = draw(calibration_curve, HeldOutClasses(np.array([0, 0, -1]), np.zeros(3, int), prob, ("A", "B")))
    assert sum(bar.get_height() for bar in figure.axes[1].patches) == 1
    assert part.caption.endswith("n = 1. 2 objects without a usable label or probability left out.")


def test_one_class_alone_is_certain(draw):
    figure, _ = draw(calibration_curve, HeldOutClasses(np.zeros(4, int), np.zeros(4, int), np.ones((4, 1)), ("A",)))
    assert figure.axes[1].patches[9].get_height() == 4
