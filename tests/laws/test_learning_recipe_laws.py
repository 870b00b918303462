"""What holds of every registered recipe, for every target that it is made for."""

import json
from dataclasses import MISSING, asdict, fields, is_dataclass, replace

import pytest
from pydantic import TypeAdapter

from schemas import BadInput
from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipe import Recipe, config_of, recipe_from_json
from tasks.learning.recipes import RECIPES, STANDARD, recipes_for
from tasks.learning.targets import CLASS, targets_for
from tests.laws.learning_cases import OFFER

TARGETS = targets_for(["teff_k", "radius_rsun", "feh_dex"])
EVERY = recipes_for(tuple(RECIPES), TARGETS)
every_recipe = pytest.mark.parametrize("own", EVERY, ids=lambda own: f"{own.name}-{own.target.name}")


@every_recipe
def test_a_recipe_is_complete(own):
    assert own.name in RECIPES and own.model in MODELS and own.spec.can_learn(own.target)
    assert is_dataclass(own.config) and type(own.config) is own.spec.config
    assert all(each.default is not MISSING for each in fields(own.config))  # an option may be given alone
    assert config_of(own.model, asdict(own.config)) == own.config  # within the limits of each setting
    assert hash(own) == hash(replace(own)) and own.columns == ()


@every_recipe
def test_a_card_gives_the_recipe_back_to_the_letter(own):
    complete = replace(own.complete_for(OFFER), seeds=(3, 1))
    card = json.dumps(complete.to_json(), allow_nan=False)
    again = recipe_from_json(json.loads(card))
    assert again == complete and json.dumps(again.to_json()) == card


@every_recipe
def test_completing_twice_is_completing_once(own):
    complete = own.complete_for(OFFER)
    assert complete.complete_for(OFFER) == complete
    assert complete.columns == own.spec.columns(OFFER) and complete.config == own.config
    assert own.complete_for(OFFER, 10).seeds == tuple(10 + seed for seed in own.seeds)
    few = replace(own, columns=("another",))
    assert few.complete_for(OFFER).columns == ("another",)  # what is given stays


@every_recipe
def test_each_setting_can_be_set_as_it_is_and_not_to_nonsense(own):
    for name, value in asdict(own.config).items():
        (same,) = recipes_for((own.name,), own.targets, {own.name: {name: value}})
        assert same == own
        with pytest.raises(BadInput, match=f"Recipe {own.name}: {own.model}: {name} = "):
            recipes_for((own.name,), own.targets, {own.name: {name: {"no": "sense"}}})
    with pytest.raises(BadInput, match=f"Recipe {own.name}: {own.model}: there is no setting 'no_such'"):
        recipes_for((own.name,), own.targets, {own.name: {"no_such": 1}})


@every_recipe
def test_settings_are_plain_values_that_a_form_can_show(own):
    schema = TypeAdapter(own.spec.config).json_schema()
    assert set(schema.get("properties", {})) == set(asdict(own.config))
    plain = json.loads(json.dumps(asdict(own.config), allow_nan=False))
    assert config_of(own.model, plain) == own.config


@every_recipe
def test_a_changed_recipe_is_another_one(own):
    changed = [replace(own, seeds=(5,)), replace(own, columns=("x",)), replace(own, name="other")]
    assert len({own, *changed}) == 4
    for seeds in ((), (2, 2)):
        with pytest.raises(ValueError, match=f"recipe {own.name}: the seeds are "):
            replace(own, seeds=seeds)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_takes_the_targets_that_its_model_can_learn_and_leaves_the_others(name):
    made = RECIPES[name](TARGETS)
    assert [own.target for own in made] == [target for target in TARGETS if made[0].spec.can_learn(target)]
    assert RECIPES[name](()) == () and {own.name for own in made} == {name}
    backwards = RECIPES[name](TARGETS[::-1])
    assert set(backwards) == set(made)


@pytest.mark.parametrize("name", RECIPES)
def test_options_of_one_recipe_leave_the_others(name):
    others = tuple(other for other in RECIPES if other != name)
    (first, *_) = RECIPES[name](TARGETS)
    options = {name: asdict(first.config)}
    assert recipes_for(others, TARGETS, options) == recipes_for(others, TARGETS)


def test_every_model_has_a_recipe_and_every_target_two_that_compete():
    assert {own.model for own in EVERY} == set(MODELS) and set(STANDARD) <= set(RECIPES)
    for target in TARGETS:
        competing = [own for own in recipes_for(STANDARD, TARGETS) if own.target == target]
        ranked = sorted(competing, key=lambda own: own.spec.simplicity)
        assert len(competing) >= 2 and not ranked[0].spec.needs  # the simplest needs nothing: a baseline


@pytest.mark.parametrize("name", MODELS)
def test_a_config_of_another_model_is_refused(name):
    own = spec_of(name)
    others = {spec_of(other).config for other in MODELS} - {own.config}
    target = next(target for target in TARGETS if own.can_learn(target))
    for config in others:
        with pytest.raises(ValueError, match=f"recipe r: a {name} is set by a {own.config.__name__}, not by a "):
            Recipe("r", (target,), name, config())


def test_names_are_taken_in_the_order_given():
    assert [own.name for own in recipes_for(tuple(RECIPES)[::-1], (CLASS,))] == [
        name for name in tuple(RECIPES)[::-1] if RECIPES[name]((CLASS,))
    ]
