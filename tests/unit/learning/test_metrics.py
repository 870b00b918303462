"""Metrics against scikit-learn, and honest rows for what cannot be measured."""

import numpy as np
import pytest
from sklearn import metrics as sk

from tasks.learning.bootstrap import bootstrap, class_counts
from tasks.learning.metrics import Metric, classification_metrics, confusion_matrix, regression_metrics
from tasks.learning.targets import CLASS, Regression

CLASSES = ("CEP", "ECL", "RRab", "RRc")


def guesses(n: int = 400, seed: int = 0):
    rng = np.random.default_rng(seed)
    codes = rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])
    proba = rng.dirichlet(np.ones(4), n) + 0.8 * np.eye(4)[codes] * (rng.random((n, 1)) < 0.8)
    return np.array(CLASSES)[codes], proba / proba.sum(1, keepdims=True)


def table(rows):
    return {(row.metric, row.name): row for row in rows}


def test_figures_are_those_of_scikit_learn():
    y, proba = guesses()
    said = np.array(CLASSES)[proba.argmax(1)]
    found = table(classification_metrics(y, proba, CLASSES))
    for name, value in {
        "accuracy": sk.accuracy_score(y, said),
        "macro_f1": sk.f1_score(y, said, average="macro"),
        "balanced_accuracy": sk.balanced_accuracy_score(y, said),
        "log_loss": sk.log_loss(y, proba, labels=list(CLASSES)),
    }.items():
        row = found[name, "all"]
        assert row.value == pytest.approx(value) and row.lo < row.value < row.hi and row.n == 400
    each = sk.precision_recall_fscore_support(y, said, labels=list(CLASSES))
    for i, name in enumerate(CLASSES):
        for values, metric in zip(each, ("precision", "recall", "f1"), strict=False):
            assert found[metric, name].value == pytest.approx(values[i])
        assert found["recall", name].n == each[3][i]
    assert np.array_equal(confusion_matrix(y, said, CLASSES), sk.confusion_matrix(y, said, labels=list(CLASSES)))
    assert found["confusion:ECL", "CEP"].value == ((y == "CEP") & (said == "ECL")).sum()


def test_multinomial_counts_spread_as_resampled_objects_do():
    y, proba = guesses()
    hit = (np.array(CLASSES)[proba.argmax(1)] == y).astype(int)
    slow = bootstrap(lambda index: hit[index].mean(1)[:, None], 400, 4000)[:, 0]
    fast = class_counts(hit, 2, 4000)[:, 1] / 400
    assert fast.mean() == pytest.approx(slow.mean(), abs=2e-3) and fast.std() == pytest.approx(slow.std(), rel=0.05)


def test_the_interval_holds_the_truth_about_95_times_in_100():
    inside = []
    for seed in range(200):
        y, proba = guesses(200, seed)
        row = table(classification_metrics(y, proba, CLASSES, draws=300))["accuracy", "all"]
        inside.append(row.lo <= EXPECTED <= row.hi)
    assert 0.88 <= np.mean(inside) <= 1.0


Y_LARGE, PROBA_LARGE = guesses(200_000, 999)
EXPECTED = (np.array(CLASSES)[PROBA_LARGE.argmax(1)] == Y_LARGE).mean()


def test_absent_classes_are_stated_not_dropped():
    y, proba = guesses()
    part = y != "RRc"
    rows = classification_metrics(y[part], proba[part], CLASSES, note="Small.")
    found = table(rows)
    row = found["recall", "RRc"]
    assert row.value is None and row.n == 0 and "No member" in row.note
    assert "RRc" in found["macro_f1", "all"].note and found["macro_f1", "all"].note.startswith("Small.")
    said = np.array(CLASSES)[proba[part].argmax(1)]
    assert found["macro_f1", "all"].value == pytest.approx(sk.f1_score(y[part], said, average="macro"))
    assert found["balanced_accuracy", "all"].value == pytest.approx(
        np.mean([(said[y[part] == name] == name).mean() for name in CLASSES[:3]]))  # fmt: skip


def test_a_class_the_model_does_not_know_counts_as_wrong():
    y, proba = guesses()
    y = np.where(np.arange(400) < 40, "NEW", y)
    found = table(classification_metrics(y, proba, CLASSES))
    assert found["recall", "NEW"].value == 0 and found["recall", "NEW"].n == 40
    assert found["accuracy", "all"].value < 0.9


def test_no_objects_and_one_object():
    assert classification_metrics([], np.empty((0, 4)), CLASSES)[0].note == "No object with a label."
    found = table(classification_metrics(["CEP"], np.array([[0.7, 0.1, 0.1, 0.1]]), CLASSES))
    assert found["accuracy", "all"].value == 1.0
    assert regression_metrics([], [])[0].n == 0
    assert table(regression_metrics([1.0], [2.0]))["r2", "all"].value is None


def test_regression_figures():
    rng = np.random.default_rng(0)
    y = rng.normal(6000, 800, 500)
    value = y + rng.normal(50, 200, 500)
    found = table(regression_metrics(y, value))
    assert found["rmse", "all"].value == pytest.approx(sk.root_mean_squared_error(y, value))
    assert found["mae", "all"].value == pytest.approx(sk.mean_absolute_error(y, value))
    assert found["r2", "all"].value == pytest.approx(sk.r2_score(y, value))
    assert found["median_bias", "all"].value == pytest.approx(np.median(value - y))
    width = found["median_bias", "all"].hi - found["median_bias", "all"].lo
    assert width == pytest.approx(2 * 1.96 * 1.2533 * 200 / np.sqrt(500), rel=0.25)  # spread of a normal median


def test_rows_have_the_columns_of_the_table():
    from schemas import TABLES

    y, proba = guesses()
    row = classification_metrics(y, proba, CLASSES)[0].row()
    assert set(row) == {"metric", "class", "value", "lo", "hi", "n", "note"}
    assert set(row) < {column.name for column in TABLES["score_model__metric"].columns}


def test_a_target_says_which_figure_decides_and_which_way():
    rows = [Metric("rmse", "all", 90.0, 85.0, 95.0, 9, None), Metric("macro_f1", "all", 0.5, 0.4, 0.6, 9, None)]
    assert CLASS.merit({"class": rows}) == 0.5
    assert Regression.of("teff_k").merit({"teff_k": rows}) == -90
    assert CLASS.merit({"class": rows[:1]}) is None
