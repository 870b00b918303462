"""Train every recipe of every target on folds, measure them, and make the best of each target current."""

from __future__ import annotations

import functools
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lakehouse.bands import Bands, bands
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.disk import room_for, whole_file, whole_folder
from lakehouse.lineage import fingerprint
from lakehouse.models import current, has_model, read_card, retire, set_current, write_model
from lakehouse.run import Run, StageResult
from schemas import TABLES, Column
from schemas.arrays import align, floats
from tasks.features import declared_columns, keep_independent
from tasks.features.feature import COLOUR
from tasks.learning import LEARNING_VERSION
from tasks.learning.data import Examples
from tasks.learning.ensemble import ensemble_predict
from tasks.learning.evaluation import Evaluation, calibration_to_json, evaluate
from tasks.learning.fit import fit
from tasks.learning.persistence import save
from tasks.learning.recipe import Kind, NetworkConfig, Recipe, recipe_from_json
from tasks.learning.recipes import default_recipes
from tasks.learning.splits import TEST, same_star, split
from tasks.stages.fanout import fan_out
from tasks.stages.inputs import read_examples, read_feature_names
from tasks.surveys import sources_of_labels

FEATURES, CLASS, PARAMETER, METRIC = (
    TABLES[name]
    for name in ("feature_sample__source", "label_sample__class", "label_sample__parameter", "score_model__metric")
)


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained, and how; see TrainingSettings for the meaning of each field."""

    n_folds: int
    test_fraction: float
    n_trees: int
    quantities: tuple[str, ...]
    label_origins: tuple[str, ...]
    min_labels: int
    interval_level: float
    when: str
    network: NetworkConfig | None
    network_survey: str
    seed: int


@dataclass(frozen=True, eq=False)
class Target:
    """The labelled sources of one target, in the order of source_id: y is class names or numbers.

    `star` is equal where two ids are one star: both go to the same fold.
    """

    name: str
    source_id: NDArray[np.int64]
    y: NDArray
    feature_hash: NDArray[np.int64]
    star: NDArray[np.int64]
    features: tuple[str, ...]
    recipes: tuple[Recipe, ...]

    def fingerprint(self, plan: TrainingPlan) -> str:
        """Changes with the labels, the features of the labelled sources, the recipes and the splits."""
        recipes = [recipe.to_json() for recipe in self.recipes]
        return fingerprint(LEARNING_VERSION, self.name, self.source_id, "\n".join(map(str, self.y)), self.feature_hash,
                           recipes, plan.n_folds, plan.test_fraction, plan.interval_level, plan.seed)  # fmt: skip


def train_models(run: Run, plan: TrainingPlan) -> StageResult:
    """Train the targets whose labels, features or recipes are new; the catalogue's choice is made out of fold."""
    lake = Lake(run.lake)
    targets = _targets(lake, run, plan)
    retire(run.lake, run.dataset, ("class", *plan.quantities))
    known = {name: read_card(run.lake, run.dataset, name, model) for name, model in
             current(run.lake, run.dataset).items()}  # fmt: skip
    stale = [t for t in targets if t.name in known and known[t.name]["fingerprint"] != t.fingerprint(plan)]
    todo = [t for t in targets if t.name not in known] + (stale if plan.when == "stale" else [])
    notes = [_staleness(t, known[t.name], plan) for t in stale]
    if not targets:
        notes.append(f"no target has {plan.min_labels} labels of two kinds: nothing to train")
    for t in targets:
        if t not in todo:  # what a run left that was killed when its model was in place
            shutil.rmtree(_work_folder(run, t, plan), ignore_errors=True)
    if not todo:
        return StageResult("train", 0, len(targets), notes=tuple(notes))

    folders = {t.name: _prepare(run, t, plan) for t in todo}
    jobs = [(run, str(folders[t.name]), recipe.name, k) for t in todo for recipe in t.recipes for k in
            range(plan.n_folds)]  # fmt: skip
    jobs = [job for job in jobs if not (_fold_folder(*job[1:]) / "predictions.parquet").exists()]
    # The longest first, so that no worker ends alone with a network.
    jobs.sort(key=lambda job: job[2] != "lstm")
    fan_out(run.scheduler, fit_fold, jobs, "train", retries=run.retries)
    metrics = [_conclude(run, t, plan, folders[t.name]) for t in todo]
    table = _commit(lake, run, metrics)
    for t in todo:
        set_current(run.lake, run.dataset, t.name, _model_id(t, plan))
        shutil.rmtree(folders[t.name], ignore_errors=True)
    return StageResult("train", len(todo), len(targets), (table,), tuple(notes))


def _staleness(target: Target, card: dict, plan: TrainingPlan) -> str:
    gained = target.source_id.size - card["n_labelled"]
    what = f"{gained:+,} labels" if gained else "labels, features or recipes changed"
    done = "trained again, all sources scored anew" if plan.when == "stale" else (
        "kept because of training.when=missing; run with --set training.when=stale to train again"
    )  # fmt: skip
    return f"model of {target.name} was stale ({what} since {card['run_id']}): {done}"


def _targets(lake: Lake, run: Run, plan: TrainingPlan) -> list[Target]:
    """Targets with enough labels, each with the recipes that can be trained on what the dataset has."""
    where = {"dataset": run.dataset}
    features = lake.read(FEATURES, columns=["source_id", "input_hash"], where=where)
    sample = lake.read(TABLES["core_sample__source"], columns=["source_id", "ra", "dec"], where=where)
    in_sample = sample["source_id"].to_numpy()
    star = same_star(*(floats(sample[name]) for name in ("ra", "dec")))
    features = features.filter(pc.is_in(features["source_id"], value_set=sample["source_id"].combine_chunks()))
    known, hashes = features["source_id"].to_numpy(), features["input_hash"].to_numpy()
    labels = {"class": _first_labels(lake.read(CLASS, where=where), "class", plan)}
    own = bands(lake, run.dataset)
    declared = declared_columns(own.names, tuple(dict.fromkeys(own.surveys)))
    names = read_feature_names(lake, run.dataset)
    readable = {"class": names}
    parameters = lake.read(PARAMETER, where=where)
    for quantity in plan.quantities:
        rows = parameters.filter(
            pc.and_(pc.equal(parameters["quantity"], quantity), pc.invert(parameters["is_reference"]))
        )
        labels[quantity] = _first_labels(rows.filter(pc.is_finite(rows["value"])), "value", plan)
        readable[quantity] = keep_independent(names, declared, sources_of_labels(rows["origin"].unique().to_pylist()))
    targets = []
    for name, (source_id, y) in labels.items():
        has = np.isin(source_id, known)
        source_id, y = source_id[has], y[has]
        recipes = _recipes(name, own, readable[name], declared, plan)
        if recipes and recipes[0].log_target:
            source_id, y = source_id[y > 0], y[y > 0]
        if source_id.size >= plan.min_labels and _is_learnable(y):
            feature_hash = hashes[align(source_id, known)]
            own_star = star[align(source_id, in_sample)]
            targets.append(Target(name, source_id, y, feature_hash, own_star, readable[name], recipes))
    return targets


def _is_learnable(y: NDArray) -> bool:
    """Whether every training fold will hold two classes, or two values: two of them need two members each."""
    members = np.unique(y, return_counts=True)[1]
    return members.size > 1 if y.dtype.kind == "f" else int((members > 1).sum()) > 1


def _first_labels(rows: pa.Table, column: str, plan: TrainingPlan) -> tuple[NDArray[np.int64], NDArray]:
    """Source ids and labels, one of each source: that of the origin that comes first in the plan."""
    order = pa.array(plan.label_origins)
    rank = pc.fill_null(pc.index_in(rows["origin"], value_set=order), len(order)).to_numpy(zero_copy_only=False)
    rows = rows.take(pa.array(np.lexsort((rank, rows["source_id"].to_numpy()))))
    source_id, first = np.unique(rows["source_id"].to_numpy(), return_index=True)
    values = rows[column].take(pa.array(first))
    y = np.array(values.to_pylist(), dtype=str) if pa.types.is_string(values.type) else values.to_numpy()
    return source_id, y


def _recipes(
    target: str, dataset_bands: Bands, names: Sequence[str], declared: Mapping[str, Column], plan: TrainingPlan
) -> tuple[Recipe, ...]:
    read = dataset_bands.of(plan.network_survey)
    network = replace(plan.network, bands=read) if plan.network else None
    colours = tuple(name for name in names if declared.get(name) == COLOUR)
    kind: Kind = "classifier" if target == "class" else "regressor"
    return default_recipes({target: kind}, colour_columns=colours, network=network, trees=plan.n_trees,
                           seed=plan.seed)  # fmt: skip


def _prepare(run: Run, target: Target, plan: TrainingPlan) -> Path:
    """Write the labels and their split where the fits will find them; a split already there is the same one."""
    folder = _work_folder(run, target, plan)
    parts = split(target.y, target.source_id, plan.n_folds, plan.test_fraction, plan.seed, target.star)
    labels = pa.table({"source_id": target.source_id, "y": target.y, "fold": parts.fold})
    about = {"note": parts.note, "stratified": parts.stratified, "features": target.features,
             "recipes": [recipe.to_json() for recipe in target.recipes]}  # fmt: skip
    with room_for("the labels"), whole_file(folder / "labels.parquet") as draft:
        pq.write_table(labels.replace_schema_metadata({"about": json.dumps(about)}), draft)
    return folder


def _work_folder(run: Run, target: Target, plan: TrainingPlan) -> Path:
    return Path(run.lake) / "work" / run.dataset / _model_id(target, plan)


def _model_id(target: Target, plan: TrainingPlan) -> str:
    return f"{target.name}-{target.fingerprint(plan)}"


def _fold_folder(folder: str, recipe: str, fold: int) -> Path:
    return Path(folder) / recipe / f"fold-{fold}"


@functools.lru_cache(maxsize=2)
def _examples(run: Run, folder: str, with_curves: bool) -> Examples:
    """The labelled sources of a target; kept, because a worker fits many recipes and folds of it."""
    labels = pq.read_table(Path(folder) / "labels.parquet")
    names = json.loads(labels.schema.metadata[b"about"])["features"]
    return read_examples(run, labels["source_id"].to_numpy(), names, with_curves)


def fit_fold(run: Run, folder: str, recipe_name: str, fold: int) -> None:
    """In a worker: train one recipe without one fold, and predict that fold and the held-out part."""
    labels = pq.read_table(Path(folder) / "labels.parquet")
    about = json.loads(labels.schema.metadata[b"about"])
    recipe = next(recipe_from_json(card) for card in about["recipes"] if card["name"] == recipe_name)
    folds = labels["fold"].to_numpy()
    y = np.array(labels["y"].to_pylist())
    examples = _examples(run, folder, recipe.model == "lstm")
    training = (folds != fold) & (folds != TEST)
    model = fit(recipe, examples.select(training), y[training])
    asked = np.flatnonzero(~training)
    classes = sorted(set(y.tolist())) if recipe.kind == "classifier" else None
    found = ensemble_predict([model], examples.select(asked), np.full(asked.size, TEST), classes)
    raw = found.raw
    prediction = pa.FixedSizeListArray.from_arrays(raw.ravel(), raw.shape[1])
    with room_for(f"model {recipe_name}"), whole_folder(_fold_folder(folder, recipe_name, fold)) as draft:
        save(model, draft, {"run_id": run.run_id, "fold": fold})
        pq.write_table(pa.table({"row": asked, "prediction": prediction}), draft / "predictions.parquet")


def _predictions(folder: Path, recipe: str, n_folds: int, fold: NDArray[np.int8]) -> NDArray[np.float64]:
    """Predictions of all labelled sources: out of fold for those that trained, the mean of all models for the rest."""
    total: NDArray[np.float64] | None = None
    for k in range(n_folds):
        table = pq.read_table(_fold_folder(str(folder), recipe, k) / "predictions.parquet")
        values = table["prediction"].combine_chunks()
        raw = values.flatten().to_numpy().reshape(len(values), -1)
        total = np.zeros((fold.size, raw.shape[1])) if total is None else total
        total[table["row"].to_numpy()] += raw
    assert total is not None
    return total / np.where(fold == TEST, n_folds, 1)[:, None]


def _conclude(run: Run, target: Target, plan: TrainingPlan, folder: Path) -> pa.Table:
    """Measure, choose, and move the chosen models with their card into place; returns the metric rows."""
    labels = pq.read_table(folder / "labels.parquet")
    about = json.loads(labels.schema.metadata[b"about"])
    fold = labels["fold"].to_numpy()
    classes = sorted(set(target.y.tolist())) if target.recipes[0].kind == "classifier" else []
    predictions = {r.name: _predictions(folder, r.name, plan.n_folds, fold) for r in target.recipes}
    evaluation = evaluate(target.recipes, predictions, target.y, fold, classes, plan.interval_level,
                          {r.name: about["note"] for r in target.recipes})  # fmt: skip
    model_id = folder.name
    chosen = next(recipe for recipe in target.recipes if recipe.name == evaluation.chosen)
    card = {
        "fingerprint": target.fingerprint(plan), "run_id": run.run_id, "recipe": chosen.to_json(), "classes": classes,
        "features": target.features, "n_folds": plan.n_folds, "n_labelled": int(fold.size),
        "n_test": int((fold == TEST).sum()), "note": about["note"], "plan": asdict(plan),
        "calibration": calibration_to_json(evaluation.calibration[chosen.name]),
    }  # fmt: skip
    if not has_model(run.lake, run.dataset, target.name, model_id):
        held = predictions[chosen.name]
        held = labels.append_column("prediction", pa.FixedSizeListArray.from_arrays(held.ravel(), held.shape[1]))
        with write_model(run.lake, run.dataset, target.name, model_id, card) as draft:
            shutil.copytree(folder / chosen.name, draft, dirs_exist_ok=True)
            pq.write_table(held, draft / "labels.parquet")
    return _metric_rows(run.dataset, target.name, model_id, evaluation)


def _metric_rows(dataset: str, target: str, model_id: str, evaluation: Evaluation) -> pa.Table:
    rows = [
        {**metric.row(), "dataset": dataset, "target": target, "recipe": recipe, "model_id": model_id, "split": part,
         "is_chosen": recipe == evaluation.chosen}
        for recipe, by_split in evaluation.metrics.items() for part, metrics in by_split.items() for metric in metrics
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=METRIC.arrow())


def _commit(lake: Lake, run: Run, metrics: list[pa.Table]) -> TableRef:
    """Metrics of the new models beside those of the targets that were not trained again."""
    fresh = pa.concat_tables(metrics)
    if lake.exists(METRIC):
        old = lake.read(METRIC, where={"dataset": run.dataset})
        kept = old.filter(pc.invert(pc.is_in(old["target"], value_set=fresh["target"].unique())))
        fresh = pa.concat_tables([fresh, kept.cast(fresh.schema)])
    return lake.overwrite(run.run_id, METRIC, fresh, {"dataset": run.dataset}, stage="train")
