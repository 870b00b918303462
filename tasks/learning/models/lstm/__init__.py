"""The multiband LSTM of Becker et al. 2025 (A&A 694, A183): a network per band, and one that reads them in time.

A curve longer than `max_per_band` is learned through a random window in each pass and scored by the mean over its
first, middle and last windows. `network` lists what differs from the paper.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples
from tasks.learning.models.lstm.body import Network, build_network, fit_network
from tasks.learning.recipe import Recipe


def fit(recipe: Recipe, examples: Examples, y: NDArray[np.int64], n_class: int, weight: NDArray | None) -> Network:
    """Network of codes y (S,); part of the examples is set aside by object to decide when to stop."""
    if recipe.network is None:
        raise ValueError(f"recipe {recipe.name}: an lstm needs a network and light curves; use a forest without them.")
    return fit_network(recipe.network, n_class, examples, y, weight, recipe.seed)


def build(recipe: Recipe, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Network:
    """Network of stored arrays; ValueError where they do not fit the recipe."""
    if recipe.network is None:
        raise ValueError(f"recipe {recipe.name}: the model card has no network settings.")
    return build_network(recipe.network, settings, arrays)
