"""The budget of a training leaves out the dearest recipes before it, says so, and never the forest or a baseline."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipes import recipes_for
from tasks.learning.targets import CLASS, Regression
from tasks.learning.training_config import TrainingConfig
from tasks.stages.train.budget import keep_within_budget
from tasks.stages.train.labels import TargetLabels

NAMES = ("majority", "median", "colour_forest", "forest", "lstm")
CONFIG = TrainingConfig(n_folds=5, recipes=NAMES)


def labels(target, n: int, **options) -> TargetLabels:
    ids = np.arange(n)
    return TargetLabels(target, ids, ids, ids, ids, ids, recipes_for(NAMES, (target,), options))


def kept(budget, *every) -> list[list[str]]:
    found, _ = keep_within_budget(every, replace(CONFIG, budget_minutes=budget))
    return [[recipe.name for recipe in each.recipes] for each in found]


def minutes(each: TargetLabels, *names: str) -> float:
    """On two cores, of all folds of the recipes `names`."""
    recipes = [recipe for recipe in each.recipes if recipe.name in names]
    return sum(r.spec.reckon_seconds(r.config, 0.64 * each.y.size) for r in recipes) * 5 / 120


CLASSES, TEFF = labels(CLASS, 1000), labels(Regression.of("teff_k"), 500)
ALL = [["majority", "colour_forest", "forest", "lstm"], ["median", "colour_forest", "forest"]]


def test_the_dearest_go_first_and_no_more_than_must():
    forests = sum(minutes(each, "colour_forest", "forest") for each in (CLASSES, TEFF))
    whole = forests + minutes(CLASSES, "lstm")
    assert kept(None, CLASSES, TEFF) == kept(1.001 * whole, CLASSES, TEFF) == ALL
    assert kept(0.999 * whole, CLASSES, TEFF) == kept(1.001 * forests, CLASSES, TEFF) == [ALL[0][:3], ALL[1]]
    fewer = [["majority", "forest"], ALL[1]]  # of the two that cost the same for a star, that of the most stars
    assert kept(0.999 * forests, CLASSES, TEFF) == fewer


def test_the_forest_the_baselines_and_the_last_recipe_of_a_target_stay():
    assert kept(1e-6, CLASSES, TEFF) == [["majority", "forest"], ["median", "forest"]]
    lonely = replace(CLASSES, recipes=CLASSES.recipes[-1:])
    assert kept(1e-6, lonely) == [["lstm"]]


def test_what_is_left_out_is_said_with_what_it_costs():
    _, notes = keep_within_budget([CLASSES, TEFF], replace(CONFIG, budget_minutes=2.0))
    assert len(notes) == 1 and notes[0].startswith("class: lstm (about 3.2 min) left out")
    assert "training.budget_minutes is 2; more minutes, or null, take them in" in notes[0]


def test_settings_that_cost_less_count_less():
    short = labels(CLASS, 1000, lstm={"max_passes": 5})
    assert kept(2.0, CLASSES) == [ALL[0][:3]] and kept(2.0, short) == ALL[:1]


@pytest.mark.parametrize("name", MODELS)
def test_the_effort_of_a_model_is_one_of_its_settings(name):
    spec = spec_of(name)
    assert spec.reckon_seconds(spec.config(), 1000) == spec.cost
    assert not spec.effort or getattr(spec.config(), spec.effort) > 0
