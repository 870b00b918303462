"""Recipes: complete configurations, a file for each paper or purpose, and one line here.

A recipe is a function of the targets that have labels, which returns a complete `Recipe` for each that it is made for.
A model without a recipe of its name competes with the defaults of its own configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from importlib import import_module
from typing import Any

from schemas import BadInput
from schemas.errors import nearest
from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipe import Recipe, config_of
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Target

MakeRecipes = Callable[[Sequence[Target]], tuple[Recipe, ...]]

# Modules of this folder, each with a tuple RECIPES of its functions.
FILES = (
    "baselines",
    "forests",
    "boosting",
    "pairs",
    "physics",
    "becker2025",
    "folded",
    "means",
)
RECIPES: dict[str, MakeRecipes] = {
    make.__name__: make for file in FILES for make in import_module(f"{__name__}.{file}").RECIPES
}

# What competes unless the settings name others. A budget takes in the first first: those that win most for their time.
STANDARD = ("majority", "median", "forest", "boosting", "colour_forest", "folded", "mean")


def recipes_for(
    names: Sequence[str], targets: Sequence[Target], options: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Recipe, ...]:
    """The recipes called `names` for `targets`; `options` sets fields of a recipe's configuration otherwise.

    BadInput, with the nearest name there is, for a recipe or a field that does not exist.
    """
    chosen, every = options or {}, {**dict.fromkeys(MODELS), **RECIPES}
    for name in (*names, *chosen):
        if name not in every:
            hint = nearest(name, tuple(every))
            raise BadInput(f"There is no recipe {name!r}; there are {', '.join(every)}.{hint}")
    recipes = {name: (RECIPES[name] if name in RECIPES else _default_of(name))(targets) for name in names}
    return tuple(_set(recipe, chosen.get(name, {})) for name in names for recipe in recipes[name])


def _default_of(model: str) -> MakeRecipes:
    """The recipe of a model as its own configuration has it."""
    return lambda targets: recipes_of(model, model, targets, spec_of(model).config())


def _set(recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    if not options:
        return recipe
    try:
        return replace(recipe, config=config_of(recipe.model, asdict(recipe.config) | dict(options)))
    except ValueError as error:
        raise BadInput(f"Recipe {recipe.name}: {error}") from None
