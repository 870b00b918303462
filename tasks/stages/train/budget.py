"""The time that a training may take: recipes are left out before it, and no training is cut short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tasks.learning.recipe import Recipe
from tasks.learning.training_config import BUDGET_CORES, TrainingConfig
from tasks.stages.train.fits import trained_alone
from tasks.stages.train.labels import TargetLabels


def keep_within_budget(every: Sequence[TargetLabels], config: TrainingConfig) -> tuple[list[TargetLabels], list[str]]:
    """The targets with the recipes that the budget has room for, and a sentence for each target that lost some.

    Recipes are taken in as the settings name them, of one recipe the cheapest target first, each where there is room
    for it. Baselines, which cost nothing, the recipe that none may be below, and the only one of a target are always
    in. What is left out depends on labels and settings, not on the machine.
    """
    if config.budget_minutes is None:
        return list(every), []
    seconds = [[_reckon(recipe, labels, config) for recipe in labels.recipes] for labels in every]
    rank = {name: number for number, name in enumerate(config.recipes)}
    spare = 60.0 * BUDGET_CORES * config.budget_minutes
    places = sorted(
        (not _is_needed(recipe, labels), rank.get(recipe.name, 0), seconds[t][r], t, r)
        for t, labels in enumerate(every)
        for r, recipe in enumerate(labels.recipes)
    )
    gone: list[set[int]] = [set() for _ in every]
    for can_go, _, own, t, r in places:
        if can_go and own > max(spare, 0.0):
            gone[t].add(r)
        else:
            spare -= own
    kept = [
        replace(labels, recipes=tuple(each for r, each in enumerate(labels.recipes) if r not in gone[t]))
        for t, labels in enumerate(every)
    ]
    return kept, [_tell(labels, sorted(gone[t]), seconds[t], config) for t, labels in enumerate(every) if gone[t]]


def _is_needed(recipe: Recipe, labels: TargetLabels) -> bool:
    """True for what none may be below, and for the only recipe that is trained."""
    return recipe.spec.is_floor or trained_alone(labels) == [recipe]


def _reckon(recipe: Recipe, labels: TargetLabels, config: TrainingConfig) -> float:
    """Seconds on one core that all trainings of a recipe take, by what its model says."""
    n_folds = labels.n_folds(config)
    n_training = labels.source_id.size * (1 - config.test_fraction) * (1 - 1 / n_folds)
    return recipe.reckon_seconds(n_training) * n_folds


def _tell(labels: TargetLabels, gone: Sequence[int], seconds: Sequence[float], config: TrainingConfig) -> str:
    words = [f"{labels.recipes[r].name} (about {seconds[r] / 60 / BUDGET_CORES:.1f} min)" for r in gone]
    return (
        f"{labels.target.name}: {', '.join(words)} left out, because training.budget_minutes is "
        f"{config.budget_minutes:g}; more minutes, or null, take them in"
    )
