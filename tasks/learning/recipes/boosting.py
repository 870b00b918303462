"""Gradient boosting over the features."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.boosting import BoostingConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Regression, Target


def boosting(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features, of which each tree draws its own: of hundreds a tenth is as good for classes, and half as dear."""
    return recipes_of("boosting", "boosting", targets, BoostingConfig(columns=0.1), {Regression: BoostingConfig()})


RECIPES = (boosting,)
