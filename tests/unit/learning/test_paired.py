"""Two predictions of the same objects: their figures resampled alike, and the interval of the difference."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error, root_mean_squared_error

from tasks.learning.bootstrap import interval
from tasks.learning.calibration import Levels
from tasks.learning.paired import DRAWS, resample_classes, resample_values, subtract
from tasks.learning.targets import CLASS, Joint, Regression


@pytest.fixture(scope="module")
def guesses():
    """True codes of 400 objects, guesses of which four fifths are right, and guesses that are right in 20 more."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 4, 400)
    guess = np.where(rng.random(400) < 0.8, truth, rng.integers(0, 4, 400))
    better = guess.copy()
    wrong = np.flatnonzero(guess != truth)[:20]
    better[wrong] = truth[wrong]
    return truth, guess, better


def test_the_first_values_are_the_figures_themselves(guesses):
    truth, guess, _ = guesses
    figures = resample_classes(truth, guess, 4)
    assert figures["accuracy"][0] == pytest.approx(accuracy_score(truth, guess))
    assert figures["macro_f1"][0] == pytest.approx(f1_score(truth, guess, average="macro"))
    y, value = truth.astype(float), guess + 0.5
    errors = resample_values(y, value)
    assert errors["rmse"][0] == pytest.approx(root_mean_squared_error(y, value))
    assert errors["mae"][0] == pytest.approx(mean_absolute_error(y, value))
    assert {values.shape for values in (*figures.values(), *errors.values())} == {(1 + DRAWS,)}


def test_a_difference_of_the_same_objects_is_surer_than_its_two_figures(guesses):
    truth, guess, better = guesses
    figures, others = resample_classes(truth, better, 4), resample_classes(truth, guess, 4)
    gain, _ = subtract(figures, others, truth.size)
    assert (gain.metric, gain.n) == ("accuracy", 400) and gain.value == pytest.approx(20 / 400)
    assert 0 < gain.lo < gain.value < gain.hi
    (lo,), (hi,) = interval(figures["accuracy"][1:, None])
    assert gain.hi - gain.lo < 0.7 * (hi - lo)


def test_equal_predictions_differ_by_nothing(guesses):
    truth, guess, _ = guesses
    for row in subtract(*[resample_classes(truth, guess, 4)] * 2, truth.size):
        assert (row.value, row.lo, row.hi) == (0, 0, 0)


def test_every_kind_of_target_compares_its_parts(guesses):
    truth, guess, better = guesses
    names = np.array(["a", "b", "c", "d"])[truth]
    teff = Regression.of("teff_k")
    joint = Joint((CLASS, teff))
    y = joint.labels_of([names, np.where(truth > 0, 5000.0 + truth, np.nan)])
    bound = joint.bind(y)
    raw = np.column_stack([np.eye(4)[better], 5001.0 + guess, np.full(400, 2.0)])
    found = bound.resample(bound.scores(bound.calibrate(raw, y, Levels()), raw), y)
    assert {part: list(figures) for part, figures in found.items()} == {
        "class": ["accuracy", "macro_f1"], "teff_k": ["rmse", "mae"]
    }  # fmt: skip
    assert found["class"]["accuracy"][0] == pytest.approx(accuracy_score(truth, better))
    known = truth > 0
    assert found["teff_k"]["mae"][0] == pytest.approx(mean_absolute_error(truth[known], guess[known] + 1))
