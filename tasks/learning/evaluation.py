"""From the predictions of every recipe to the one the catalogue uses, its calibration, and all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.learning.calibration import Levels
from tasks.learning.coverage import Groups
from tasks.learning.metrics import Metric
from tasks.learning.recipe import Recipe
from tasks.learning.selection import Choice, Merit, choose
from tasks.learning.splits import TEST
from tasks.learning.targets import Calibration, Target

OUT_OF_FOLD, HELD_OUT = "oof", "test"  # values of score_model__metric.split


@dataclass(frozen=True, eq=False)
class RecipeResult:
    """One recipe: calibration, merit, and metrics by split ("oof", "test") and by the name of the target's part."""

    calibration: Calibration
    merit: Merit
    metrics: Mapping[str, Mapping[str, list[Metric]]]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The choice, and what was measured of each recipe."""

    choice: Choice
    recipes: Mapping[str, RecipeResult]

    @property
    def chosen(self) -> str:
        """Name of the chosen recipe."""
        return self.choice.recipe

    @property
    def calibration(self) -> Calibration:
        """That of the chosen recipe."""
        return self.recipes[self.chosen].calibration


def evaluate(
    target: Target,
    recipes: Sequence[Recipe],
    predictions: Mapping[str, NDArray[np.float64]],
    y: NDArray,
    fold: NDArray[np.int8],
    levels: Levels,
    note: str = "",
    groups: Groups | None = None,
) -> Evaluation:
    """Calibrate and measure every recipe of one target, bound to its classes, and choose among them.

    `predictions` holds raw predictions (S, W) per recipe: out of fold where `fold` (S,) is 0 or more, by all models
    where it is -1, the held-out part. Calibration and choice see the out-of-fold part alone; the held-out part
    gives its figures alone. `levels` are how often intervals and sets are to hold the truth: that is measured in
    all `groups`. `note` stands beside every figure.
    """
    measured = {
        recipe.name: measure(target, predictions[recipe.name], y, fold, levels, note, groups) for recipe in recipes
    }
    return Evaluation(choose(recipes, {name: each.merit for name, each in measured.items()}), measured)


def measure(
    target: Target,
    raw: NDArray[np.float64],
    y: NDArray,
    fold: NDArray[np.int8],
    levels: Levels,
    note: str = "",
    groups: Groups | None = None,
) -> RecipeResult:
    """Calibrate one recipe's raw predictions (S, W) out of fold, and measure them there and in the held-out part."""
    training = fold != TEST
    calibration = target.calibrate(raw[training], y[training], levels)
    scores = target.scores(calibration, raw)
    parts = {OUT_OF_FOLD: training, HELD_OUT: ~training}
    metrics = {
        name: target.measure(scores.select(part), y[part], note, groups.select(part) if groups else None)
        for name, part in parts.items()
        if part.any()  # on published folds nothing may be held out
    }
    merits = target.merits(scores.select(training), y[training])
    return RecipeResult(calibration, Merit(target.merit(metrics[OUT_OF_FOLD]), merits[1:]), metrics)
