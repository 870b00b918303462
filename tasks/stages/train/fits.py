"""The fits of a training: each recipe of each target, without each fold, on the workers; one that fails fails alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lakehouse.disk import FullDisk
from lakehouse.run import Run
from tasks.learning.metrics import ALL, Metric
from tasks.learning.targets import Target
from tasks.stages.fanout import try_all
from tasks.stages.train.folds import fit_fold, is_fitted, write_labels
from tasks.stages.train.labels import TargetLabels, TrainingPlan

Failures = dict[str, str]  # why a recipe has no model, by its name


def fit_recipes(run: Run, plan: TrainingPlan, todo: Sequence[TargetLabels]) -> list[tuple[Path, Failures]]:
    """Train all recipes of the targets on all folds; returns the folder of each target, and what failed of it.

    Folds that are done already are left as they are. Raises the error itself where the disk is full, and where not one
    recipe of a target could be trained.
    """
    folders = [write_labels(run, labels, plan) for labels in todo]
    fits = [
        (recipe, folder, fold)
        for labels, folder in zip(todo, folders, strict=True)
        for recipe in labels.recipes
        for fold in range(plan.config.n_folds)
        if not is_fitted(folder, recipe.name, fold)
    ]
    fits.sort(key=lambda fit: -fit[0].spec.cost)  # the dearest first, so that no worker ends alone with one
    jobs = [(run, str(folder), recipe.name, fold) for recipe, folder, fold in fits]
    errors = try_all(run.scheduler, fit_fold, jobs, "train", run.retries)
    failed: dict[Path, dict[str, tuple[int, Exception]]] = {folder: {} for folder in folders}
    for (recipe, folder, fold), error in zip(fits, errors, strict=True):
        if isinstance(error, FullDisk):
            raise error
        if error is not None:
            failed[folder].setdefault(recipe.name, (fold, error))
    for labels, folder in zip(todo, folders, strict=True):
        if len(failed[folder]) == len(labels.recipes):
            raise failed[folder][labels.recipes[0].name][1]
    return [(folder, {name: _explain(*why) for name, why in failed[folder].items()}) for folder in folders]


def left_out(target: Target, failures: Mapping[str, str]) -> dict[str, dict[str, list[Metric]]]:
    """What stands in place of the metrics of recipes that failed: by recipe and part, the reason and no value."""
    return {
        name: {part.name: [Metric(part.decides, ALL, None, None, None, 0, why)] for part in target.parts}
        for name, why in failures.items()
    }


def _explain(fold: int, error: Exception) -> str:
    """One sentence."""
    what = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(". ")
    return f"Left out: its training without fold {fold} failed ({type(error).__name__}: {what})."
