"""The train stage on a tiny lake: what is trained, when again, and that models from outside run through it."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from lakehouse.disk import write_json
from lakehouse.models import model_dir, read_card, read_current
from schemas import BadInput
from tasks.learning.models import MODELS
from tasks.learning.recipes import RECIPES
from tasks.learning.training_config import TrainingConfig
from tasks.stages.score.models import scored_columns, scorers_of
from tasks.stages.score.stage import score_sources
from tasks.stages.train.labels import TrainingPlan
from tasks.stages.train.stage import train_models
from tests.unit.learning import joint_neighbours
from tests.unit.stages.labelled_lake import DATASET, READ, write_labels

FORESTS = ("majority", "median", "colour_forest", "forest", "lstm")
CONFIG = TrainingConfig(n_folds=2, recipes=FORESTS, min_labels=20, quantities=("teff_k", "feh_dex"),
                        options={"forest": {"trees": 10}, "colour_forest": {"trees": 10}})  # fmt: skip
PLAN = TrainingPlan(CONFIG, seed=3, has_time=False)


def changed(plan: TrainingPlan, **fields) -> TrainingPlan:
    return replace(plan, config=replace(plan.config, **fields))


def metrics(lake, **where):
    return lake.read("score_model__metric", where={"dataset": DATASET, **where}).to_pylist()


def test_every_target_with_labels_is_trained_by_what_the_dataset_can_feed(run, lake):
    done = train_models(run, PLAN)
    assert (done.done, done.total) == (2, 2) and set(read_current(run.lake, DATASET)) == {"class", "teff_k"}
    recipes = {(row["target"], row["recipe"]) for row in metrics(lake)}
    of_class = {("class", name) for name in ("majority", "colour_forest", "forest")}  # without times no network
    assert recipes == of_class | {("teff_k", name) for name in ("median", "colour_forest", "forest")}
    chosen = {row["target"]: row["recipe"] for row in metrics(lake) if row["is_chosen"]}
    assert "majority" not in chosen.values() and "median" not in chosen.values()
    card = read_card(run.lake, DATASET, "class", read_current(run.lake, DATASET)["class"])
    assert card["classes"] == ["CEP", "ECL", "RRab"] and set(card["features"]) <= set(READ)
    labels = pq.read_table(model_dir(run.lake, DATASET, "class", card["model_id"]) / "labels.parquet")
    assert labels.num_rows == card["n_labelled"] == 80 and (labels["fold"].to_numpy() == -1).sum() == card["n_test"]
    assert not list((lake.path / "work" / DATASET).iterdir())


def test_nothing_is_trained_twice_and_new_labels_are(run, lake):
    train_models(run, PLAN)
    before = read_current(run.lake, DATASET)
    assert train_models(run, PLAN).done == 0 and read_current(run.lake, DATASET) == before
    write_labels(lake, np.arange(1, 101) * 10, np.arange(100) % 3)
    kept = train_models(run, changed(PLAN, when="missing"))
    assert kept.done == 0 and "+20 labels" in kept.notes[0] and "training.when=stale" in kept.notes[0]
    again = train_models(run, PLAN)
    assert again.done == 1 and read_current(run.lake, DATASET)["teff_k"] == before["teff_k"]
    assert read_current(run.lake, DATASET)["class"] != before["class"]
    assert {row["target"] for row in metrics(lake)} == {"class", "teff_k"}


def test_a_target_that_is_no_longer_wanted_scores_no_more(run):
    train_models(run, PLAN)
    train_models(run, changed(PLAN, quantities=()))
    assert set(read_current(run.lake, DATASET)) == {"class"}


def test_too_few_labels_and_strange_recipes_are_said(run):
    done = train_models(run, changed(PLAN, min_labels=100))
    assert done.total == 0 and "no target has 100 labels" in done.notes[0]
    with pytest.raises(BadInput, match="There is no recipe 'turbo'"):
        train_models(run, changed(PLAN, recipes=("turbo",)))


def test_models_of_another_version_are_refused_and_trained_anew_even_if_only_missing_ones_are(run):
    train_models(run, PLAN)
    models = read_current(run.lake, DATASET)
    path = model_dir(run.lake, DATASET, "class", models["class"]) / "card.json"
    card = json.loads(path.read_text())
    old = {name: value for name, value in card.items() if name not in ("format", "bound_target")}
    write_json(path, {**old, "classes": ["CEP"], "recipe": {"name": "forest", "kind": "classifier", "trees": 10}})
    with pytest.raises(BadInput, match=r"was written by another version.*run `argelander refresh`"):
        scored_columns(run, models)
    with pytest.raises(BadInput, match="was written by another version"):
        score_sources(run)
    done = train_models(run, changed(PLAN, when="missing"))
    assert done.done == 1 and "of another version" in done.notes[0]
    assert [scorer.target.name for scorer in scorers_of(run, read_current(run.lake, DATASET))] == ["teff_k", "class"]


def test_a_joint_model_from_outside_trains_and_scores_with_one_file_and_one_line(run, lake, monkeypatch):
    monkeypatch.setitem(MODELS, joint_neighbours.SPEC.name, joint_neighbours.__name__)
    monkeypatch.setitem(RECIPES, joint_neighbours.SPEC.name, joint_neighbours.joint_neighbours)
    train_models(run, PLAN)
    done = train_models(run, changed(PLAN, recipes=(*FORESTS, joint_neighbours.SPEC.name)))
    assert done.done == 1 and list(read_current(run.lake, DATASET)) == [
        "class+teff_k"
    ]  # what is learnt jointly, not alone
    assert {(row["target"], row["recipe"]) for row in metrics(lake)} == {
        ("class", "joint_neighbours"), ("teff_k", "joint_neighbours")
    }  # fmt: skip
    card = read_card(run.lake, DATASET, *next(iter(read_current(run.lake, DATASET).items())))
    assert card["n_labelled"] == 120  # one of two labels is enough
    scored = score_sources(run)
    assert scored.done == 120 and score_sources(run).done == 0
    catalogue, history = lake.read("out__catalogue"), lake.read("score__value")
    assert {"class_pred", "prob_CEP", "prob_ECL", "prob_RRab", "teff_k", "teff_k_lo"} <= set(catalogue.column_names)
    assert catalogue["teff_k"].null_count == 0 and pc.all(catalogue["is_training"]).as_py() is False
    assert history.num_rows == 120 * (3 + 1) and set(history["target"].to_pylist()) == {"class", "teff_k"}
    of_field = catalogue.schema.field("teff_k").metadata
    assert of_field[b"unit"] == b"K"
