"""The time that a training may take: the dearest recipes are left out before it, and no training is cut short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tasks.learning.recipe import Recipe
from tasks.learning.training_config import BUDGET_CORES, TrainingConfig
from tasks.stages.train.fits import trained_alone
from tasks.stages.train.labels import TargetLabels


def keep_within_budget(every: Sequence[TargetLabels], config: TrainingConfig) -> tuple[list[TargetLabels], list[str]]:
    """The targets with the recipes that the budget has room for, and a sentence for each target that lost some.

    Left out is what costs most, whatever its target. Baselines, which cost nothing, always stay, and so do the recipe
    that none may be below, and the last of a target. What stays depends on labels and settings, not on the machine.
    """
    if config.budget_minutes is None:
        return list(every), []
    seconds = [[_reckon(recipe, labels, config) for recipe in labels.recipes] for labels in every]
    spare = 60 * BUDGET_CORES * config.budget_minutes - sum(map(sum, seconds))
    places = [(t, r) for t, own in enumerate(seconds) for r in range(len(own)) if not every[t].recipes[r].spec.is_floor]
    dear: list[set[int]] = [set() for _ in every]
    for t, r in sorted(places, key=lambda place: -seconds[place[0]][place[1]]):
        if spare < 0 < seconds[t][r] and len(dear[t]) + 1 < len(trained_alone(every[t])):
            spare += seconds[t][r]
            dear[t].add(r)
    kept = [
        replace(labels, recipes=tuple(each for r, each in enumerate(labels.recipes) if r not in dear[t]))
        for t, labels in enumerate(every)
    ]
    return kept, [_tell(labels, sorted(dear[t]), seconds[t], config) for t, labels in enumerate(every) if dear[t]]


def _reckon(recipe: Recipe, labels: TargetLabels, config: TrainingConfig) -> float:
    """Seconds on one core that all trainings of a recipe take, by what its model says."""
    n_folds = labels.n_folds(config)
    n_training = labels.source_id.size * (1 - config.test_fraction) * (1 - 1 / n_folds)
    return recipe.spec.reckon_seconds(recipe.config, n_training) * n_folds * len(recipe.seeds)


def _tell(labels: TargetLabels, dear: Sequence[int], seconds: Sequence[float], config: TrainingConfig) -> str:
    words = [f"{labels.recipes[r].name} (about {seconds[r] / 60 / BUDGET_CORES:.1f} min)" for r in dear]
    return (
        f"{labels.target.name}: {', '.join(words)} left out, because training.budget_minutes is "
        f"{config.budget_minutes:g}; more minutes, or null, take them in"
    )
