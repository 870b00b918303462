"""What holds of every target, and of any two as one: labels, folds, calibration, metrics, columns, rows."""

import json
from itertools import permutations

import numpy as np
import pyarrow as pa
import pytest

from schemas import TABLES
from schemas.tables.catalogue import OF_CLASS
from tasks.learning.calibration import Levels
from tasks.learning.catalogue import score_rows
from tasks.learning.coverage import Groups
from tasks.learning.splits import TEST, split
from tasks.learning.targets import CLASS, KINDS, Joint, Regression, Target, join, target_from_json

N = 120
RNG = np.random.default_rng(21)
LEVELS = Levels(interval=0.8)
SINGLE = (CLASS, Regression.of("teff_k"), Regression.of("radius_rsun"))
TARGETS = (*SINGLE, *(Joint(pair) for pair in permutations(SINGLE, 2)))
every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
LABELS = {
    "class": RNG.choice(["CEP", "ECL", "RRab"], N, p=[0.2, 0.5, 0.3]),
    "teff_k": RNG.normal(6000, 900, N),
    "radius_rsun": 10 ** RNG.normal(1, 0.5, N),
}
SOURCE_ID = RNG.permutation(10**6)[:N]
ORDER = RNG.permutation(N)


def labels_of(target: Target, missing: bool = False) -> np.ndarray:
    """Labels (N,) of a target; with `missing` every third of its first part and every fourth of its last has none."""
    each = {part.name: LABELS[part.name].copy() for part in target.parts}
    if missing:
        for part, step in ((target.parts[0], 3), (target.parts[-1], 4)):
            each[part.name][::step] = "" if each[part.name].dtype.kind == "U" else np.nan
    values = [each[part.name] for part in target.parts]
    return target.labels_of(values) if isinstance(target, Joint) else values[0]


def raw_of(target: Target, y: np.ndarray, noise: float) -> np.ndarray:
    """Raw predictions (N, W) of a bound target that are the labels, and more or less noise."""
    rng = np.random.default_rng(5)
    columns = []
    for part in target.parts:
        own = y[part.name] if isinstance(target, Joint) else y
        if part.classes:
            truth = np.array(part.classes) == own[:, None]
            columns.append((1 - noise) * truth + noise * rng.dirichlet(np.ones(part.width), N))
        else:
            learned = part.to_learned(own)
            columns += [learned + noise * learned.std() * rng.normal(size=N), np.full(N, 0.1 * learned.std())]
    return np.column_stack(columns)


def prepared(target: Target, noise: float = 0.3):
    """A target bound to its labels, the labels, raw predictions, and their calibration."""
    y = labels_of(target)
    bound = target.bind(y)
    raw = raw_of(bound, y, noise)
    return bound, y, raw, bound.calibrate(raw, y, LEVELS)


def equal(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether labels are the same; NaN differs from itself, its text does not."""
    return one.dtype.kind == other.dtype.kind and str(one.tolist()) == str(other.tolist())


@every_target
@pytest.mark.parametrize("missing", [False, True])
def test_encoded_labels_can_be_read_back(target, missing):
    y = labels_of(target, missing and isinstance(target, Joint))
    bound = target.bind(y)
    for part, labels in zip(bound.parts, bound.encode(y), strict=True):
        own = y[part.name] if isinstance(target, Joint) else y
        assert np.array_equal(labels.is_known, part.is_usable(own))
        there = labels.values[labels.is_known]
        if part.classes:
            assert np.array_equal(np.array(part.classes)[there], own[labels.is_known]) and there.dtype == np.int64
            assert (labels.values[~labels.is_known] == -1).all()
        else:
            assert np.allclose(part.to_physical(there), own[labels.is_known], rtol=1e-14)
            assert np.isnan(labels.values[~labels.is_known]).all()


@every_target
def test_labels_survive_a_table_and_the_target_a_card(target):
    y = labels_of(target, missing=True)
    bound = target.bind(y[target.is_usable(y)])
    table = pa.table(bound.to_columns(y))
    assert table.column_names == [part.name for part in target.parts]
    assert table[0].null_count == (N // 3 if isinstance(target, Joint) else N // 2)  # every third and every fourth
    assert equal(bound.from_columns(table), y)
    card = json.loads(json.dumps(bound.to_json(), allow_nan=False))
    assert target_from_json(card) == bound and card["kind"] in KINDS


@every_target
def test_binding_twice_is_binding_once_and_the_order_of_labels_does_not_matter(target):
    y = labels_of(target)
    bound = target.bind(y)
    assert bound.bind(y) == bound == target.bind(y[ORDER])
    assert bound.name == target.name and bound.decides == target.decides
    assert bound.width == sum(part.width for part in bound.parts)
    assert bound.classes == (("CEP", "ECL", "RRab") if "class" in target.name.split("+") else ())
    assert join(bound.parts) == bound


@every_target
def test_strata_are_numbered_without_gaps_and_go_with_their_objects(target):
    y = labels_of(target, missing=isinstance(target, Joint))
    stratum, names = target.strata(y)
    assert np.array_equal(np.unique(stratum), np.arange(len(names))) and len(set(names)) == len(names)
    turned, again = target.strata(y[ORDER])
    assert np.array_equal(turned, stratum[ORDER]) and np.array_equal(again, names)


@every_target
def test_folds_go_with_their_objects_and_keep_their_shares(target):
    y = labels_of(target)
    found = split(target, y, SOURCE_ID, 4, 0.25, 7)
    assert np.array_equal(split(target, y[ORDER], SOURCE_ID[ORDER], 4, 0.25, 7).fold, found.fold[ORDER])
    count = np.bincount(found.fold - TEST, minlength=5)
    assert np.ptp(count[1:]) <= 1 and abs(count[0] - N / 4) <= len(target.strata(y)[1])


@every_target
def test_calibration_survives_its_card_and_depends_on_no_order(target):
    bound, y, raw, calibration = prepared(target)
    card = json.loads(json.dumps(calibration.to_json(), allow_nan=False))
    assert bound.calibration_from_json(card) == calibration
    turned = bound.calibrate(raw[ORDER], y[ORDER], LEVELS)
    assert json.dumps(turned.to_json())[:12] == json.dumps(calibration.to_json())[:12]
    again, there = (bound.scores(each, raw) for each in (turned, calibration))
    for one, other in zip(bound.score_values(again), bound.score_values(there), strict=True):
        assert np.allclose(one.value, other.value, rtol=1e-5)


@every_target
def test_scores_of_an_object_are_its_own(target):
    bound, _, raw, calibration = prepared(target)
    whole = bound.scores(calibration, raw)
    some = np.array([7, 3, 50])
    for part in (whole.select(some), bound.scores(calibration, raw[some])):
        for one, other in zip(bound.score_values(part), bound.score_values(whole), strict=True):
            assert np.allclose(one.value, other.value[some], rtol=1e-14)
    mask = np.zeros(N, bool)
    mask[some] = True
    assert bound.score_values(whole.select(mask))[0].value.shape[0] == 3


@every_target
def test_catalogue_columns_are_declared_in_the_order_of_their_values_with_their_types(target):
    bound, _, raw, calibration = prepared(target)
    values, columns = bound.catalogue_values(bound.scores(calibration, raw)), bound.columns(calibration)
    declared = {column.name: column for column in columns}
    of_class = {column.name: column.type for column in OF_CLASS}
    assert [name for name in values if name not in of_class] == list(declared)
    found = {name: pa.array(values[name]).type for name in of_class if name in values}
    assert found == (of_class if bound.classes else {})
    for name, column in declared.items():
        array = pa.array(values[name])
        assert array.type == column.type and len(array) == N and array.null_count == 0
        assert column.doc.endswith(".") and column.ucd
        assert column.unit == next((part.unit for part in bound.parts if name.startswith(part.name)), "")


@every_target
def test_history_rows_hold_what_the_catalogue_holds(target):
    bound, _, raw, calibration = prepared(target)
    scores = bound.scores(calibration, raw)
    values = bound.catalogue_values(scores)
    known = {column.name for column in TABLES["score__value"].columns}
    for part, own in zip(bound.parts, bound.score_values(scores), strict=True):
        table = score_rows(own, {"source_id": SOURCE_ID})
        assert set(table.column_names) <= known and table.num_rows == N * len(own.names)
        assert set(table["target"].to_pylist()) == {part.name}
        first = table.slice(0, len(own.names)).to_pylist()
        assert [row["source_id"] for row in first] == [SOURCE_ID[0]] * len(own.names)
        for row in first:
            column = f"prob_{row['name']}" if part.classes else row["name"]
            assert np.float32(row["value"]) == pa.array(values[column])[0].as_py()
            assert (row["lo"] is None) == bool(part.classes)
            if row["lo"] is not None:
                assert row["lo"] <= row["value"] <= row["hi"]


@every_target
def test_better_predictions_have_more_merit(target):
    bound, y, _, _ = prepared(target)
    merits = []
    for noise in (0.02, 0.8, 0.95):
        raw = raw_of(bound, y, noise)
        merits.append(bound.merit(bound.measure(bound.scores(bound.calibrate(raw, y, LEVELS), raw), y)))
    assert merits[0] > merits[1] > merits[2]
    empty = {part.name: [] for part in bound.parts}
    assert bound.merit(empty) is None


@every_target
def test_published_rows_have_the_figures_of_the_scores(target):
    bound, y, raw, calibration = prepared(target)
    scores = bound.scores(calibration, raw)
    rows, truth = pa.table(bound.catalogue_values(scores)), pa.table(bound.to_columns(y))
    groups = Groups.of(LABELS["class"] if bound.classes else np.full(N, ""))
    published, own = bound.measure_catalogue(rows, truth, "Note."), bound.measure(scores, y, "Note.", groups)
    assert list(published) == list(own) == [part.name for part in bound.parts]
    for name, figures in own.items():
        for one, other in zip(figures, published[name], strict=True):
            assert (one.metric, one.name, one.n, one.note) == (other.metric, other.name, other.n, other.note)
            # the catalogue has float32: an object at the very end of its interval may fall out
            loose = 1.01 / one.n if one.metric.startswith("coverage") else 1e-3
            assert one.value == (other.value and pytest.approx(other.value, rel=1e-3, abs=loose))
    assert bound.measure_catalogue(rows, pa.table({"other": [0.0] * N})) == {}


@every_target
def test_parts_are_measured_on_the_objects_that_have_their_label(target):
    bound, _, raw, calibration = prepared(target)
    y = labels_of(target, missing=True)
    if not isinstance(target, Joint):
        keep = target.is_usable(y)
        y, raw = y[keep], raw[keep]
    for part, own, scores in bound.of_parts(y, bound.scores(calibration, raw)):
        assert part.is_usable(own).all()
        assert part.score_values(scores)[0].value.shape[0] == own.size < N


@every_target
def test_columns_of_a_model_with_fewer_classes_are_put_in_their_place(target):
    bound, y, raw, _ = prepared(target)
    assert np.array_equal(bound.align_to(raw, bound), raw)
    if not bound.classes:
        return
    own = y["class"] if isinstance(target, Joint) else y
    fewer = target.bind(y[own != "ECL"])
    narrow = raw_of(fewer, y, 0.0)
    wide = bound.align_to(narrow, fewer)
    assert wide.shape == (N, bound.width)
    before = sum(part.width for part in bound.parts[: [part.name for part in bound.parts].index("class")])
    assert (wide[:, before + 1] == 0).all() and np.array_equal(np.delete(wide, before + 1, 1), narrow)
    with pytest.raises(ValueError, match="class: the model has the classes ECL, for which there is no column"):
        fewer.align_to(raw, bound)


@every_target
def test_labels_of_one_kind_cannot_be_learnt(target):
    y = labels_of(target)
    assert target.is_learnable(y) and not target.is_learnable(np.repeat(y[:1], N))
    assert target.note(y) == ""
    few = np.concatenate([y[:3], np.repeat(y[3:4], N)])
    assert ("fewer than 5" in target.note(few)) == bool(target.bind(y).classes)
