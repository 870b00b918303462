"""Recipes are complete; a new one is one function and one line; options change no more than they say."""

from dataclasses import replace

import pytest

from schemas import BadInput
from tasks.learning.fit import fit
from tasks.learning.forests import ForestConfig
from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipe import Recipe, config_of, recipe_from_json
from tasks.learning.recipes import RECIPES, STANDARD, recipes_for
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import CLASS, Regression, targets_for
from tests.unit.learning.synthetic_stars import stars

TARGETS = targets_for(["teff_k", "radius_rsun"])


def test_cards_of_another_version_are_one_sentence():
    card = {"name": "forest", "target": "class", "kind": "classifier", "model": "forest", "trees": 300}  # format 1
    with pytest.raises(ValueError, match="its recipe has kind, target, trees; the model is of another version"):
        recipe_from_json(card)
    with pytest.raises(ValueError, match="its recipe has no targets"):
        recipe_from_json({"name": "forest"})
    good = recipes_for(("forest",), TARGETS)[0].to_json()
    with pytest.raises(ValueError, match="there is no target of kind 'Ranking'"):
        recipe_from_json({**good, "targets": [{"kind": "Ranking", "name": "x"}]})


def test_a_recipe_from_outside_is_one_function_and_one_line(monkeypatch):
    def shallow(targets):
        """Few trees with large leaves."""
        return recipes_of("shallow", "forest", targets, ForestConfig(trees=3, min_leaf=30), seeds=(0, 1, 2))

    monkeypatch.setitem(RECIPES, "shallow", shallow)
    (of_class, *others) = recipes_for(("shallow",), TARGETS)
    assert len(others) == 2 and of_class.seeds == (0, 1, 2)
    examples, classes, _ = stars(120)
    assert len(fit(of_class, examples, classes).bodies) == 3
    assert "shallow" not in STANDARD  # it competes where the settings name it


def test_a_model_without_a_recipe_competes_as_its_own_configuration_has_it(monkeypatch):
    monkeypatch.setitem(MODELS, "plain", "tasks.learning.models.forest")
    recipes = recipes_for(("plain",), TARGETS, {"plain": {"trees": 3}})
    assert [(own.name, own.model, own.config) for own in recipes] == [("plain", "plain", ForestConfig(trees=3))] * 3


def test_leaves_are_larger_for_quantities_than_for_classes_and_largest_for_colours():
    recipes = recipes_for(("forest", "colour_forest"), TARGETS)
    leaf = {(own.name, own.target.name): own.config.min_leaf for own in recipes}
    assert leaf["forest", "class"] == 1 and leaf["forest", "teff_k"] == 3
    assert {value for (name, _), value in leaf.items() if name == "colour_forest"} == {5}


def test_options_change_what_they_name_and_no_more():
    plain, changed = (recipes_for(STANDARD, TARGETS, options) for options in ({}, {"forest": {"trees": 7}}))
    for before, after in zip(plain, changed, strict=True):
        assert before == after if before.name != "forest" else replace(before.config, trees=7) == after.config


@pytest.mark.parametrize(
    ("values", "said"),
    [({"trees": "many"}, "trees = 'many'"), ({"trees": 0}, "trees = 0"), ({"tree": 5}, "there is no setting 'tree'")],
)
def test_a_configuration_that_cannot_be_is_one_sentence(values, said):
    with pytest.raises(ValueError, match=f"forest: {said}") as caught:
        config_of("forest", values)
    assert "\n" not in str(caught.value)
    with pytest.raises(BadInput, match="Recipe forest"):
        recipes_for(("forest",), TARGETS, {"forest": values})


def test_a_misspelt_name_is_met_with_the_nearest_one():
    with pytest.raises(BadInput, match=r"There is no recipe 'forrest'; .*\. Did you mean 'forest'\?"):
        recipes_for(("forrest",), TARGETS)
    with pytest.raises(BadInput, match=r"There is no recipe 'LTSM'; .*\. Did you mean 'lstm'\?"):
        recipes_for((), TARGETS, {"LTSM": {}})
    with pytest.raises(BadInput, match=r"Recipe lstm: lstm: there is no setting 'max_pass'; .* 'max_passes'\?"):
        recipes_for(("lstm",), TARGETS, {"lstm": {"max_pass": 3}})
    with pytest.raises(ValueError, match=r"there is no model 'medain'; .*\. Did you mean 'median'\?"):
        spec_of("medain")
    with pytest.raises(BadInput) as caught:
        recipes_for(("xyzzy",), TARGETS)
    assert "Did you mean" not in str(caught.value)  # nothing is near


def test_a_recipe_of_several_targets_is_of_all_together():
    with pytest.raises(ValueError, match=r"a forest learns a Classification or Regression, not class\+teff_k"):
        Recipe("both", (CLASS, Regression.of("teff_k")), "forest", ForestConfig())


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("pair_boosting", {"base": "lstm"}, "pair: lstm is no classifier of features."),
        ("pair_boosting", {"options": [["round", 3]]}, "pair: boosting has no setting 'round'."),
        ("pair_boosting", {"options": [["rounds", 0]]}, "pair: rounds = 0: input should be greater"),
        (
            "folded",
            {"n_bin": 8, "channels": [4, 4, 4, 4]},
            "folded: a kernel of 5 goes more than once around the 1 bins",
        ),
        ("folded", {"n_bin": 16, "kernel": 15}, "folded: a kernel of 15 goes more than once around the 4 bins"),
    ],
)
def test_settings_that_cannot_be_together_are_one_sentence(name, values, said):
    with pytest.raises(BadInput, match=f"^Recipe {name}: {said}") as caught:
        recipes_for((name,), TARGETS, {name: values})
    assert "\n" not in str(caught.value)
