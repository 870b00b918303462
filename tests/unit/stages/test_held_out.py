"""What is said of sources that no model saw: the held-out part for the report, and a truth where there is one."""

import numpy as np
import pytest
from distributed import LocalCluster

from lakehouse.models import ModelPlace, read_card, read_current
from lakehouse.run import Run
from schemas import TABLES
from tasks.learning.training_config import TrainingConfig
from tasks.reporting.data import HeldOutClasses, HeldOutQuantity
from tasks.stages.publish.held_out import read_held_out
from tasks.stages.publish.stage import measure_against_truth
from tasks.stages.score.stage import score_sources
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models
from tests.unit.stages.labelled_lake import DATASET, SHAPES, rows, write_labelled_lake

CONFIG = TrainingConfig(n_folds=2, recipes=("colour_forest",), min_labels=20, quantities=("teff_k",),
                        options={"colour_forest": {"trees": 10}}, interval_level=0.8)  # fmt: skip


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """A lake that is trained and scored, and the run that did it."""
    lake = write_labelled_lake(tmp_path_factory.mktemp("held") / "lake")
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as local:
        run = Run("r1", str(lake.path), DATASET, local.scheduler_address)
        train_models(run, TrainingPlan(CONFIG, has_time=False))
        score_sources(run)
    return lake, run


def metrics(lake, split: str) -> dict[tuple[str, str], dict]:
    found = lake.read("score_model__metric", where={"dataset": DATASET}).to_pylist()
    return {(r["target"], r["metric"]): r for r in found if r["split"] == split and r["class"] == "all"}


def test_the_report_shows_the_held_out_part_that_was_measured(scored):
    lake, run = scored
    cards = {
        target: read_card(run.lake, DATASET, target, model) for target, model in read_current(run.lake, DATASET).items()
    }
    classes, quantity = read_held_out(run, cards)
    assert isinstance(classes, HeldOutClasses) and isinstance(quantity, HeldOutQuantity)
    assert classes.classes == tuple(sorted(SHAPES)) and classes.split == "test"
    hit = (classes.y_pred == classes.y_true).mean()
    assert hit == metrics(lake, "test")["class", "accuracy"]["value"]
    assert len(classes.y_true) == cards["class"]["n_test"] and len(quantity.y) == cards["teff_k"]["n_test"]
    rmse = np.sqrt(np.mean((quantity.mean - quantity.y) ** 2))
    assert rmse == pytest.approx(metrics(lake, "test")["teff_k", "rmse"]["value"])
    assert (quantity.unit, quantity.level, quantity.recipe) == ("K", 0.8, "colour_forest")


def test_the_catalogue_says_how_sure_it_is_and_the_metrics_how_far_that_holds(scored):
    lake, _ = scored
    rows = lake.read("out__catalogue").to_pylist()
    for row in rows:
        assert row["class_set_size"] == len(list(filter(None, row["class_set"].split(";"))))
        assert not row["class_set"] or row["class_set"].split(";")[0] == row["class_pred"]
        assert row["class_smp"] == pytest.approx(1 - max(row[f"prob_{name}"] for name in SHAPES), abs=1e-6)
        assert row["is_training"] or row["class_bald"] is not None  # of two models one alone has not seen it
        assert 0 <= row["novelty_rank"] <= 1 and row["teff_k_lo95"] < row["teff_k_lo"] < row["teff_k_hi"]
    assert any(row["class_bald"] is None for row in rows)
    found = lake.read("score_model__metric", where={"dataset": DATASET, "split": "oof"}).to_pylist()
    bins = {row["metric"] for row in found if row["metric"].startswith("set_coverage:")}
    assert len(bins) == 4 and all(name.endswith(" mag") for name in bins)
    classes = {(row["metric"], row["class"]) for row in found if row["target"] == "teff_k"}
    assert {("coverage", name) for name in ("all", *SHAPES)} | {("coverage_95", "all")} <= classes
    assert {("accuracy:kept 0.5", "all"), ("error_auc", "all")} <= {(row["metric"], row["class"]) for row in found}


def test_only_sources_that_trained_nothing_and_have_no_twin_are_held_against_the_truth(scored):
    lake, run = scored
    catalogue = lake.read("out__catalogue").sort_by("source_id")
    spec, ids = TABLES["label_truth__source"], catalogue["source_id"].to_numpy()
    unseen = ids[~catalogue["is_training"].to_numpy(zero_copy_only=False)]
    twin = np.where(ids == unseen[0], unseen[1], 0)  # neither of the two counts
    guess = catalogue["class_pred"].to_numpy(zero_copy_only=False).astype(str)
    wrong = np.where(ids == unseen[2], np.roll(sorted(SHAPES), 1)[np.searchsorted(sorted(SHAPES), guess)], guess)
    truth = {"class": wrong, "teff_k": catalogue["teff_k"].to_numpy() + 100.0,
             "duplicate_of": [int(other) or None for other in twin]}  # fmt: skip
    lake.overwrite("r1", spec, rows(spec, ids, **truth), {"dataset": DATASET}, stage="acquire")
    measure_against_truth(run, lake, lake.read("out__catalogue"), ModelPlace(run.lake, DATASET))
    found, n = metrics(lake, "truth"), unseen.size - 2
    assert found["class", "accuracy"]["n"] == n and found["class", "accuracy"]["value"] == pytest.approx(1 - 1 / n)
    assert found["teff_k", "rmse"]["value"] == pytest.approx(100, rel=1e-3)
    assert found["class", "accuracy"]["is_chosen"] and "embedded sky" in found["class", "accuracy"]["note"]
