"""The abstention curve and what is read off it, against plain counts."""

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from tasks.learning.abstention import abstention_metrics

N = 1000
RNG = np.random.default_rng(1)
TRUTH = RNG.choice(4, N, p=[0.5, 0.3, 0.15, 0.05])
CONFIDENCE = RNG.uniform(0.3, 1, N)
GUESS = np.where(RNG.random(N) < CONFIDENCE, TRUTH, RNG.integers(0, 4, N))


def figures(truth, guess, confidence) -> dict:
    return {row.metric: row for row in abstention_metrics(truth, guess, confidence, draws=200)}


def test_the_curve_is_that_of_the_surest_objects():
    found, order = figures(TRUTH, GUESS, CONFIDENCE), np.argsort(-CONFIDENCE)
    for tenths in (1, 3, 10):
        kept = order[: N * tenths // 10]
        accuracy, f1 = (found[f"{name}:kept {tenths / 10:.1f}"] for name in ("accuracy", "macro_f1"))
        assert accuracy.value == pytest.approx((TRUTH == GUESS)[kept].mean()) and accuracy.n == kept.size
        assert f1.value == pytest.approx(f1_score(TRUTH[kept], GUESS[kept], average="macro"))
        assert accuracy.lo < accuracy.value < accuracy.hi and f1.lo < f1.value < f1.hi
    curve = [found[f"accuracy:kept {tenths / 10:.1f}"].value for tenths in range(1, 11)]
    assert found["accuracy_area"].value == pytest.approx(np.mean(curve)) and curve[0] > curve[-1] + 0.1


def test_the_roc_curve_of_errors_is_that_of_scikit_learn():
    expected = roc_auc_score(GUESS != TRUTH, -CONFIDENCE)
    found = figures(TRUTH, GUESS, CONFIDENCE)["error_auc"]
    assert found.value == pytest.approx(expected, abs=2e-3) and found.lo < expected < found.hi
    steps = np.round(CONFIDENCE, 1)
    assert figures(TRUTH, GUESS, steps)["error_auc"].value == pytest.approx(roc_auc_score(GUESS != TRUTH, -steps))


def test_confidence_without_meaning_is_worth_nothing():
    found = figures(TRUTH, GUESS, RNG.permutation(CONFIDENCE))
    assert found["error_auc"].value == pytest.approx(0.5, abs=0.05)
    assert found["accuracy_area"].value == pytest.approx((TRUTH == GUESS).mean(), abs=0.05)


def test_without_errors_and_without_objects():
    found = figures(TRUTH, TRUTH, CONFIDENCE)
    assert found["error_auc"].value is None and "all are right" in found["error_auc"].note
    assert found["macro_f1_area"].value == found["accuracy_area"].value == 1
    assert abstention_metrics([], [], np.empty(0)) == []
    assert figures([0, 1, 1], [0, 1, 0], np.array([0.9, 0.8, 0.7]))["accuracy:kept 1.0"].value == pytest.approx(2 / 3)
