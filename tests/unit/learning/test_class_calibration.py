"""Which class is decided for: rare ones more often where that is worth it, and otherwise the most probable."""

import json

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from tasks.learning.calibration import Temperature
from tasks.learning.class_calibration import MOST_LOST, ClassCalibration, Decision
from tasks.learning.metrics import classification_metrics, overall
from tasks.learning.targets import CLASS

SHARES = np.array([0.80, 0.16, 0.04])


def unequal(n: int, seed: int, overlap: float = 1.6, shares=SHARES):
    """Calibrated probabilities (n, 3) of three overlapping Gaussians of unequal size, and the true codes (n,)."""
    rng = np.random.default_rng(seed)
    codes = rng.choice(3, n, p=shares)
    place = codes + overlap * rng.normal(0, 0.45, n)
    density = shares * np.exp(-0.5 * ((place[:, None] - np.arange(3)) / (0.45 * overlap)) ** 2)
    return density / density.sum(1, keepdims=True), codes


def test_the_rule_finds_rare_classes_without_losing_accuracy():
    rule = Decision.fit(*unequal(6000, 2))
    proba, codes = unequal(6000, 1)
    plain, decided = proba.argmax(1), rule.decide(proba)
    assert 0 < rule.exponent < 1 and np.allclose(rule.prior, SHARES, atol=0.02)
    assert f1_score(codes, decided, average="macro") > f1_score(codes, plain, average="macro") + 0.01
    assert (decided == 2).sum() > (plain == 2).sum()
    assert accuracy_score(codes, decided) > accuracy_score(codes, plain) - 2 * MOST_LOST


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_never_falls_by_more_than_the_guard_allows(seed):
    proba, codes = unequal(1500, seed, overlap=2.0)
    decided = Decision.fit(proba, codes).decide(proba)
    assert (decided == codes).mean() >= (proba.argmax(1) == codes).mean() - MOST_LOST


@pytest.mark.parametrize(
    ("proba", "codes"),
    [unequal(3000, 2, shares=np.full(3, 1 / 3)), unequal(150, 3), unequal(19, 0), unequal(800, 4, overlap=0.1)],
    ids=["equal_classes", "few_objects", "very_few_objects", "no_errors"],
)
def test_where_nothing_is_gained_the_most_probable_class_is_decided_for(proba, codes):
    rule = Decision.fit(proba, codes)
    assert rule == Decision() and np.array_equal(rule.decide(proba), proba.argmax(1))


def test_an_exponent_of_one_takes_out_the_share():
    rule = Decision(1.0, (0.9, 0.1))
    assert rule.decide(np.array([[0.85, 0.15], [0.95, 0.05]])).tolist() == [1, 0]


def test_the_rule_depends_on_no_order_and_changes_no_probability():
    raw, codes = unequal(6000, 2)
    order = np.random.default_rng(0).permutation(codes.size)
    found = ClassCalibration.fit(raw, codes)
    assert found.decision == ClassCalibration.fit(raw[order], codes[order]).decision and found.decision.exponent > 0
    target = CLASS.bind(np.array(["a", "b", "c"]))
    scores = target.scores(found, raw)
    assert np.array_equal(scores.proba, found.temperature.apply(raw))
    assert (
        target.catalogue_values(scores)["class_pred"].to_pylist() == np.array(["a", "b", "c"])[scores.decided].tolist()
    )
    assert np.array_equal(scores.select(order).decided, scores.decided[order])


def test_class_figures_are_of_the_decision_and_probabilities_of_themselves():
    proba, codes = unequal(2000, 4)
    decided = Decision(0.8, tuple(SHARES)).decide(proba)
    y = np.array(["a", "b", "c"])[codes]
    plain, found = (classification_metrics(y, proba, "abc", decided=own) for own in (None, decided))
    assert overall(found, "accuracy") == (decided == codes).mean() != overall(plain, "accuracy")
    assert overall(found, "macro_f1") == pytest.approx(f1_score(codes, decided, average="macro"))
    for metric in ("log_loss", "ece"):
        assert overall(found, metric) == overall(plain, metric)


def test_cards_give_the_calibration_back_and_older_cards_are_read():
    found = ClassCalibration(Temperature(1.5, 1e-3), Decision(0.35, (0.75, 0.25)))
    assert ClassCalibration.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert ClassCalibration.from_json({"temperature": 1.5, "floor": 1e-3}) == ClassCalibration(found.temperature)
