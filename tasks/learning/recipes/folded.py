"""The folded network."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.models.folded.config import FoldedConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Target


def folded(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """Folded curves and all features, for every class and every quantity."""
    return recipes_of("folded", "folded", targets, FoldedConfig())


RECIPES = (folded,)
