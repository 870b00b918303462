"""What a target knows of itself: labels, folds, calibration, measures, columns, rows; several at once as each alone."""

import json

import numpy as np
import pyarrow as pa
import pytest

from schemas import TABLES
from schemas.tables.catalogue import OF_CLASS
from tasks.learning.calibration import JointCalibration, Levels
from tasks.learning.catalogue import score_rows
from tasks.learning.class_calibration import ClassCalibration
from tasks.learning.evaluation import evaluate
from tasks.learning.fit import fit
from tasks.learning.interval_calibration import IntervalCalibration
from tasks.learning.metrics import overall
from tasks.learning.models import MODELS
from tasks.learning.persistence import load, save
from tasks.learning.splits import TEST, split
from tasks.learning.targets import CLASS, Joint, Regression, target_from_json, targets_for
from tasks.learning.uncertainty.class_sets import ClassSets
from tests.unit.learning import joint_neighbours
from tests.unit.learning.synthetic_stars import stars

EXAMPLES, CLASSES, TEFF = stars(240)
TEMPERATURE, RADIUS = Regression.of("teff_k"), Regression.of("radius_rsun")
BOTH = Joint((CLASS, TEMPERATURE))
Y = BOTH.labels_of([np.where(np.arange(240) % 4 == 1, "", CLASSES), np.where(np.arange(240) % 3 == 2, np.nan, TEFF)])
RNG = np.random.default_rng(0)


@pytest.fixture
def registered(monkeypatch):
    """The joint model by one line in the registry."""
    monkeypatch.setitem(MODELS, joint_neighbours.SPEC.name, joint_neighbours.__name__)
    return joint_neighbours.joint_neighbours([CLASS, TEMPERATURE])[0]


def test_quantities_say_themselves_whether_they_are_learnt_as_logarithms():
    assert RADIUS.is_log and not TEMPERATURE.is_log
    assert np.allclose(RADIUS.to_physical(RADIUS.to_learned([0.1, 100])), [0.1, 100])
    with pytest.raises(ValueError, match="radius_rsun: 2 of 3 labels are not finite and positive"):
        RADIUS.encode(np.array([1.0, -1.0, np.nan]))
    assert [target.name for target in targets_for(["feh_dex"])] == ["class", "feh_dex"]


def test_what_cannot_be_learnt_is_told_before():
    assert not CLASS.is_learnable(np.array(["a", "a", "b"])) and CLASS.is_learnable(np.array(["a", "a", "b", "b"]))
    assert not TEMPERATURE.is_learnable(np.ones(9)) and TEMPERATURE.is_learnable(np.array([1.0, 2.0]))
    assert BOTH.is_learnable(Y) and not BOTH.is_learnable(Y[Y["class"] == ""])


def test_missing_labels_of_a_joint_target_are_masked():
    code, value = BOTH.bind(Y).encode(Y)
    assert (code.values[~code.is_known] == -1).all() and np.isnan(value.values[~value.is_known]).all()
    assert code.is_known.sum() == 180 and value.is_known.sum() == 160
    assert BOTH.bind(Y).parts[0].classes == ("noise", "saw", "sine")


def test_joint_folds_are_stratified_by_the_first_label_that_is_known():
    parts = split(BOTH, Y, EXAMPLES.source_id, 4, 0.2, 0)
    for name in ("noise", "saw", "sine", ""):
        count = np.bincount(parts.fold[Y["class"] == name] + 1, minlength=5)
        assert np.ptp(count[1:]) <= (1 if name else 10) and count[0] > 0
    names = BOTH.strata(Y)[1]
    assert names[:3].tolist() == ["class noise", "class saw", "class sine"] and len(names) == 14


def test_a_joint_calibration_is_that_of_each_part_on_its_own_labels():
    target = BOTH.bind(Y)
    proba = RNG.dirichlet(np.ones(3), 240)
    raw = np.column_stack([proba, TEFF + RNG.normal(0, 100, 240), np.full(240, 50.0)])
    found = target.calibrate(raw, Y, Levels())
    has_class, has_value = Y["class"] != "", np.isfinite(Y["teff_k"])
    codes = np.searchsorted(target.parts[0].classes, Y["class"][has_class])
    assert found.parts[0] == ClassCalibration.fit(proba[has_class], codes)
    assert found.parts[1] == IntervalCalibration.fit(TEFF[has_value], raw[has_value, 3], raw[has_value, 4], 0.68)
    card = json.loads(json.dumps(found.to_json()))
    assert target.calibration_from_json(card) == found and isinstance(found, JointCalibration)
    scores = target.scores(found, raw)
    alone = TEMPERATURE.scores(found.parts[1], raw[:, 3:])
    assert np.array_equal(scores.of_part[1].lo, alone.lo)
    metrics = target.measure(scores, Y, "Note.")
    assert overall(metrics["class"], "accuracy") is not None and metrics["teff_k"][0].n == 160
    assert target.merit(metrics) == overall(metrics["class"], "macro_f1")


def test_catalogue_columns_and_history_rows_of_every_kind():
    target, n = BOTH.bind(Y), 3
    calibration = JointCalibration(
        (ClassCalibration(), IntervalCalibration.from_json({"level": 0.9, "width": 2.0, "n": 50}))
    )
    raw = np.array([[0.2, 0.5, 0.3, 5000.0, 100.0]] * n)
    scores = target.scores(calibration, raw)
    values, columns = target.catalogue_values(scores), target.columns(calibration)
    own = [column.name for column in OF_CLASS]
    assert list(values) == [*own, *(column.name for column in columns)]
    assert [c.name for c in columns] == [*(f"prob_{name}" for name in ("noise", "saw", "sine")),
                                         *(f"teff_k{end}" for end in ("", "_lo", "_hi", "_lo95", "_hi95"))]  # fmt: skip
    assert [pa.array(values[name]).null_count for name in own] == [0, 3, 3, 0, 3]  # no sets, and a single member
    assert values["teff_k_lo95"].null_count == 3
    assert columns[3].unit == "K" and "90%" in columns[4].doc and columns[4].ucd.endswith(";stat.min")
    assert values["class_pred"].to_pylist() == ["saw"] * 3
    assert values["teff_k_lo"].to_pylist() == [4800.0] * 3
    of_source = {"source_id": np.arange(n)}
    long = [score_rows(each, of_source) for each in target.score_values(scores)]
    assert [table.num_rows for table in long] == [9, 3]
    assert long[0]["name"].to_pylist()[:3] == ["noise", "saw", "sine"] and long[0]["lo"].null_count == 9
    assert long[1].slice(0, 1).to_pylist() == [
        {"source_id": 0, "target": "teff_k", "name": "teff_k", "value": 5000.0, "lo": 4800.0, "hi": 5200.0}
    ]
    assert {"target", "name", "value", "lo", "hi"} <= {column.name for column in TABLES["score__value"].columns}


def test_published_rows_are_measured_against_the_truth_that_there_is():
    target = BOTH.bind(Y)
    rows = pa.table({"class_pred": ["saw", "noise"], "prob_noise": [0.1, 0.8], "prob_saw": [0.7, 0.1],
                     "prob_sine": [0.2, 0.1], "teff_k": [5000.0, None],
                     "teff_k_lo": [4900.0, None], "teff_k_hi": [5100.0, None]})  # fmt: skip
    truth = pa.table({"class": ["saw", "sine"], "teff_k": [5050.0, 6000.0]})
    found = target.measure_catalogue(rows, truth, "Truth.")
    assert overall(found["class"], "accuracy") == 0.5
    assert overall(found["teff_k"], "rmse") == 50 and overall(found["teff_k"], "coverage") == 1
    assert set(target.measure_catalogue(rows, truth.select(["class"]))) == {"class"}


def test_a_joint_model_from_outside_is_fitted_evaluated_and_stored(registered, tmp_path):
    target = registered.target.bind(Y)
    training = np.arange(240) < 160
    model = fit(registered, EXAMPLES.select(training), Y[training])
    raw = model.predict(EXAMPLES)
    assert raw.shape == (240, target.width) and np.allclose(raw[:, :3].sum(1), 1)
    fold = np.where(training, 0, TEST).astype(np.int8)
    found = evaluate(target, [registered], {registered.name: raw}, Y, fold, Levels()).recipes[registered.name]
    held_out = found.metrics["test"]
    assert overall(held_out["class"], "accuracy") > 0.7
    assert overall(held_out["teff_k"], "rmse") < 0.7 * np.std(TEFF[~training])
    save(model, tmp_path)
    assert np.array_equal(load(tmp_path).predict(EXAMPLES), raw)


def test_a_label_that_is_missing_teaches_nothing(registered):
    changed = Y.copy()
    changed["teff_k"][np.isnan(Y["teff_k"])] = np.nan
    there = fit(registered, EXAMPLES, Y).predict(EXAMPLES)
    more = Y.copy()
    more["teff_k"][np.isnan(Y["teff_k"])] = 90_000.0
    other = fit(registered, EXAMPLES, more).predict(EXAMPLES)
    assert np.array_equal(there[:, :3], other[:, :3]) and not np.array_equal(there[:, 3], other[:, 3])


def test_columns_of_classes_may_have_other_names():
    bound = CLASS.bind(np.array(["RR", "rr", "EA"]))
    other = bound.name_columns({"rr": "rr_mine", "absent": "x"})
    assert other.probabilities == {"EA": "prob_EA", "RR": "prob_RR", "rr": "prob_rr_mine"}
    scores = other.scores(ClassCalibration(), np.array([[0.1, 0.2, 0.7]]))
    values = other.catalogue_values(scores)
    assert values["class_pred"].to_pylist() == ["rr"] and list(values)[-3:] == [*other.probabilities.values()]
    described = {column.name: column.doc for column in other.columns(ClassCalibration())}
    assert described["prob_rr_mine"] == "Calibrated probability of class rr."
    assert target_from_json(json.loads(json.dumps(other.to_json()))) == other
    assert Joint((CLASS, TEMPERATURE)).bind(Y).name_columns({}).parts[0] == CLASS.bind(np.array(CLASSES))


def test_a_card_without_other_names_is_as_it_always_was():
    bound = CLASS.bind(np.array(["RR", "rr"]))
    assert bound.name_columns({"RR": "RR"}) == bound == bound.name_columns({})
    assert bound.to_json() == {"kind": "Classification", "name": "class", "classes": ("RR", "rr")}


def test_sets_are_written_the_most_probable_first_and_read_back():
    bound = CLASS.bind(np.array(["EA", "RR;Blazhko", "rr"]))
    sets = ClassCalibration(sets=ClassSets(0.9, (0.3, 0.3, 0.2)))
    proba = np.array([[0.4, 0.1, 0.5], [0.1, 0.8, 0.1], [0.29, 0.29, 0.15]])
    scores = bound.scores(sets, proba)
    rows = pa.table(bound.catalogue_values(scores))
    assert rows["class_set"].to_pylist() == ["rr;EA", "RR,Blazhko", ""]
    assert rows["class_set_size"].to_pylist() == [2, 1, 0]
    truth = pa.table({"class": ["EA", "EA", "new"]})  # the last is of a class that the model has not learnt
    found = {(row.metric, row.name): row for row in bound.measure_catalogue(rows, truth)["class"]}
    assert found["set_coverage", "all"].value == pytest.approx(1 / 3) and found["set_size", "all"].value == 1
    assert found["empty_sets", "all"].value == pytest.approx(1 / 3)


def test_members_that_disagree_have_a_bald_and_a_single_one_has_none():
    bound = CLASS.bind(np.array(["EA", "RR"]))
    entropy = bound.entropy(np.array([[1.0, 0.0], [0.5, 0.5]]))
    scores = bound.scores(ClassCalibration(), np.full((3, 2), 0.5), np.array([*entropy, [np.nan]]))
    values = bound.catalogue_values(scores)
    assert np.allclose(scores.bald[:2], [np.log(2), 0.0]) and values["class_bald"][2].as_py() is None
    assert values["class_smp"].tolist() == [0.5] * 3
