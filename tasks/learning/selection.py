"""Which recipe the catalogue uses: the best out of fold, whichever it is. Baselines can win."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.learning.metrics import ALL, Metric
from tasks.learning.recipe import Kind

SIMPLEST_FIRST = ("majority", "median", "colour_forest", "forest", "balanced_forest", "lstm")
MEASURE = {"classifier": ("macro_f1", True), "regressor": ("rmse", False)}


def choose(metrics: Mapping[str, list[Metric]], kind: Kind, models: Mapping[str, str] | None = None) -> str:
    """Name of the recipe to use, from out-of-fold `metrics` by recipe name.

    Best macro F1 (classifier) or RMSE (regressor), at equal figures the simplest; a baseline can win.
    `models` gives the model of each recipe where its name is not the model's own.
    """
    name, larger = MEASURE[kind]
    sign = 1.0 if larger else -1.0
    found = {recipe: sign * row.value for recipe, rows in metrics.items() for row in rows
             if (row.metric, row.name) == (name, ALL) and row.value is not None}  # fmt: skip
    if not found:
        raise ValueError(f"choose: none of {len(metrics)} recipes has an out-of-fold {name}; score them first.")
    known = models or {}
    return max(found, key=lambda recipe: (found[recipe], -_complexity(known.get(recipe, recipe)), recipe))


def _complexity(model: str) -> int:
    return SIMPLEST_FIRST.index(model) if model in SIMPLEST_FIRST else len(SIMPLEST_FIRST)
