"""Metrics of random tables, small and odd ones among them, against scikit-learn; intervals and notes of each row."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from tasks.learning.metrics import classification_metrics, confusion_matrix, overall, regression_metrics
from tests.unit.learning.test_metrics import table

LAW = settings(max_examples=40, deadline=None, derandomize=True)
CLASSES = ("a", "b", "c", "d")
DRAWS = 20


@st.composite
def predictions(draw):
    """Labels of up to 30 objects, some classes absent, and probabilities in which ties are rare."""
    n, seed = draw(st.integers(1, 30)), draw(st.integers(0, 2**16))
    rng = np.random.default_rng(seed)
    present = draw(st.lists(st.sampled_from(CLASSES), min_size=1, unique=True))
    return rng.choice(present, n), rng.dirichlet(np.ones(4), n)


@LAW
@given(predictions())
def test_figures_of_classes_are_those_of_scikit_learn(case):
    y, proba = case
    guess = np.array(CLASSES)[proba.argmax(1)]
    found = table(classification_metrics(y, proba, CLASSES, draws=DRAWS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of absent classes; here their rows say it
        expected = {
            "accuracy": sk.accuracy_score(y, guess),
            "balanced_accuracy": sk.balanced_accuracy_score(y, guess),
            "macro_f1": sk.f1_score(y, guess, average="macro"),
            "log_loss": sk.log_loss(y, proba, labels=list(CLASSES)),
        }
        precision, recall, f1, members = sk.precision_recall_fscore_support(y, guess, labels=list(CLASSES))
    for name, value in expected.items():
        assert found[name, "all"].value == pytest.approx(value), name
    assert np.array_equal(confusion_matrix(y, guess, CLASSES), sk.confusion_matrix(y, guess, labels=list(CLASSES)))
    for i, name in enumerate(CLASSES):
        rows = [found[metric, name] for metric in ("precision", "recall", "f1")]
        assert all(row.n == members[i] for row in rows)
        if members[i] == 0:
            assert all(row.value is None and "No member" in row.note for row in rows)
            continue
        assert rows[1].value == pytest.approx(recall[i]) and rows[2].value == pytest.approx(f1[i])
        if (guess == name).any():
            assert rows[0].value == pytest.approx(precision[i])
        else:  # scikit-learn calls it 0
            assert rows[0].value is None and "never predicted" in rows[0].note


@LAW
@given(predictions())
def test_rows_count_every_object_and_intervals_have_an_order(case):
    y, proba = case
    rows = classification_metrics(y, proba, CLASSES, "Note.", draws=DRAWS)
    counts = [row for row in rows if row.metric.startswith("confusion:")]
    assert sum(row.value for row in counts) == y.size
    assert all(row.lo is None and row.hi is None for row in counts)
    for row in rows:
        if row.lo is not None:
            assert row.lo <= row.hi and (row.metric == "log_loss" or 0 <= row.lo <= row.hi <= 1)
        if row.value is not None and row.metric in ("accuracy", "log_loss", "ece"):
            assert row.note.startswith("Note.") and row.n == y.size
    assert overall(rows, "accuracy") == (proba.argmax(1) == np.searchsorted(CLASSES, y)).mean()
    assert overall(rows, "no such metric") is None


@LAW
@given(predictions(), st.randoms(use_true_random=False))
def test_the_order_of_objects_and_of_classes_changes_no_figure(case, random):
    y, proba = case
    order, turn = list(range(y.size)), list(range(4))
    random.shuffle(order)
    random.shuffle(turn)
    classes = [CLASSES[i] for i in turn]
    one = table(classification_metrics(y, proba, CLASSES, draws=1))
    other = table(classification_metrics(y[order], proba[order][:, turn], classes, draws=1))
    assert set(one) == set(other)
    for key, row in one.items():
        assert other[key].n == row.n
        assert other[key].value == (None if row.value is None else pytest.approx(row.value))


@LAW
@given(st.integers(2, 30), st.integers(0, 2**16))
def test_figures_of_numbers_are_those_of_scikit_learn(n, seed):
    rng = np.random.default_rng(seed)
    y, value = rng.normal(0, 1, n), rng.normal(0, 1, n)
    found = table(regression_metrics(y, value, draws=DRAWS))
    expected = {
        "rmse": sk.root_mean_squared_error(y, value),
        "mae": sk.mean_absolute_error(y, value),
        "r2": sk.r2_score(y, value),
        "median_bias": np.median(value - y),
    }
    assert {metric for metric, _ in found} == set(expected)
    for name, each in expected.items():
        assert found[name, "all"].value == pytest.approx(each) and found[name, "all"].n == n


def test_numbers_that_do_not_differ_have_no_r2_and_perfect_ones_no_error():
    found = table(regression_metrics(np.full(9, 4.0), np.full(9, 5.0), note="Few.", draws=DRAWS))
    assert found["r2", "all"].value is None and found["r2", "all"].note == "Few. Undefined: the labels do not differ."
    assert found["rmse", "all"].value == found["mae", "all"].value == found["median_bias", "all"].value == 1
    perfect = table(regression_metrics(np.arange(9.0), np.arange(9.0), draws=DRAWS))
    assert perfect["rmse", "all"].value == 0 and perfect["r2", "all"].value == 1


def test_a_class_without_a_chance_costs_a_finite_loss():
    proba = np.array([[1.0, 0.0, 0.0, 0.0]] * 3)
    found = table(classification_metrics(["b"] * 3, proba, CLASSES, draws=DRAWS))
    assert found["log_loss", "all"].value == pytest.approx(-np.log(1e-12))
    assert found["ece", "all"].value == 1 and found["accuracy", "all"].value == 0
