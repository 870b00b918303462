"""The columns that targets publish: sets, doubts and intervals, of ordinary rows, of older cards, and of no rows."""

import numpy as np
import pyarrow as pa
import pytest

from tasks.learning.calibration import ConformalInterval, JointCalibration, Levels
from tasks.learning.class_calibration import ClassCalibration, Decision
from tasks.learning.interval_calibration import WIDE, IntervalCalibration
from tasks.learning.metrics import overall
from tasks.learning.targets import CLASS, Classification, Joint, Regression, join, target_from_json
from tasks.learning.uncertainty.class_sets import ClassSets

ABC = CLASS.bind(np.array(["a", "b", "c"]))
TEFF, RADIUS = Regression.of("teff_k"), Regression.of("radius_rsun")
PROBA = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.2, 0.4, 0.4]])
SETS = ClassCalibration(sets=ClassSets(0.9, (0.4, 0.3, 0.3)))
INTERVALS = IntervalCalibration((), (ConformalInterval(0.68, 1.0, 90),), (ConformalInterval(WIDE, 2.0, 90),))
DOUBTS = ["class_set", "class_set_size", "class_smp", "class_bald"]


def rows_of(target, calibration, raw) -> pa.Table:
    return pa.table(target.catalogue_values(target.scores(calibration, raw)))


def test_sets_of_equal_probabilities_are_in_the_order_of_the_classes():
    rows = rows_of(ABC, SETS, PROBA)
    assert rows["class_set"].to_pylist() == ["a;b", "c", "b;c"]
    assert rows["class_set_size"].to_pylist() == [2, 1, 2]
    assert np.allclose(rows["class_smp"], [0.5, 0.2, 0.6])


def test_the_decided_class_may_be_another_than_the_most_probable_one_but_its_doubt_is_of_that():
    rare = ClassCalibration(decision=Decision(1.0, (0.9, 0.09, 0.01)))
    rows = rows_of(ABC, rare, PROBA)
    assert rows["class_pred"].to_pylist() == ["c", "c", "c"]
    assert np.allclose(rows["class_smp"], 1 - PROBA.max(1))


def test_a_model_without_sets_has_none_to_measure_and_no_row_an_empty_one():
    rows = rows_of(ABC, ClassCalibration(), PROBA)
    assert [rows[name].null_count for name in DOUBTS] == [3, 3, 0, 3]
    truth = pa.table({"class": ["a", "c", "b"]})
    old = rows.drop_columns(DOUBTS)
    for each in (rows, old):
        found = ABC.measure_catalogue(each, truth)["class"]
        assert overall(found, "accuracy") == 1 and overall(found, "set_coverage") is None


@pytest.mark.parametrize("target", [ABC, TEFF, Joint((ABC, RADIUS))], ids=lambda target: target.name)
def test_of_no_stars_there_are_the_columns_with_their_types(target):
    of = {"class": SETS, "teff_k": INTERVALS, "class+radius_rsun": JointCalibration((SETS, INTERVALS))}[target.name]
    one, none = (rows_of(target, of, np.full((n, target.width), 0.3)) for n in (1, 0))
    assert none.num_rows == 0 and none.schema.equals(one.schema)


def test_measures_of_no_stars_state_that_there_are_none():
    found = ABC.measure(ABC.scores(SETS, np.empty((0, 3))), np.empty(0, str))["class"]
    assert overall(found, "accuracy") is None and {row.n for row in found} == {0}
    assert ABC.merit({"class": found}) is None


def test_intervals_of_a_logarithm_are_positive_and_one_within_the_other():
    raw = np.array([[0.0, 0.1], [-2.0, 3.0]])
    scores = RADIUS.scores(INTERVALS, raw)
    assert np.allclose(scores.value, [1, 0.01]) and np.allclose(scores.lo[0], 10**-0.1)
    assert np.allclose(scores.hi95[0], 10**0.2)
    lo95, lo, value, hi, hi95 = scores.lo95, scores.lo, scores.value, scores.hi, scores.hi95
    assert (np.diff([np.zeros(2), lo95, lo, value, hi, hi95], axis=0) > 0).all()


def test_the_two_intervals_are_measured_each_on_its_own():
    raw = np.column_stack([np.full(10, 5000.0), np.full(10, 100.0)])
    y = 5000 + np.array([0, 50, 90, 120, 150, 180, 190, 250, 300, -90.0])
    found = TEFF.measure(TEFF.scores(INTERVALS, raw), y)["teff_k"]
    assert overall(found, "coverage") == 0.4 and overall(found, "coverage_95") == 0.8


def test_an_older_card_has_the_narrow_interval_alone_and_a_catalogue_without_the_wide_one_is_read():
    older = TEFF.calibration_from_json({"level": 0.9, "width": 2.0, "n": 80})
    rows = rows_of(TEFF, older, np.array([[5000.0, 100.0]]))
    assert rows["teff_k_hi"].to_pylist() == [5200.0] and rows["teff_k_hi95"].null_count == 1
    assert [column.doc[:5] for column in TEFF.columns(older)[1:]] == ["Lower", "Upper"] * 2
    found = TEFF.measure_catalogue(rows.drop_columns(["teff_k_lo95", "teff_k_hi95"]), pa.table({"teff_k": [5150.0]}))
    assert overall(found["teff_k"], "coverage") == 1 and overall(found["teff_k"], "coverage_95") is None


def test_raw_predictions_are_put_under_the_classes_of_the_target_and_never_under_others():
    fewer = CLASS.bind(np.array(["a", "c"]))
    assert ABC.align_to(np.array([[0.3, 0.7]]), fewer).tolist() == [[0.3, 0, 0.7]]
    with pytest.raises(ValueError, match="class: the model has the classes b, for which there is no column"):
        fewer.align_to(PROBA, ABC)


def test_a_mean_of_models_has_the_spread_of_each_and_that_between_them():
    raws = [np.array([[1.0, 3.0]]), np.array([[3.0, 3.0]])]
    assert np.allclose(TEFF.mix(raws), [[2, np.sqrt(10)]]) and TEFF.mix(raws[:1]) is raws[0]
    both = Joint((ABC, TEFF))
    mixed = both.mix([np.hstack([PROBA[k : k + 1], raws[k]]) for k in (0, 1)])
    assert np.allclose(mixed, [[*PROBA[:2].mean(0), 2, np.sqrt(10)]])


def test_cards_of_other_versions_are_refused_and_one_target_is_no_joint_one():
    for card in ({"kind": "Ranking", "name": "x"}, {"name": "x"}):
        with pytest.raises(ValueError, match=r"no target of kind .* another version"):
            target_from_json(card)
    assert join([TEFF]) is TEFF and join([ABC, TEFF]) == Joint((ABC, TEFF))
    assert target_from_json(join([ABC, TEFF]).to_json()) == Joint((ABC, TEFF))


def test_labels_that_few_stars_have_are_named_in_the_note():
    y = np.array(["a"] * 9 + ["b"] * 4 + ["c"])
    assert ABC.note(y) == "Trained on fewer than 5 members: b (4), c (1)."
    assert Joint((ABC, TEFF)).note(Joint((ABC, TEFF)).labels_of([y, np.ones(14)])) == ABC.note(y)
    assert Classification("kind").note(y[:9]) == "" and TEFF.note(np.ones(3)) == ""


def test_strata_of_no_numbers_are_none_and_stars_without_a_label_are_one():
    codes, names = TEFF.strata(np.empty(0))
    assert codes.size == names.size == 0
    both = Joint((ABC, TEFF))
    codes, names = both.strata(both.labels_of([np.array(["a", "", ""]), np.array([1.0, 2.0, np.nan])]))
    assert names[codes].tolist() == ["class a", "teff_k 0", "without a label"]


def test_levels_are_those_asked_for():
    rng = np.random.default_rng(0)
    raw = np.hstack([rng.dirichlet(np.ones(3), 300), rng.normal(0, 1, (300, 1)), np.ones((300, 1))])
    both = Joint((ABC, TEFF))
    y = both.labels_of([rng.choice(["a", "b", "c"], 300), rng.normal(0, 1, 300)])
    classes, value = both.calibrate(raw, y, Levels(interval=0.5, class_set=0.8)).parts
    assert (classes.sets.level, value.level, value.wide[0].level) == (0.8, 0.5, WIDE)
