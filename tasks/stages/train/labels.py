"""The labelled sources of each target, as the lake has them, and the recipes that compete for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.bands import read_bands
from lakehouse.column_names import BAND, CLASS, read_column_names
from lakehouse.delta.store import Lake
from lakehouse.lineage import fingerprint
from lakehouse.quantities import read_quantity
from lakehouse.run import Run
from schemas import TABLES
from schemas.arrays import align, align_all, floats
from tasks.features import declared_columns, keep_independent
from tasks.learning import LEARNING_VERSION
from tasks.learning.persistence import FORMAT
from tasks.learning.recipe import Recipe
from tasks.learning.recipes import recipes_for
from tasks.learning.spec import Offer
from tasks.learning.splits import TEST, same_star
from tasks.learning.targets import Regression, Target, targets_for
from tasks.learning.training_config import TrainingConfig
from tasks.stages.inputs import count_epochs, read_feature_names
from tasks.surveys import sources_of_labels

LEAST_LABELS = 10  # of sources with an epoch: with fewer no target is trained, whatever the settings say
FEATURES, SAMPLE, CLEAN, FOLD = (
    TABLES[name]
    for name in ("feature_sample__source", "core_sample__source", "core_sample__epoch", "label_sample__fold")
)


@dataclass(frozen=True, eq=False)
class Labelled:
    """Sorted ids (S,) and labels y (S,) of a target.

    `sources`: the values of catalogues that the labels were derived from, which no model may read; None where it may
    read everything, as classes do.
    """

    source_id: NDArray[np.int64]
    y: NDArray[Any]
    sources: frozenset[str] | None = None


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained, the seed that all seeds count from, whether the times of the epochs are times, and whether the
    stars are simulated.
    """

    config: TrainingConfig
    seed: int = 0
    has_time: bool = True
    is_synthetic: bool = False


@dataclass(frozen=True, eq=False)
class TargetLabels:
    """The labelled sources (S,) of one target, in the order of source_id, and its recipes.

    `target` is bound to the labels `y`. `star` is equal where two ids are one star: both go to the same fold.
    `period_day` are published periods, NaN where there is none.
    `published` is the fold that each was published in, -1 for none; None where the dataset names no folds.
    """

    target: Target
    source_id: NDArray[np.int64]
    y: NDArray[Any]
    feature_hash: NDArray[np.int64]
    star: NDArray[np.int64]
    period_day: NDArray[np.float64]
    recipes: tuple[Recipe, ...]
    published: NDArray[np.int32] | None = None

    def n_folds(self, config: TrainingConfig) -> int:
        """How many models are trained: one without each fold."""
        if self.published is None:
            return config.n_folds
        return np.unique(self.published[self.published != TEST]).size

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature columns that its recipes read."""
        return tuple(sorted({name for recipe in self.recipes for name in recipe.columns}))

    def data_fingerprint(self, plan: TrainingPlan) -> str:
        """Changes with the labels, the features of the labelled sources, and what is held out."""
        return fingerprint(
            self.target.to_json(), self.source_id, "\n".join(map(str, self.y)), self.feature_hash,
            self.published, plan.config.test_fraction, plan.seed,
        )  # fmt: skip

    def fingerprint(self, plan: TrainingPlan) -> str:
        """Changes with the labels, the features of the labelled sources, the recipes and the splits."""
        config = plan.config
        recipes = [recipe.to_json() for recipe in self.recipes]
        folds = config.n_folds if self.published is None else self.published
        return fingerprint(
            LEARNING_VERSION, FORMAT, self.target.to_json(), self.source_id, "\n".join(map(str, self.y)),
            self.feature_hash, self.period_day, recipes, folds, config.test_fraction, config.levels, plan.seed,
        )  # fmt: skip

    def model_id(self, plan: TrainingPlan) -> str:
        """Name of the model that will be trained of it."""
        return f"{self.target.name}-{self.fingerprint(plan)}"


def read_target_labels(lake: Lake, run: Run, plan: TrainingPlan) -> list[TargetLabels]:
    """Every target with enough labels, with the recipes that can be trained on what the dataset has."""
    where = {"dataset": run.dataset}
    sample = lake.read(SAMPLE, columns=["source_id", "ra", "dec"], where=where)
    features = lake.read(FEATURES, columns=["source_id", "input_hash"], where=where)
    features = features.filter(pc.is_in(features["source_id"], value_set=sample["source_id"].combine_chunks()))
    every = features["source_id"].to_numpy()
    n_epoch = count_epochs(lake, where, every)
    if n_epoch is not None:  # a source that the cuts left nothing of has nothing to learn from
        features = features.filter(pa.array(n_epoch > 0))
    source_id, hashes = features["source_id"].to_numpy(), features["input_hash"].to_numpy()
    star = same_star(floats(sample["ra"]), floats(sample["dec"]))
    place = align_all(source_id, sample["source_id"].to_numpy(), SAMPLE.name)
    labelled = _labels(lake, run.dataset, every, source_id, plan.config)
    offer = read_offer(lake, run.dataset, plan.has_time)
    bands, classes = (read_column_names(lake, run.dataset, kind) for kind in (BAND, CLASS))
    options = name_bands(plan.config.options, bands)
    found = []
    for target, recipes in group_by_target(recipes_for(plan.config.recipes, list(labelled), options)):
        own = join_labels(target, labelled)
        if fed := complete_recipes(recipes, leave_out_dependent(own.sources, offer), plan):
            row = align(own.source_id, source_id)
            period = read_periods(lake, run.dataset, own.source_id, plan.config)
            bound = target.bind(own.y).name_columns(classes)
            published = read_published_folds(lake, run.dataset, own.source_id)
            found.append(
                TargetLabels(bound, own.source_id, own.y, hashes[row], star[place[row]], period, fed, published)
            )
    return found


def read_periods(lake: Lake, dataset: str, source_id: NDArray[np.int64], config: TrainingConfig) -> NDArray[np.float64]:
    """Published periods [day] of sources (S,), NaN where there is none.

    Reference or not: a model learns at which candidate a labelled star trains, and never reads one of what it scores.
    """
    period = Regression.of("period_day")
    source = period.label_source
    rows = lake.read(source.table, where={"dataset": dataset, "quantity": period.name})
    ids, y = take_first_labels(rows, period, config.label_origins)
    found = np.full(source_id.size, np.nan)
    known = np.isin(source_id, ids)
    found[known] = y[align(source_id[known], ids)]
    return found


def read_published_folds(lake: Lake, dataset: str, source_id: NDArray[np.int64]) -> NDArray[np.int32] | None:
    """The fold that each source was published in, (S,), -1 where it has none; None unless there are two of them."""
    if not lake.exists(FOLD):
        return None
    rows = lake.read(FOLD, columns=["source_id", "fold"], where={"dataset": dataset})
    place = align(source_id, rows["source_id"].to_numpy())
    code = np.unique(rows["fold"].to_numpy(), return_inverse=True)[1]
    fold = np.append(code, TEST)[place].astype(np.int32)  # -1, of an absent source, is the last
    return fold if np.unique(fold[fold != TEST]).size > 1 else None


def name_bands(options: Mapping[str, Mapping[str, Any]], renamed: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """The options of recipes, whose `bands` are those of the archive, with the names that these have in the lake."""
    return {
        recipe: {
            key: [renamed.get(band, band) for band in value] if key == "bands" else value for key, value in own.items()
        }
        for recipe, own in options.items()
    }


def read_offer(lake: Lake, dataset: str, has_time: bool) -> Offer:
    """What the dataset has for models to read."""
    own = read_bands(lake, dataset)
    declared = declared_columns(own.names, tuple(dict.fromkeys(own.surveys)))
    columns = {name: declared.get(name) for name in read_feature_names(lake, dataset)}
    return Offer(columns, lake.exists(CLEAN) and lake.count(CLEAN, dataset=dataset) > 0, has_time)


def leave_out_dependent(sources: frozenset[str] | None, offer: Offer) -> Offer:
    """What is on offer without the columns that share a source with the labels; None leaves out nothing."""
    if sources is None:
        return offer
    declared = {name: column for name, column in offer.columns.items() if column is not None}
    kept = keep_independent(offer.columns, declared, sources)
    return replace(offer, columns={name: offer.columns[name] for name in kept})


def complete_recipes(recipes: Sequence[Recipe], offer: Offer, plan: TrainingPlan) -> tuple[Recipe, ...]:
    """The recipes whose models can be fed, with the columns that they read, and seeds that count from the plan's."""
    fed = (_with_seeds(recipe, plan.config.n_seeds) for recipe in recipes if not recipe.lacks(offer))
    return tuple(recipe.complete_for(offer, plan.seed) for recipe in fed)


def _with_seeds(recipe: Recipe, n: int) -> Recipe:
    """With n seeds or more; a baseline, which costs nothing, would learn the same with each."""
    return replace(recipe, seeds=tuple(range(n))) if recipe.spec.cost and n > len(recipe.seeds) else recipe


def group_by_target(recipes: Sequence[Recipe]) -> list[tuple[Target, tuple[Recipe, ...]]]:
    """The recipes that compete for each target; what is learnt jointly with others is not also learnt alone."""
    groups: dict[tuple[Target, ...], list[Recipe]] = {}
    for recipe in recipes:
        groups.setdefault(recipe.targets, []).append(recipe)
    jointly = {(part,) for targets in groups if len(targets) > 1 for part in targets}
    return [(own[0].target, tuple(own)) for targets, own in groups.items() if targets not in jointly]


def join_labels(target: Target, labelled: Mapping[Target, Labelled]) -> Labelled:
    """The labels of a target, for every source that has a label of one of its parts."""
    own = [labelled[part] for part in target.parts]
    source_id = np.unique(np.concatenate([each.source_id for each in own]))
    y = target.labels_of([_spread(part, each, source_id) for part, each in zip(target.parts, own, strict=True)])
    sources = [each.sources for each in own if each.sources is not None]
    return Labelled(source_id, y, frozenset().union(*sources) if sources else None)


def _spread(part: Target, labelled: Labelled, wanted: NDArray[np.int64]) -> NDArray[Any]:
    """Labels of the `wanted` sources, `part.missing` where there is none."""
    spread = np.full(wanted.size, part.missing, labelled.y.dtype)
    spread[align(labelled.source_id, wanted)] = labelled.y
    return spread


def _labels(
    lake: Lake, dataset: str, every: NDArray[np.int64], usable: NDArray[np.int64], config: TrainingConfig
) -> dict[Target, Labelled]:
    """Labels of the `usable` (U,) sources, of each target that has enough among `every` (S,) source with features."""
    found = {}
    for target in targets_for(read_quantity(lake, dataset, name) for name in config.quantities):
        ids, y, sources = _read_labels(lake, dataset, target, config)
        kept, n_label = np.isin(ids, usable), np.count_nonzero(np.isin(ids, every))
        if n_label >= config.min_labels and kept.sum() >= LEAST_LABELS and target.is_learnable(y[kept]):
            found[target] = Labelled(ids[kept], y[kept], sources)
    return found


def _read_labels(
    lake: Lake, dataset: str, target: Target, config: TrainingConfig
) -> tuple[NDArray[np.int64], NDArray[Any], frozenset[str] | None]:
    """Ids, labels, and what the labels were derived from."""
    source = target.label_source
    rows = lake.read(source.table, where={"dataset": dataset, **source.where})
    origins = rows["origin"].unique().to_pylist()
    ids, y = take_first_labels(rows, target, config.label_origins)
    return ids, y, sources_of_labels(origins) if source.is_derived else None


def take_first_labels(rows: pa.Table, target: Target, origins: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Source ids and labels, one of each source: that of the origin that comes first in `origins`.

    `rows` are those of the target's `label_source`; a row without a label that can be learnt does not count.
    """
    labels = pa.table({target.name: rows[target.label_source.column]})
    y, ids = target.from_columns(labels), rows["source_id"].to_numpy()
    place = pc.index_in(rows["origin"], value_set=pa.array(origins, pa.string()))
    rank = pc.fill_null(place, len(origins)).to_numpy(zero_copy_only=False)
    usable = np.flatnonzero(target.is_usable(y))
    order = usable[np.lexsort((rank[usable], ids[usable]))]
    source_id, first = np.unique(ids[order], return_index=True)
    return source_id, y[order[first]]
