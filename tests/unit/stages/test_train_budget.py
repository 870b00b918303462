"""The budget of a training takes recipes in as they are named and says what is left out; the forest is always in."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipes import recipes_for
from tasks.learning.spec import Features
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
    return sum(recipe.reckon_seconds(0.64 * each.y.size) for recipe in recipes) * 5 / 120


CLASSES, TEFF = labels(CLASS, 1000), labels(Regression.of("teff_k"), 500)
ALL = [["majority", "colour_forest", "forest", "lstm"], ["median", "colour_forest", "forest"]]


def test_what_is_named_first_comes_in_first_and_then_whatever_there_is_room_for():
    forests = sum(minutes(each, "colour_forest", "forest") for each in (CLASSES, TEFF))
    whole = forests + minutes(CLASSES, "lstm")
    assert kept(None, CLASSES, TEFF) == kept(1.001 * whole, CLASSES, TEFF) == ALL
    assert kept(0.999 * whole, CLASSES, TEFF) == kept(1.001 * forests, CLASSES, TEFF) == [ALL[0][:3], ALL[1]]
    fewer = [["majority", "forest"], ALL[1]]  # of the two that cost the same for a star, that of the most stars
    assert kept(0.999 * forests, CLASSES, TEFF) == fewer
    turned = replace(CONFIG, recipes=NAMES[::-1], budget_minutes=0.999 * whole)
    found, _ = keep_within_budget([CLASSES, TEFF], turned)
    assert [[recipe.name for recipe in each.recipes] for each in found] == [["majority", "forest", "lstm"], ALL[1]]


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
def test_the_cost_of_a_model_follows_objects_columns_and_settings(name):
    spec = spec_of(name)
    one, columns, objects = (
        spec.reckon_seconds(spec.config(), n, width) for n, width in ((1000, 0), (1000, 500), (3000, 0))
    )
    assert one == spec.cost
    reads_all = any(isinstance(need, Features) and not need.declared for need in spec.needs)
    assert (columns > one) == reads_all and (objects > one) == (one > 0)
