"""The error of a quantity against that of the median of the class."""

import numpy as np
import pytest

from tasks.learning.calibration import Levels
from tasks.learning.coverage import Groups
from tasks.learning.skill import skill_metrics
from tasks.learning.targets import Regression

RNG = np.random.default_rng(5)
LABEL = np.repeat(["CEP", "RRab", "few", ""], [200, 200, 5, 50])
CENTRE = np.repeat([5000.0, 7000.0, 6000.0, 6000.0], [200, 200, 5, 50])
SPREAD = RNG.normal(0, 100, LABEL.size)
Y = CENTRE + SPREAD
# of the Cepheids the prediction knows four fifths of the spread, of the RR Lyrae the class alone and some noise
VALUE = np.where(LABEL == "CEP", CENTRE + 0.8 * SPREAD, CENTRE + RNG.normal(0, 100, LABEL.size))


def test_what_says_more_than_the_class_has_skill_and_what_repeats_it_has_none():
    rows = {row.name: row for row in skill_metrics(Y, VALUE, LABEL)}
    assert set(rows) == {"all", "CEP", "RRab"}  # of five stars nothing is said
    assert rows["CEP"].value == pytest.approx(0.8, abs=0.01) and rows["CEP"].lo > 0.75 and rows["CEP"].n == 200
    assert rows["RRab"].value == pytest.approx(1 - np.sqrt(2), abs=0.1) and rows["RRab"].hi < 0
    assert rows["all"].n == 400 and rows["RRab"].value < rows["all"].value < rows["CEP"].value


def test_equal_labels_and_unknown_classes_have_no_row():
    assert skill_metrics(np.full(30, 5.0), np.arange(30.0), np.full(30, "CEP")) == []
    assert skill_metrics(Y, VALUE, np.full(Y.size, "")) == []


def test_it_stands_among_the_metrics_of_a_quantity_where_classes_are_known():
    target, raw = Regression.of("teff_k"), np.stack([VALUE, np.full(VALUE.size, 50.0)], axis=1)
    levels = Levels()
    scores = target.scores(target.calibrate(raw, Y, levels), raw)
    with_classes = target.measure(scores, Y, "", Groups.of(LABEL))["teff_k"]
    assert {row.name for row in with_classes if row.metric == "skill"} == {"all", "CEP", "RRab"}
    assert not [row for row in target.measure(scores, Y)["teff_k"] if row.metric == "skill"]
