"""One recipe is chosen out of fold; calibration never sees the held-out part; cards give calibrations back."""

import numpy as np

from tasks.learning.calibration import Levels
from tasks.learning.coverage import Groups
from tasks.learning.evaluation import evaluate
from tasks.learning.metrics import overall
from tasks.learning.targets import CLASS, Regression
from tests.unit.learning.synthetic_stars import recipe

RECIPES = [recipe("majority"), recipe("forest")]
TARGET = CLASS.bind(np.array(["a", "b"]))
RADIUS = Regression.of("radius_rsun")


def sample(n=400, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.choice(["a", "b"], n)
    sure = np.where(rng.random(n) < 0.9, y == "b", y == "a").astype(float)
    good = np.stack([1 - sure, sure], axis=1) * 0.98 + 0.01
    fold = np.where(np.arange(n) % 5 == 4, -1, np.arange(n) % 4).astype(np.int8)
    return y, fold, {"majority": np.full((n, 2), 0.5), "forest": good}


def test_the_choice_and_the_calibration_ignore_the_held_out_part():
    y, fold, predictions = sample()
    one = evaluate(TARGET, RECIPES, predictions, y, fold, Levels())
    spoiled = {name: values.copy() for name, values in predictions.items()}
    spoiled["forest"][fold == -1] = spoiled["forest"][fold == -1][:, ::-1]
    other = evaluate(TARGET, RECIPES, spoiled, y, fold, Levels())
    assert one.chosen == other.chosen == "forest"
    assert one.calibration == other.calibration
    accuracy = [overall(e.recipes["forest"].metrics["test"]["class"], "accuracy") for e in (one, other)]
    assert accuracy[0] > 0.8 and abs(accuracy[0] + accuracy[1] - 1) < 1e-9


def test_overconfident_probabilities_are_cooled():
    y, fold, predictions = sample()
    calibration = evaluate(TARGET, RECIPES, predictions, y, fold, Levels()).calibration
    proba = TARGET.scores(calibration, predictions["forest"]).proba
    assert calibration.temperature.temperature > 1 and abs(proba.max(axis=1).mean() - 0.9) < 0.03


def test_intervals_of_log_targets_are_positive_and_hold_their_level():
    rng = np.random.default_rng(1)
    truth = 10 ** rng.normal(1, 0.5, 2000)
    raw = np.stack([np.log10(truth) + rng.normal(0, 0.1, 2000), np.full(2000, 0.05)], axis=1)
    fold = np.where(np.arange(2000) % 5 == 4, -1, 0).astype(np.int8)
    found = evaluate(RADIUS, [recipe("forest", RADIUS)], {"forest": raw}, truth, fold, Levels())
    scores = RADIUS.scores(found.calibration, raw)
    assert (scores.lo > 0).all() and (scores.lo < scores.value).all() and (scores.value < scores.hi).all()
    coverage = next(m for m in found.recipes["forest"].metrics["test"]["radius_rsun"] if m.metric == "coverage")
    assert coverage.n == 400 and abs(coverage.value - 0.68) < 0.06


def test_coverage_is_measured_by_class_and_magnitude_in_both_parts():
    y, fold, predictions = sample(1200)
    rng = np.random.default_rng(5)
    predictions["forest"] += np.multiply.outer(rng.uniform(-0.009, 0.009, y.size), [1, -1])  # no two alike
    groups = Groups.of(np.full(y.size, ""), rng.uniform(12, 16, y.size))
    found = evaluate(TARGET, RECIPES, predictions, y, fold, Levels(class_set=0.8), "", groups).recipes["forest"]
    for part in ("oof", "test"):
        rows = {(row.metric, row.name): row for row in found.metrics[part]["class"]}
        assert all(abs(rows["set_coverage", name].value - 0.8) < 0.1 for name in ("all", "a", "b"))
        assert sum(metric.startswith("set_coverage:") for metric, _ in rows) == 4
        assert rows["accuracy:kept 1.0", "all"].value == rows["accuracy", "all"].value
