"""Random forests over the features, and their kin."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.forests import ForestConfig
from tasks.learning.models.hierarchical_forest import HierarchyConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Regression, Target

# More trees bring nothing. Of held-out embedded stars (839 with a class, decision 21) 100 trees and
# 400 have the same accuracy and macro F1; of quantities each tree tries a third of the columns, so it is dear, and 50
# have the RMSE of 100 within 1.5 %.
OF_CLASSES = ForestConfig(trees=100, min_leaf=1)
OF_QUANTITIES = ForestConfig(trees=50, min_leaf=3)


def forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features; leaves of one object for classes, of three and half of the trees for quantities."""
    return recipes_of("forest", "forest", targets, OF_CLASSES, {Regression: OF_QUANTITIES})


def balanced_forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features, and classes of equal size in every tree."""
    return recipes_of("balanced_forest", "balanced_forest", targets, OF_CLASSES)


def colour_forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """Mean colours alone; leaves of five objects, because few columns overfit sooner."""
    return recipes_of("colour_forest", "colour_forest", targets, ForestConfig(trees=100, min_leaf=5))


def extra_trees(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features; leaves of one object for classes, of three and a third of the trees for quantities."""
    config = ForestConfig(trees=300, min_leaf=1)
    of_quantities = ForestConfig(trees=100, min_leaf=3)
    return recipes_of("extra_trees", "extra_trees", targets, config, {Regression: of_quantities})


def hierarchical_forest(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """All features; periodic, stochastic or transient first, then the classes of each."""
    return recipes_of("hierarchical_forest", "hierarchical_forest", targets, HierarchyConfig())


RECIPES = (colour_forest, forest, balanced_forest, extra_trees, hierarchical_forest)
