"""Published relations: what is known without learning."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.spec import NoConfig
from tasks.learning.targets import Target


def stefan_boltzmann(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """The radius."""
    return recipes_of("stefan_boltzmann", "stefan_boltzmann", targets, NoConfig())


def fourier_metallicity(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """[Fe/H]."""
    return recipes_of("fourier_metallicity", "fourier_metallicity", targets, NoConfig())


RECIPES = (stefan_boltzmann, fourier_metallicity)
