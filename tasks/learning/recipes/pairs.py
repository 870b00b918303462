"""Classifiers of a star at each of its candidate periods."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.models.pair import PairConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Target


def pair_boosting(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """Gradient boosting as it is alone."""
    return recipes_of("pair_boosting", "pair", targets, PairConfig("boosting"))


def pair_extra_trees(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """Extremely randomised trees as they are alone."""
    return recipes_of("pair_extra_trees", "pair", targets, PairConfig("extra_trees"))


RECIPES = (pair_boosting, pair_extra_trees)
