"""The multiband LSTM of Becker et al. 2025 (A&A 694, A183)."""

from __future__ import annotations

from collections.abc import Sequence

from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.recipe import Recipe
from tasks.learning.recipes.recipe_of import recipes_of
from tasks.learning.targets import Target


def lstm(targets: Sequence[Target]) -> tuple[Recipe, ...]:
    """Their architecture, scaled down to what one core trains in minutes."""
    return recipes_of("lstm", "lstm", targets, NetworkConfig())


RECIPES = (lstm,)
