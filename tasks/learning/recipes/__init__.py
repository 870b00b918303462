"""Recipes: complete configurations, a file for each paper or purpose, and one line here.

A recipe is a function of the targets that have labels, which returns a complete `Recipe` for each that it is made for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from schemas import BadInput
from schemas.errors import nearest
from tasks.learning.recipe import Recipe, config_of
from tasks.learning.recipes.baselines import majority, median
from tasks.learning.recipes.becker2025 import lstm
from tasks.learning.recipes.forests import balanced_forest, colour_forest, forest
from tasks.learning.targets import Target

RECIPES: dict[str, Callable[[Sequence[Target]], tuple[Recipe, ...]]] = {
    "majority": majority,
    "median": median,
    "colour_forest": colour_forest,
    "forest": forest,
    "balanced_forest": balanced_forest,
    "lstm": lstm,
}

# What competes unless the settings name others.
STANDARD = ("majority", "median", "colour_forest", "forest", "balanced_forest", "lstm")


def recipes_for(
    names: Sequence[str], targets: Sequence[Target], options: Mapping[str, Mapping[str, Any]] | None = None
) -> tuple[Recipe, ...]:
    """The recipes called `names` for `targets`; `options` sets fields of a recipe's configuration otherwise.

    BadInput, with the nearest name there is, for a recipe or a field that does not exist.
    """
    chosen = options or {}
    for name in (*names, *chosen):
        if name not in RECIPES:
            hint = nearest(name, tuple(RECIPES))
            raise BadInput(f"There is no recipe {name!r}; there are {', '.join(RECIPES)}.{hint}")
    return tuple(_set(recipe, chosen.get(name, {})) for name in names for recipe in RECIPES[name](targets))


def _set(recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    if not options:
        return recipe
    try:
        return replace(recipe, config=config_of(recipe.model, asdict(recipe.config) | dict(options)))
    except ValueError as error:
        raise BadInput(f"Recipe {recipe.name}: {error}") from None
