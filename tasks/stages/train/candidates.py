"""What competes for a target once its recipes are trained: they, and the means that are made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.learning.members import choose_members
from tasks.learning.recipe import Recipe
from tasks.stages.train.fits import Failure, trained_alone
from tasks.stages.train.folds import read_predictions
from tasks.stages.train.labels import TargetLabels, TrainingPlan

NO_MEAN = "Left out: no two recipes are better together, by more than the spread, than the best of them alone."
FEW_MEMBERS = "Left out: fewer than two of its members ({}) were trained for this target."


@dataclass(frozen=True)
class Candidates:
    """Recipes, complete with their members, their raw predictions (S, W) by name, and why others are left out."""

    recipes: list[Recipe]
    predictions: dict[str, NDArray[np.float64]]
    left_out: dict[str, Failure | str]


def read_candidates(
    folder: Path, labels: TargetLabels, plan: TrainingPlan, fold: NDArray[np.int8], failures: Mapping[str, Failure]
) -> Candidates:
    """The recipes that were trained in `folder`, without those of the `failures`, and what is joined of them."""
    target, config = labels.target, plan.config

    def read(recipe: Recipe) -> NDArray[np.float64]:
        return read_predictions(folder, recipe, target, labels.n_folds(plan.config), fold)

    trained = [recipe for recipe in trained_alone(labels) if recipe.name not in failures]
    found = Candidates([*trained], {recipe.name: read(recipe) for recipe in trained}, {**failures})
    for recipe in labels.recipes:
        if recipe.spec.is_joined:
            names = recipe.config.members
            members = choose_members(names, trained, target, found.predictions, labels.y, fold, config.levels)
            if len(members) < 2:
                found.left_out[recipe.name] = FEW_MEMBERS.format(", ".join(names)) if names else NO_MEAN
                continue
            found.recipes.append(recipe.join(members))
            found.predictions[recipe.name] = read(found.recipes[-1])
    return found
