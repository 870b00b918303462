"""The fits of a training: each recipe of each target, without each fold, on the workers; one that fails fails alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lakehouse.disk import FullDisk
from lakehouse.run import Run
from tasks.learning.metrics import ALL, Metric
from tasks.learning.recipe import Recipe
from tasks.learning.targets import Target
from tasks.stages.fanout import try_all
from tasks.stages.train.folds import fit_fold, is_fitted, write_labels
from tasks.stages.train.labels import TargetLabels, TrainingPlan


@dataclass(frozen=True)
class Failure:
    """Why a recipe has no model: its training without `fold` failed."""

    fold: int
    error: Exception

    def __str__(self) -> str:
        what = (str(self.error).strip() or "it gave no reason").splitlines()[0].rstrip(". ")
        return f"Left out: its training without fold {self.fold} failed ({type(self.error).__name__}: {what})."


Failures = dict[str, Failure]  # by recipe


def fit_recipes(run: Run, plan: TrainingPlan, todo: Sequence[TargetLabels]) -> list[tuple[Path, Failures]]:
    """Train all recipes of the targets on all folds; returns the folder of each target, and what failed of it.

    Folds that are done already are left as they are. Raises FullDisk, which is the fault of no recipe.
    """
    folders = [write_labels(run, labels, plan) for labels in todo]
    fits = [
        (recipe.reckon_seconds(labels.y.size), recipe, folder, fold)
        for labels, folder in zip(todo, folders, strict=True)
        for recipe in trained_alone(labels)
        for fold in range(labels.n_folds(plan.config))
        if not is_fitted(folder, recipe.name, fold)
    ]
    fits.sort(key=lambda fit: -fit[0])  # the dearest first, so that no worker ends alone with one
    jobs = [(run, str(folder), recipe.name, fold) for _, recipe, folder, fold in fits]
    errors = try_all(run.scheduler, fit_fold, jobs, "train", run.retries)
    failed: dict[Path, Failures] = {folder: {} for folder in folders}
    for (_, recipe, folder, fold), error in zip(fits, errors, strict=True):
        if isinstance(error, FullDisk):
            raise error
        if error is not None:
            failed[folder].setdefault(recipe.name, Failure(fold, error))
    return list(failed.items())


def trained_alone(labels: TargetLabels) -> list[Recipe]:
    """The recipes that are trained: all but those that are made of others."""
    return [recipe for recipe in labels.recipes if not recipe.spec.is_joined]


def left_out(target: Target, failures: Mapping[str, Failure | str]) -> dict[str, dict[str, list[Metric]]]:
    """What stands in place of the metrics of recipes that failed: by recipe and part, the reason and no value."""
    return {
        name: {part.name: [Metric(part.decides, ALL, None, None, None, 0, str(why))] for part in target.parts}
        for name, why in failures.items()
    }
