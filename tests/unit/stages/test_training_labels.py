"""Labels of targets, joint ones included, and the folds and predictions that workers leave on disk."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.models import fold_dir
from lakehouse.run import Run
from schemas import TABLES, Column
from tasks.learning.recipes import recipes_for
from tasks.learning.spec import Offer
from tasks.learning.splits import TEST
from tasks.learning.targets import CLASS, Joint, Regression
from tasks.learning.training_config import TrainingConfig
from tasks.stages.train.folds import (
    PREDICTIONS,
    as_lists,
    as_matrix,
    is_fitted,
    read_labels,
    read_predictions,
    write_labels,
)
from tasks.stages.train.labels import (
    Labelled,
    TargetLabels,
    TrainingPlan,
    group_by_target,
    join_labels,
    leave_out_dependent,
    read_published_folds,
)
from tests.unit.learning.synthetic_stars import recipe
from tests.unit.stages.labelled_lake import DATASET, write_labelled_lake
from tests.unit.stages.labelled_lake import rows as rows_of

TEFF = Regression.of("teff_k")
PLAN = TrainingPlan(TrainingConfig(n_folds=2, recipes=("majority",), quantities=("teff_k",)), seed=3)


def labels_of(n=40):
    y = np.array(["CEP", "RRab"])[np.arange(n) % 2]
    ids = np.arange(1, n + 1) * 10
    nothing = np.full(n, np.nan)
    return TargetLabels(CLASS.bind(y), ids, y, ids * 7, np.arange(n), nothing, recipes_for(("majority",), [CLASS]))


def test_a_source_with_one_of_two_labels_has_a_joint_label():
    joint = Joint((CLASS, TEFF))
    parts = {CLASS: Labelled(np.array([1, 2]), np.array(["CEP", "RRab"])),
             TEFF: Labelled(np.array([2, 3]), np.array([6000.0, 7000.0]), frozenset({"a.b"}))}  # fmt: skip
    found = join_labels(joint, parts)
    assert found.source_id.tolist() == [1, 2, 3] and found.sources == frozenset({"a.b"})
    of_class, of_teff = (found.y[name] for name in found.y.dtype.names)
    assert of_class.tolist() == ["CEP", "RRab", ""]
    np.testing.assert_array_equal(of_teff, [np.nan, 6000.0, 7000.0])
    alone = join_labels(TEFF, parts)
    assert alone.source_id.tolist() == [2, 3] and alone.y.tolist() == [6000.0, 7000.0]
    assert alone.sources == frozenset({"a.b"})


def test_recipes_of_one_target_compete_and_what_is_learnt_jointly_is_not_learnt_alone():
    alone = recipes_for(("majority", "median"), [CLASS, TEFF])
    assert {target.name: [r.name for r in own] for target, own in group_by_target(alone)} == {
        "class": ["majority"], "teff_k": ["median"]
    }  # fmt: skip


def test_columns_computed_from_what_the_labels_came_from_are_left_out():
    def column(name, *sources):
        return Column(name, pa.float32(), "x.", nullable=True, derived_from=sources)

    offer = Offer({"a": column("a", "cat.x"), "b": column("b", "cat.y"), "gone": None})
    assert leave_out_dependent(None, offer) is offer
    assert list(leave_out_dependent(frozenset({"cat.x"}), offer).columns) == ["b"]
    assert list(leave_out_dependent(frozenset(), offer).columns) == ["a", "b"]  # what is not declared is not known


def test_the_fingerprint_changes_with_whatever_a_model_learns_from():
    labels = labels_of()
    before = labels.fingerprint(PLAN)
    assert labels_of().fingerprint(PLAN) == before and labels.model_id(PLAN) == f"class-{before}"
    others = [
        replace(labels, y=labels.y[::-1]),
        replace(labels, feature_hash=labels.feature_hash + 1),
        replace(labels, source_id=labels.source_id + 1),
        replace(labels, recipes=()),
    ]
    plans = [replace(PLAN, seed=4), replace(PLAN, config=replace(PLAN.config, n_folds=3))]
    found = {each.fingerprint(PLAN) for each in others} | {labels.fingerprint(plan) for plan in plans}
    assert len(found) == 6 and before not in found
    when = replace(PLAN, config=replace(PLAN.config, when="missing"))
    assert labels.fingerprint(when) == before  # when to train again does not say what is learnt


def test_labels_and_folds_come_back_as_they_were_written(tmp_path):
    run = Run("r1", str(tmp_path), "tiny", "")
    labels = labels_of()
    folder = write_labels(run, labels, PLAN)
    table, about = read_labels(folder)
    assert table["source_id"].to_pylist() == labels.source_id.tolist()
    assert CLASS.from_columns(table).tolist() == labels.y.tolist() and about["recipes"][0]["name"] == "majority"
    assert set(table["fold"].to_pylist()) == {TEST, 0, 1}
    assert write_labels(run, labels, PLAN) == folder and read_labels(folder)[0].equals(table)


def test_published_folds_are_taken_as_they_are(tmp_path):
    published = np.where(np.arange(40) < 4, TEST, np.arange(40) % 3)
    labels = replace(labels_of(), published=published)
    assert labels.n_folds(PLAN.config) == 3 and labels_of().n_folds(PLAN.config) == 2
    table, about = read_labels(write_labels(Run("r", str(tmp_path), "tiny", ""), labels, PLAN))
    assert table["fold"].to_pylist() == published.tolist()
    assert about["note"] == "On the 3 published folds; 4 held out."
    assert labels.fingerprint(PLAN) != labels_of().fingerprint(PLAN)


def test_the_folds_of_the_lake_are_those_of_the_labelled_sources(tmp_path):
    lake = write_labelled_lake(tmp_path / "lake", n=6)
    assert read_published_folds(lake, DATASET, np.array([10, 20])) is None
    ids = np.array([10, 20, 30, 50])
    lake.append("r", TABLES["label_sample__fold"], rows_of(TABLES["label_sample__fold"], ids, fold=[4, 8, 4, 9]))
    assert read_published_folds(lake, DATASET, np.array([20, 30, 40])).tolist() == [1, 0, TEST]
    assert read_published_folds(lake, DATASET, np.array([10, 30])) is None  # one fold of these: no folds to train on


def test_predictions_are_out_of_fold_and_the_mean_of_all_models_for_the_held_out(tmp_path):
    fold = np.array([0, 1, TEST, 0], np.int8)
    for k, (rows, values) in enumerate([([0, 3, 2], [1.0, 4.0, 10.0]), ([1, 2], [2.0, 20.0])]):
        folder = fold_dir(tmp_path / "forest", k)
        assert not is_fitted(tmp_path, "forest", k)
        folder.mkdir(parents=True)
        raw = np.column_stack([values, np.negative(values)])
        pq.write_table(pa.table({"row": rows, "prediction": as_lists(raw)}), folder / PREDICTIONS)
        assert is_fitted(tmp_path, "forest", k)
    found = read_predictions(tmp_path, recipe("forest", TEFF), TEFF, 2, fold)
    np.testing.assert_array_equal(found, [[1, -1], [2, -2], [15, -15], [4, -4]])


@pytest.mark.parametrize("shape", [(3, 2), (1, 5)])
def test_matrices_come_back_from_their_columns(shape):
    raw = np.arange(np.prod(shape), dtype=float).reshape(shape)
    column = pa.chunked_array([as_lists(raw)])
    assert column.length() == shape[0]
    np.testing.assert_array_equal(as_matrix(column), raw)
