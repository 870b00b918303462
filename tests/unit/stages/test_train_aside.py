"""Recipes trained aside of a refresh: the better model scores, and a refresh leaves it until the data change."""

from dataclasses import replace

import numpy as np

from lakehouse.models import read_card, read_cards, read_current
from lakehouse.run import Run
from tasks.learning.training_config import TrainingConfig
from tasks.stages.train.labels import TrainingPlan, read_target_labels
from tasks.stages.train.stage import train_models
from tests.unit.stages.labelled_lake import DATASET, write_labels

CONFIG = TrainingConfig(n_folds=2, recipes=("majority",), min_labels=20, quantities=(),
                        options={"colour_forest": {"trees": 10}})  # fmt: skip
POOR = TrainingPlan(CONFIG, has_time=False)
GOOD = replace(POOR, config=replace(CONFIG, recipes=("colour_forest",)))


def current(run: Run) -> dict:
    return read_card(run.lake, DATASET, "class", read_current(run.lake, DATASET)["class"])


def test_a_better_model_scores_until_the_labels_change(run, lake):
    train_models(run, POOR)
    done = train_models(run, GOOD, aside=True)
    assert done.done == 1 and done.notes == () and current(run)["recipe"]["name"] == "colour_forest"
    assert current(run)["figure"]["metric"] == "macro_f1" and current(run)["merit"] > 0.7
    assert train_models(run, GOOD, aside=True).done == 0  # there is one of it
    assert train_models(run, POOR).done == 0 and current(run)["recipe"]["name"] == "colour_forest"
    write_labels(lake, np.arange(1, 101) * 10, np.arange(100) % 3)
    assert train_models(run, POOR).done == 1 and current(run)["recipe"]["name"] == "majority"


def test_a_model_that_is_no_better_is_kept_and_does_not_score(run, lake):
    train_models(run, GOOD)
    before, metrics = current(run), lake.read("score_model__metric")
    done = train_models(run, POOR, aside=True)
    assert done.done == 1 and done.tables == () and current(run) == before
    (note,) = done.notes
    assert note.startswith("class: majority (macro_f1 0.") and "is no better than colour_forest (macro_f1 " in note
    assert lake.read("score_model__metric").equals(metrics)
    assert sorted(card["recipe"]["name"] for card in read_cards(lake)) == ["colour_forest", "majority"]
    assert train_models(run, POOR).done == 1 and current(run)["recipe"]["name"] == "majority"  # now it is asked for


def test_seeds_are_more_models_of_a_recipe_but_not_of_a_baseline(run, lake):
    plan = replace(GOOD, seed=7, config=replace(CONFIG, recipes=("majority", "colour_forest"), n_seeds=3))
    (labels,) = read_target_labels(lake, run, plan)
    assert {recipe.name: recipe.seeds for recipe in labels.recipes} == {"majority": (7,), "colour_forest": (7, 8, 9)}
