"""Means of the other recipes that compete for a target."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.models.mixture import MixtureConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Target


def mean(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """The mean of the best of each kind of model, as many as help out of fold."""
    return recipes_of("mean", "mixture", targets, MixtureConfig())


RECIPES = (mean,)
