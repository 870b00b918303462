"""Training on folds in the workers: what a worker reads, and the predictions that it leaves."""

from __future__ import annotations

import functools
import json
import shutil
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lakehouse.disk import refuse_full_disk, whole_file, whole_folder
from lakehouse.models import LABELS, explain_damaged_model, fold_dir
from lakehouse.run import Run
from schemas.arrays import floats
from tasks.learning.data import Examples
from tasks.learning.ensemble import ensemble_predict
from tasks.learning.fit import assemble, fit
from tasks.learning.persistence import load, save
from tasks.learning.recipe import Recipe, recipe_from_json
from tasks.learning.splits import TEST, published_split, split
from tasks.learning.targets import Target, target_from_json
from tasks.stages.inputs import read_examples
from tasks.stages.train.labels import TargetLabels, TrainingPlan

PREDICTIONS, CHECKPOINTS = "predictions.parquet", "checkpoints"
PERIOD = "published_period_day"
SECONDS = "fit_seconds"  # processor time that a training took, since its last checkpoint where it was killed


def work_folder(run: Run, model_id: str) -> Path:
    """Where the folds of a model lie until it is whole."""
    return Path(run.lake) / "work" / run.dataset / model_id


def clear_work(run: Run, wanted: Collection[str]) -> int:
    """Remove what killed runs left of the trainings of models that are not `wanted`; returns how many."""
    left = [folder for folder in (Path(run.lake) / "work" / run.dataset).glob("*") if folder.name not in wanted]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def is_fitted(folder: Path, recipe: str, fold: int) -> bool:
    """True where the fold is done: its folder is whole or absent."""
    return (fold_dir(folder / recipe, fold) / PREDICTIONS).exists()


def write_labels(run: Run, labels: TargetLabels, plan: TrainingPlan) -> Path:
    """Write labels and split where the workers will find them; a split already there is the same one."""
    folder = work_folder(run, labels.model_id(plan))
    config = plan.config
    if labels.published is not None:
        parts = published_split(labels.published)
    else:
        parts = split(labels.target, labels.y, labels.source_id, config.n_folds, config.test_fraction, plan.seed,
                      labels.star)  # fmt: skip
    columns = labels.target.to_columns(labels.y)
    table = pa.table({"source_id": labels.source_id, **columns, "fold": parts.fold})
    table = table.append_column(PERIOD, pa.array(labels.period_day, from_pandas=True))
    about = {"note": parts.note, "columns": labels.columns, "target": labels.target.to_json(),
             "recipes": [recipe.to_json() for recipe in labels.recipes]}  # fmt: skip
    with refuse_full_disk("the labels"), whole_file(folder / LABELS) as draft:
        pq.write_table(table.replace_schema_metadata({"about": json.dumps(about)}), draft)
    return folder


def read_labels(folder: Path) -> tuple[pa.Table, dict[str, Any]]:
    """The labels of a model in the making, and what was written about them."""
    table = pq.read_table(folder / LABELS)
    return table, json.loads(table.schema.metadata[b"about"])


@functools.lru_cache(maxsize=2)
def _examples(run: Run, folder: str, with_curves: bool) -> Examples:
    """The labelled sources of a target; kept, because a worker fits many recipes and folds of it."""
    labels, about = read_labels(Path(folder))
    return read_examples(run, labels["source_id"].to_numpy(), about["columns"], with_curves)


def fit_fold(run: Run, folder: str, recipe_name: str, fold: int) -> None:
    """In a worker: train one recipe without one fold, and predict that fold and the held-out part.

    A training that was killed goes on from its last checkpoint; the checkpoints go when the fold is done.
    """
    labels, about = read_labels(Path(folder))
    recipe = recipe_from_json(next(card for card in about["recipes"] if card["name"] == recipe_name))
    target = target_from_json(about["target"])
    folds, y = labels["fold"].to_numpy(), target.from_columns(labels)
    examples = _examples(run, folder, recipe.reads_curves)
    training = (folds != fold) & (folds != TEST)
    checkpoints = fold_dir(Path(folder) / CHECKPOINTS / recipe_name, fold)
    with refuse_full_disk(f"checkpoints of {recipe_name}"):
        began = time.process_time()
        known = replace(examples, period_day=floats(labels[PERIOD])).select(training)
        model = fit(recipe, known, y[training], checkpoints=checkpoints)
        about_fit = {SECONDS: f"{time.process_time() - began:.3f}"}
    asked = np.flatnonzero(~training)
    raw = ensemble_predict([model], examples.select(asked), np.full(asked.size, TEST), target)
    with refuse_full_disk(f"model {recipe_name}"), whole_folder(fold_dir(Path(folder) / recipe_name, fold)) as draft:
        save(model, draft, {"run_id": run.run_id, "fold": fold})
        table = pa.table({"row": asked, "prediction": as_lists(raw)}, metadata=about_fit)
        pq.write_table(table, draft / PREDICTIONS)
    shutil.rmtree(checkpoints, ignore_errors=True)


def read_predictions(
    folder: Path, recipe: Recipe, target: Target, n_folds: int, fold: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Raw predictions of all labelled sources: out of fold for those that trained, the mean of all models else."""
    total = np.zeros((fold.size, target.width))
    for k in range(n_folds):
        with explain_damaged_model(folder):
            parts = [pq.read_table(fold_dir(folder / part.name, k) / PREDICTIONS) for part in recipe.parts]
            raws = [as_matrix(part["prediction"]) for part in parts]
        total[parts[0]["row"].to_numpy()] += target.mix(raws)
    return total / np.where(fold == TEST, n_folds, 1)[:, None]


def read_fit_seconds(folder: Path, recipe: str, n_folds: int) -> NDArray[np.float64]:
    """Processor time (n_folds,) that each training of a recipe took."""
    schemas = [pq.read_schema(fold_dir(folder / recipe, k) / PREDICTIONS) for k in range(n_folds)]
    return np.array([float(schema.metadata[SECONDS.encode()]) for schema in schemas])


def write_folds(folder: Path, recipe: Recipe, n_folds: int, draft: Path) -> None:
    """Put the models of a recipe, one for each fold, where a model keeps them."""
    if not recipe.members:
        for k in range(n_folds):  # and nothing else: a worker that was killed may have left the draft of a fold
            shutil.copytree(fold_dir(folder / recipe.name, k), fold_dir(draft, k))
        return
    for k in range(n_folds):
        with explain_damaged_model(folder):
            members = [load(fold_dir(folder / member.name, k)) for member in recipe.members]
        save(assemble(recipe, members), fold_dir(draft, k), {"fold": k})


def as_lists(raw: NDArray[np.float64]) -> pa.FixedSizeListArray:
    """Raw predictions (S, W) as a column."""
    return pa.FixedSizeListArray.from_arrays(raw.ravel(), raw.shape[1])


def as_matrix(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """Inverse of `as_lists`."""
    values = column.combine_chunks()
    return values.flatten().to_numpy().reshape(len(values), -1)
