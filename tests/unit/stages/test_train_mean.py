"""Two recipes give a mean, which is chosen where it is better, and scores the catalogue as it was measured."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from distributed import LocalCluster

from lakehouse.models import fold_dir, model_dir, read_card, read_current
from lakehouse.run import Run
from tasks.learning.persistence import load
from tasks.learning.training_config import TrainingConfig
from tasks.stages.score.models import recipes_of_models
from tasks.stages.score.stage import score_sources
from tasks.stages.train.folds import as_matrix
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models
from tests.unit.stages.labelled_lake import DATASET, write_labelled_lake
from tests.unit.stages.noisy_models import COLUMN, register

NOISY = ("noisy_a", "noisy_b", "noisy_c")
PLAN = TrainingPlan(
    TrainingConfig(n_folds=2, recipes=("majority", "median", "mean"), min_labels=20, quantities=("teff_k",)),
    has_time=False,
)


@pytest.fixture
def lake(tmp_path, monkeypatch):
    register(monkeypatch, NOISY)
    return write_labelled_lake(tmp_path / "lake", n=900)


@pytest.fixture
def run(lake):
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as local:
        yield Run("r1", str(lake.path), DATASET, local.scheduler_address)


def plan_with(*recipes: str, **options) -> TrainingPlan:
    config = replace(PLAN.config, recipes=(*PLAN.config.recipes, *recipes), options=options)
    return replace(PLAN, config=config)


def out_of_fold(lake, target: str) -> dict[str, dict]:
    """Rows of the deciding metric, by recipe."""
    rows = lake.read("score_model__metric", where={"dataset": DATASET, "target": target, "split": "oof"}).to_pylist()
    return {row["recipe"]: row for row in rows if row["metric"] in ("macro_f1", "rmse") and row["class"] == "all"}


def test_the_mean_is_chosen_where_it_is_better_and_the_catalogue_is_of_it(run, lake):
    train_models(run, plan_with(*NOISY))
    models = read_current(run.lake, DATASET)
    assert {recipe.name for recipe in recipes_of_models(run, models).values()} == {"mean"}
    score_sources(run)
    catalogue = lake.read("out__catalogue").sort_by("source_id")
    for target, model_id in models.items():
        card, measured = read_card(run.lake, DATASET, target, model_id), out_of_fold(lake, target)
        members = card["recipe"]["config"]["members"]
        assert set(members) == set(NOISY) == {each["name"] for each in card["recipe"]["members"]}
        assert card["features"] == [COLUMN] or COLUMN in card["features"]
        assert card["choice"]["runner_up"] in NOISY and card["choice"]["margin"] > card["choice"]["spread"] > 0
        assert measured["mean"]["is_chosen"] and not measured["noisy_a"]["is_chosen"]
        folder = model_dir(run.lake, DATASET, target, model_id)
        assert [len(load(fold_dir(folder, k)).bodies) for k in (0, 1)] == [3, 3]
        labels = pq.read_table(folder / "labels.parquet")
        place = np.searchsorted(catalogue["source_id"].to_numpy(), labels["source_id"].to_numpy())
        raw = as_matrix(labels["prediction"])
        if target == "teff_k":  # scored as it was measured, out of fold and held out
            np.testing.assert_allclose(catalogue["teff_k"].to_numpy()[place], raw[:, 0], rtol=1e-6)
        else:
            best = np.array(card["classes"])[raw.argmax(1)]
            assert (catalogue["class_pred"].to_numpy(zero_copy_only=False)[place] == best).mean() > 0.98
    assert score_sources(run).done == 0 and train_models(run, plan_with(*NOISY)).done == 0


def test_a_mean_that_cannot_be_made_is_left_out_with_its_reason(run, lake):
    train_models(run, plan_with("noisy_a"))
    rows = out_of_fold(lake, "class")
    assert rows["noisy_a"]["is_chosen"] and rows["mean"]["value"] is None
    assert "no two recipes are better together" in rows["mean"]["note"]
    train_models(run, plan_with("noisy_a", "noisy_b", mean={"members": ["noisy_a", "lstm"]}))
    assert "fewer than two of its members (noisy_a, lstm)" in out_of_fold(lake, "class")["mean"]["note"]
