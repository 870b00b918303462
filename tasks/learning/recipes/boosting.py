"""Gradient boosting over the features."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.boosting import BoostingConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Target


def boosting(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features, of which each tree draws its own."""
    return recipes_of("boosting", "boosting", targets, BoostingConfig())


RECIPES = (boosting,)
