"""How good is each model? Every recipe, five folds, out of fold on the real sets, and its difference to the forest.

    argelander bench models --data DIR [--all] [--recipes R ...] [--folds 5] [--cache DIR] [--write FILE]

DIR is one of the sets, or the folder of the sets that have a preset. A set is read, cleaned and featurized as a refresh
does it, into a lake in the cache. Each training (set, recipe, target, fold, seed, version of the data) is kept there
under the hash of what it is of: a bench that was stopped goes on, and one with another recipe trains that alone. The
hash does not see a changed program: `--again R ...` trains these anew. `--all` takes every registered recipe, else
those that compete by default; the one that the others are compared with is always there.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._models_page import Measured, head, tell
from flows.presets import preset
from flows.settings import Settings
from lakehouse.delta.store import Lake
from lakehouse.disk import whole_file
from lakehouse.lineage import fingerprint
from lakehouse.run import Run
from schemas import BadInput
from schemas.mapping import preset_names
from tasks.learning.calibration import Levels
from tasks.learning.members import choose_members
from tasks.learning.models import MODELS, spec_of
from tasks.learning.recipe import Recipe
from tasks.learning.recipes import RECIPES, STANDARD
from tasks.learning.splits import TEST
from tasks.learning.targets import Target
from tasks.learning.training_config import TrainingConfig
from tasks.stages.acquire.stage import acquire_sources
from tasks.stages.clean.stage import clean_sources
from tasks.stages.fanout import open_cluster
from tasks.stages.featurize.stage import featurize_sources
from tasks.stages.train.fits import fit_recipes
from tasks.stages.train.folds import read_fit_seconds, read_labels, read_predictions, work_folder
from tasks.stages.train.labels import TargetLabels, TrainingPlan, read_target_labels

Trained = dict[Recipe, NDArray[np.float64]]  # raw predictions of the recipes of a target

DATA = Path(os.environ.get("ARGELANDER_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
REFERENCE = next(name for name in MODELS if spec_of(name).is_floor)
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "argelander" / "models"


def find_sets(folder: Path) -> list[Path]:
    """The folder itself where it is one set, else the sets in it that have a preset; BadInput where there are none."""
    found = sorted(folder / name for name in preset_names() if (folder / name).is_dir())
    if not found and not any(folder.glob("objects.*")) and not (folder / "dataset.toml").exists():
        raise BadInput(f"{folder} is no set and holds none of {', '.join(preset_names())}: --data names one of them.")
    return found or [folder]


def settings_of(folder: Path) -> Settings:
    """How the product reads a set: by the preset of its name, else by its own dataset.toml."""
    return preset(folder.name if folder.name in preset_names() else "folder", folder)


def plan_of(settings: Settings, recipes: Sequence[str], n_folds: int) -> TrainingPlan:
    """A training of the recipes in which every labelled star is in a fold and none is held out."""
    config = replace(settings.training, recipes=tuple(recipes), n_folds=n_folds, test_fraction=0.0)
    return TrainingPlan(config, settings.seed, settings.source.has_time, settings.source.is_synthetic)


def prepare(run: Run, settings: Settings) -> None:
    """Bring a set into the lake as far as its features; what is there already is left."""
    acquire_sources(run, settings.source, settings.limit)
    clean_sources(run, settings.cut_config)
    featurize_sources(run, settings.feature_config)


def measure_set(
    run: Run, settings: Settings, recipes: Sequence[str], n_folds: int, again: Sequence[str] = ()
) -> dict[str, list[Measured]]:
    """What was measured of each recipe on a set that is prepared, by the name of the target; means of them at last."""
    lake, plan, todo = Lake(run.lake), plan_of(settings, recipes, n_folds), []
    for name in recipes:  # each alone: what a training is of does not depend on which others there are
        todo += read_target_labels(lake, run, plan_of(settings, (name,), n_folds))
    for labels in todo:
        if labels.recipes[0].name in again:
            shutil.rmtree(work_folder(run, labels.model_id(plan)), ignore_errors=True)
    found: dict[str, list[Measured]] = {}
    trained: dict[Target, Trained] = {}
    fitted = zip(todo, fit_recipes(run, plan, todo), strict=True)
    for labels, (folder, failures) in sorted(fitted, key=lambda each: each[0].recipes[0].spec.is_joined):
        own = trained.setdefault(labels.target, {})
        for target, measured in measure(labels, folder, plan.config, failures, own).items():
            found.setdefault(target, []).append(measured)
    return found


def measure(
    labels: TargetLabels, folder: Path, config: TrainingConfig, failures: Mapping[str, object], trained: Trained
) -> dict[str, Measured]:
    """Out-of-fold figures of the one recipe of `labels`, by the part of its target; `trained` gets what was trained."""
    (recipe,), target = labels.recipes, labels.target
    if recipe.name in failures:
        return {part.name: Measured(recipe.name, failure=str(failures[recipe.name])) for part in target.parts}
    n_folds, fold = labels.n_folds(config), read_labels(folder)[0]["fold"].to_numpy()
    if recipe.spec.is_joined:
        raw, seconds = mix_out_of_fold(labels, trained, fold, config.levels), np.zeros(n_folds)
    else:
        raw = read_predictions(folder, recipe, target, n_folds, fold)
        seconds = read_fit_seconds(folder, recipe.name, n_folds)
        trained[recipe] = raw
    row, scores = score_out_of_fold(target, raw, labels.y, fold, config.levels)
    figures, resamples = target.measure(scores, labels.y[row]), target.resample(scores, labels.y[row])
    key = fingerprint(labels.source_id[row], fold[row])
    return {name: Measured(recipe.name, figures[name], resamples[name], key, seconds) for name in figures}


def mix_out_of_fold(
    labels: TargetLabels, trained: Trained, fold: NDArray[np.int8], levels: Levels
) -> NDArray[np.float64]:
    """Raw predictions (S, W) of the mean of recipes: of each fold, by members that were chosen on the other folds."""
    (recipe,), target, raws = labels.recipes, labels.target, {each.name: raw for each, raw in trained.items()}
    mixed = np.empty((fold.size, target.width))
    for k in np.unique(fold):
        others = np.where(fold == k, TEST, fold).astype(np.int8)
        members = choose_members(recipe.config.members, list(trained), target, raws, labels.y, others, levels)
        mixed[fold == k] = target.mix([raws[member.name][fold == k] for member in members])
    return mixed


def score_out_of_fold(
    target: Target, raw: NDArray[np.float64], y: NDArray[Any], fold: NDArray[np.int8], levels: Levels
) -> tuple[NDArray[np.int64], Any]:
    """The stars fold by fold, as rows (S,) of `raw`, and their scores, calibrated on the other folds."""
    rows, scores = [], []
    for k in np.unique(fold):
        calibration = target.calibrate(raw[fold != k], y[fold != k], levels)
        rows.append(np.flatnonzero(fold == k))
        scores.append(target.scores(calibration, raw[rows[-1]]))
    return np.concatenate(rows), concatenate(scores)


def concatenate(parts: Sequence[Any]) -> Any:
    """Arrays, or scores that are made of arrays, one after the other; None where they are absent."""
    if parts[0] is None:
        return None
    if not is_dataclass(parts[0]):
        each = isinstance(parts[0], tuple)
        return tuple(map(concatenate, zip(*parts, strict=True))) if each else np.concatenate(parts)
    names = [field.name for field in fields(parts[0])]
    return replace(parts[0], **{name: concatenate([getattr(part, name) for part in parts]) for name in names})


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="argelander bench models", description="Recipes on the real sets.")
    parser.add_argument("--all", action="store_true", help="every registered recipe")
    parser.add_argument("--recipes", nargs="+", default=STANDARD, metavar="R", help="these, and the forest")
    parser.add_argument("--folds", type=int, default=5, metavar="K")
    parser.add_argument("--again", nargs="+", default=(), metavar="R", help="train these anew")
    parser.add_argument("--cache", type=Path, default=CACHE, metavar="DIR", help="features and trainings are kept here")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), metavar="N")
    parser.add_argument("--write", type=Path, metavar="FILE", help="Markdown page that receives the tables")
    return parser.parse_args(words)


def main(words: Sequence[str], data: Path = DATA) -> list[str]:
    """Prints the tables, set after set; returns their lines."""
    asked = read_arguments(words)
    if not data.is_dir():
        print(f"models: skipped, there is no {data}; set ARGELANDER_DATA.")
        return []
    names = {*RECIPES, *MODELS} if asked.all else {*asked.recipes, REFERENCE}
    page = head(shlex.join(["argelander", "bench", "models", "--data", "DIR", *words]))
    with open_cluster(asked.workers) as scheduler:
        for folder in find_sets(data):
            settings, lake = settings_of(folder), asked.cache / folder.name
            Lake(lake, create=True)
            run = Run("bench", str(lake.absolute()), settings.dataset, scheduler)
            prepare(run, settings)
            for target, rows in measure_set(run, settings, sorted(names), asked.folds, asked.again).items():
                lines = [*tell(folder.name, target, rows, REFERENCE)]
                print("\n".join(lines), flush=True)
                page += lines
    if asked.write:
        with whole_file(asked.write) as draft:
            draft.write_text("\n".join(page) + "\n")
    return page


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BadInput as error:
        sys.exit(f"Error: {error}")
