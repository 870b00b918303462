"""What every recipe must beat."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.spec import NoConfig
from tasks.learning.targets import Target


def majority(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """The class frequencies, for every class."""
    return recipes_of("majority", "majority", targets, NoConfig())


def median(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """The median, for every quantity."""
    return recipes_of("median", "median", targets, NoConfig())


RECIPES = (majority, median)
