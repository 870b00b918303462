"""Train every recipe of every target on folds, measure them, and make the best of each target current."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.leases import leases_of
from lakehouse.models import LABELS, NOVELTY, has_model, read_card, read_current, retire, set_current, write_model
from lakehouse.run import Run, StageResult
from schemas import TABLES
from tasks.learning.evaluation import OUT_OF_FOLD, Evaluation, evaluate
from tasks.learning.metrics import ALL, Metric
from tasks.learning.persistence import FORMAT
from tasks.learning.recipe import Recipe
from tasks.learning.recipes import recipes_for
from tasks.learning.splits import TEST
from tasks.learning.targets import Target, targets_for
from tasks.stages.sky import OBSERVED, SYNTHETIC, is_of_synthetic_sky
from tasks.stages.train.budget import keep_within_budget
from tasks.stages.train.candidates import read_candidates
from tasks.stages.train.fits import Failure, fit_recipes, left_out
from tasks.stages.train.folds import as_lists, clear_work, read_labels, work_folder, write_folds
from tasks.stages.train.groups import fit_novelty, read_groups
from tasks.stages.train.labels import TargetLabels, TrainingPlan, group_by_target, read_target_labels

METRIC = TABLES["score_model__metric"]
AGAIN = {
    "stale": "trained again, all sources scored anew",
    "missing": "kept because of training.when=missing; run with --set training.when=stale to train again",
}


def train_models(run: Run, plan: TrainingPlan, aside: bool = False) -> StageResult:
    """Train the targets whose labels, features or recipes are new; the catalogue's choice is made out of fold.

    A model that is trained `aside` becomes current where it is better out of fold than the one that is, of the same
    labels and features; then it stays so until these change, or the recipes of a training that is not aside.
    """
    lake = Lake(run.lake)
    every, too_dear = keep_within_budget(read_target_labels(lake, run, plan), plan.config)
    with ExitStack() as stack:
        for model_id in sorted(t.model_id(plan) for t in every):  # in one order, so that no two wait for each other
            lease = leases_of(run.lake).hold(f"model-{run.dataset}-{model_id}", f"training of {model_id}")
            stack.enter_context(lease)
        done = _train_models(lake, run, plan, every, aside)
    return replace(done, notes=(*done.notes, *too_dear))


def _train_models(lake: Lake, run: Run, plan: TrainingPlan, every: Sequence[TargetLabels], aside: bool) -> StageResult:
    """Train what nobody has trained meanwhile; the leases of all models are held."""
    cards, unreadable = _cards(run, plan)
    if not aside:
        retire(run.lake, run.dataset, _wanted(every, plan) - set(unreadable))
    stale = [t for t in every if t.target.name in cards and not _is_trained(run, t, cards[t.target.name], plan, aside)]
    missing = [t for t in every if t.target.name not in cards]
    todo = missing + (stale if aside or plan.config.when == "stale" else [])
    notes = [] if aside else [_staleness(t, cards[t.target.name], plan) for t in stale]
    notes += [f"model of {name} was stale (of another version, or of a synthetic sky)" for name in unreadable]
    if not every:
        notes.append(f"no target has {plan.config.min_labels} labels of two kinds: nothing to train")
    if left := clear_work(run, [t.model_id(plan) for t in todo]):
        notes.append(f"removed what {left} killed trainings left")
    tables, more = _train(lake, run, plan, todo, aside)
    return StageResult("train", len(todo), len(every), tables, (*notes, *more))


def _train(
    lake: Lake, run: Run, plan: TrainingPlan, todo: Sequence[TargetLabels], aside: bool
) -> tuple[tuple[TableRef, ...], list[str]]:
    """Train the targets, make their models current, commit their metrics; notes tell what failed or was no better."""
    metrics, done, notes = [], [], []
    for t, (folder, failures) in zip(todo, fit_recipes(run, plan, todo), strict=True):
        rows = _conclude(run, t, plan, folder, failures, aside)
        notes += [f"{t.target.name}, {name}: {why}" for name, why in failures.items()]
        if aside and (better := _find_better(run, t, folder.name, plan)):
            notes.append(better)
        else:
            metrics.append(rows)
            done.append((t.target.name, folder.name))
    tables = (_commit(lake, run, metrics),) if metrics else ()
    for name, model_id in done:
        set_current(run.lake, run.dataset, name, model_id)
    for t in todo:
        shutil.rmtree(work_folder(run, t.model_id(plan)), ignore_errors=True)
    return tables, notes


def _find_better(run: Run, labels: TargetLabels, model_id: str, plan: TrainingPlan) -> str:
    """A sentence where the current model, of the same labels and features, is as good out of fold as `model_id`."""
    name = labels.target.name
    current = read_current(run.lake, run.dataset).get(name, model_id)
    old, new = (read_card(run.lake, run.dataset, name, each) for each in (current, model_id))
    is_kept = (
        current != model_id
        and _is_usable(run, old, plan)
        and old.get("data") == new["data"]
        and old["merit"] >= new["merit"]
    )
    tell = "{recipe[name]} ({figure[metric]} {figure[value]:.3g})"
    return f"{name}: {tell.format(**new)} is no better than {tell.format(**old)}, which stays" if is_kept else ""


def _wanted(every: Sequence[TargetLabels], plan: TrainingPlan) -> set[str]:
    """Names of the targets that may keep their models: all that the settings name, but what is now learnt jointly."""
    config, targets = plan.config, targets_for(plan.config.quantities)
    possible = group_by_target(recipes_for(config.recipes, targets, config.options))
    jointly = {part.name for t in every if len(t.target.parts) > 1 for part in t.target.parts}
    return {target.name for target in (*targets, *(own for own, _ in possible))} - jointly


def _cards(run: Run, plan: TrainingPlan) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """Cards of the current models by target, and the targets whose model cannot be used."""
    models = read_current(run.lake, run.dataset).items()
    cards = {target: read_card(run.lake, run.dataset, target, model_id) for target, model_id in models}
    usable = {target: card for target, card in cards.items() if _is_usable(run, card, plan)}
    return usable, [target for target in cards if target not in usable]


def _is_usable(run: Run, card: Mapping[str, Any], plan: TrainingPlan) -> bool:
    """False for a model of another version of this program, and of a synthetic sky where the stars are observed."""
    return card.get("format") == FORMAT and (plan.is_synthetic or not is_of_synthetic_sky(run.lake, card))


def _is_stored(run: Run, target: str, model_id: str, plan: TrainingPlan) -> bool:
    """True where the model is in place and can be used."""
    where = (run.lake, run.dataset, target, model_id)
    return has_model(*where) and _is_usable(run, read_card(*where), plan)


def _is_trained(run: Run, labels: TargetLabels, card: Mapping[str, Any], plan: TrainingPlan, aside: bool) -> bool:
    """True where the current model is of this training, or beat it from aside; aside, where there is one of it."""
    if card["fingerprint"] == labels.fingerprint(plan):
        return True
    beats = card.get("aside", False) and card["data"] == labels.data_fingerprint(plan)
    return (aside or beats) and _is_stored(run, labels.target.name, labels.model_id(plan), plan)


def _staleness(labels: TargetLabels, card: Mapping[str, Any], plan: TrainingPlan) -> str:
    gained = labels.source_id.size - card["n_labelled"]
    what = f"{gained:+,} labels" if gained else "labels, features or recipes changed"
    return f"model of {labels.target.name} was stale ({what} since {card['run_id']}): {AGAIN[plan.config.when]}"


def _conclude(
    run: Run, labels: TargetLabels, plan: TrainingPlan, folder: Path, failures: Mapping[str, Failure], aside: bool
) -> pa.Table:
    """Measure, choose, and move the chosen models with their card into place; returns the metric rows.

    The recipes in `failures` take no part; where all failed, the error of the first is raised.
    """
    table, about = read_labels(folder)
    config, fold, target = plan.config, table["fold"].to_numpy(), labels.target
    found = read_candidates(folder, labels, plan, fold, failures)
    if failures and not found.recipes:
        raise next(iter(failures.values())).error
    groups = read_groups(run, labels.source_id, config)
    evaluation = evaluate(
        target, found.recipes, found.predictions, labels.y, fold, config.levels, about["note"], groups
    )
    chosen = next(recipe for recipe in found.recipes if recipe.name == evaluation.chosen)
    card = {
        **_about(labels, plan, chosen), **_how_good(target, evaluation), "aside": aside, "run_id": run.run_id,
        "calibration": evaluation.calibration.to_json(),
        "choice": asdict(evaluation.choice), "note": about["note"], "n_test": int((fold == TEST).sum()),
    }  # fmt: skip
    if not _is_stored(run, target.name, folder.name, plan):
        with write_model(run.lake, run.dataset, target.name, folder.name, card) as draft:
            write_folds(folder, chosen, labels.n_folds(plan.config), draft)
            pq.write_table(table.append_column("prediction", as_lists(found.predictions[chosen.name])), draft / LABELS)
            if novelty := fit_novelty(run, labels, chosen, fold != TEST):
                novelty.save(draft / NOVELTY)
    return _metric_rows(run.dataset, folder.name, evaluation, left_out(target, found.left_out))


def _about(labels: TargetLabels, plan: TrainingPlan, chosen: Recipe) -> dict[str, Any]:
    """What a card says of the labels, the settings and the chosen recipe."""
    return {
        "format": FORMAT, "fingerprint": labels.fingerprint(plan), "data": labels.data_fingerprint(plan),
        "recipe": chosen.to_json(), "bound_target": labels.target.to_json(), "classes": labels.target.classes,
        "features": chosen.columns, "n_folds": labels.n_folds(plan.config), "n_labelled": labels.source_id.size,
        "plan": asdict(plan),
        "sky": SYNTHETIC if plan.is_synthetic else OBSERVED,
    }  # fmt: skip


def _how_good(target: Target, evaluation: Evaluation) -> dict[str, Any]:
    """What a card says of the chosen recipe out of fold: the figure that decided, with its interval, and the merit."""
    first, measured = target.parts[0], evaluation.recipes[evaluation.chosen]
    rows = measured.metrics[OUT_OF_FOLD][first.name]
    figure = next(row for row in rows if (row.metric, row.name) == (first.decides, ALL))
    return {"figure": figure._asdict(), "merit": measured.merit.value}


def _metric_rows(
    dataset: str, model_id: str, evaluation: Evaluation, failed: Mapping[str, Mapping[str, list[Metric]]]
) -> pa.Table:
    """Rows of every recipe: what was measured of it, and why nothing was of those that failed."""
    measured = {
        **{(name, part): metrics for name, own in evaluation.recipes.items() for part, metrics in own.metrics.items()},
        **{(name, OUT_OF_FOLD): metrics for name, metrics in failed.items()},
    }
    rows = [
        {**metric.row(), "dataset": dataset, "target": target, "recipe": recipe, "model_id": model_id, "split": part,
         "is_chosen": recipe == evaluation.chosen}
        for (recipe, part), by_target in measured.items() for target, metrics in by_target.items() for metric in metrics
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=METRIC.arrow())


def _commit(lake: Lake, run: Run, metrics: Sequence[pa.Table]) -> TableRef:
    """Metrics of the new models beside those of the targets that were not trained again."""
    fresh = pa.concat_tables(metrics)
    if lake.exists(METRIC):
        old = lake.read(METRIC, where={"dataset": run.dataset})
        kept = old.filter(pc.invert(pc.is_in(old["target"], value_set=fresh["target"].unique())))
        fresh = pa.concat_tables([fresh, kept.cast(fresh.schema)])
    return lake.overwrite(run.run_id, METRIC, fresh, {"dataset": run.dataset}, stage="train")
