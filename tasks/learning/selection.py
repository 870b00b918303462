"""Which recipe the catalogue uses: the best out of fold, unless a simpler one is as good. Baselines can win."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.learning.metrics import ALL, Metric
from tasks.learning.recipe import Kind

SIMPLEST_FIRST = ("majority", "median", "colour_forest", "forest", "balanced_forest", "lstm")
MEASURE = {"classifier": ("macro_f1", True), "regressor": ("rmse", False)}


def choose(metrics: Mapping[str, list[Metric]], kind: Kind, models: Mapping[str, str] | None = None) -> str:
    """Name of the recipe to use, from out-of-fold `metrics` by recipe name.

    Best macro F1 (classifier) or RMSE (regressor); of the recipes inside the best one's 95 % interval the simplest.
    `models` gives the model of each recipe where its name is not the model's own.
    """
    name, larger = MEASURE[kind]
    sign = 1.0 if larger else -1.0
    measured = {recipe: row for recipe, rows in metrics.items() for row in rows
                if (row.metric, row.name) == (name, ALL)}  # fmt: skip
    found = {recipe: (sign * row.value, sign * _nearest(row, larger)) for recipe, row in measured.items()
             if row.value is not None}  # fmt: skip
    if not found:
        raise ValueError(f"choose: none of {len(metrics)} recipes has an out-of-fold {name}; score them first.")
    _, bound = max(found.values())
    ties = [recipe for recipe, (value, _) in found.items() if value >= bound]
    return min(ties, key=lambda recipe: (_complexity((models or {}).get(recipe, recipe)), recipe))


def _nearest(row: Metric, larger: bool) -> float:
    """The worse end of the interval; the value itself where there is none."""
    end = row.lo if larger else row.hi
    return float(row.value or 0.0) if end is None else end


def _complexity(model: str) -> int:
    return SIMPLEST_FIRST.index(model) if model in SIMPLEST_FIRST else len(SIMPLEST_FIRST)
