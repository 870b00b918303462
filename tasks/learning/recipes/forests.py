"""Random forests over the features, and their kin."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.forests import ForestConfig
from tasks.learning.models.hierarchical_forest import HierarchyConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Regression, Target

OF_QUANTITIES = ForestConfig(trees=100, min_leaf=3)  # each tree tries a third of the columns, so it is dear


def forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features; leaves of one object for classes, of three and a third of the trees for quantities."""
    config = ForestConfig(trees=300, min_leaf=1)
    return recipes_of("forest", "forest", targets, config, {Regression: OF_QUANTITIES})


def balanced_forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features, and classes of equal size in every tree."""
    return recipes_of("balanced_forest", "balanced_forest", targets, ForestConfig(trees=300, min_leaf=1))


def colour_forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """Mean colours alone; leaves of five objects, because few columns overfit sooner."""
    return recipes_of("colour_forest", "colour_forest", targets, ForestConfig(trees=300, min_leaf=5))


def extra_trees(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features; leaves of one object for classes, of three and a third of the trees for quantities."""
    config = ForestConfig(trees=300, min_leaf=1)
    return recipes_of("extra_trees", "extra_trees", targets, config, {Regression: OF_QUANTITIES})


def hierarchical_forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features; periodic, stochastic or transient first, then the classes of each."""
    return recipes_of("hierarchical_forest", "hierarchical_forest", targets, HierarchyConfig())


RECIPES = (colour_forest, forest, balanced_forest, extra_trees, hierarchical_forest)
