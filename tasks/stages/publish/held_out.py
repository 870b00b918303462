"""Predictions of the chosen models for the labelled sources that none of them saw, as the report shows them; of a
dataset on published folds, of which none are held out, those out of fold."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from lakehouse.models import LABELS, ModelPlace, explain_damaged_model, model_dir
from lakehouse.run import Run
from tasks.learning.evaluation import HELD_OUT, OUT_OF_FOLD
from tasks.learning.splits import TEST
from tasks.learning.targets import Classification, ClassScores, QuantityScores, Regression, Target, target_from_json
from tasks.reporting.data import HeldOutClasses, HeldOutQuantity

Shown = HeldOutClasses | HeldOutQuantity


def read_held_out(place: ModelPlace | Run, cards: Mapping[str, Mapping[str, Any]]) -> list[Shown]:
    """What each part of each target shows of the held-out part."""
    return [shown for name, card in cards.items() for shown in _of_model(place, name, card)]


def _of_model(place: ModelPlace | Run, name: str, card: Mapping[str, Any]) -> list[Shown]:
    folder = model_dir(place.lake, place.dataset, name, card["model_id"])
    with explain_damaged_model(folder):
        labels = pq.read_table(folder / LABELS)
    is_shown, split = np.equal(labels["fold"].to_numpy(), TEST), HELD_OUT
    if not is_shown.any():
        is_shown, split = ~is_shown, OUT_OF_FOLD
    labels = labels.filter(is_shown)
    raw = labels["prediction"].combine_chunks()
    target = target_from_json(card["bound_target"])
    calibration = target.calibration_from_json(card["calibration"])
    scores = target.scores(calibration, raw.flatten().to_numpy().reshape(len(raw), target.width))
    recipe, level = card["recipe"]["name"], card["plan"]["config"]["interval_level"]
    parts = target.of_parts(target.from_columns(labels), scores)
    return [show_part(part, y, own, recipe, level, split) for part, y, own in parts]


@singledispatch
def show_part(part: Target, y: NDArray[Any], scores: Any, recipe: str, level: float, split: str) -> Shown:
    """What the report shows of one kind of target: labels y (S,) and scores of the sources of `split`."""
    raise NotImplementedError(f"{type(part).__name__}: the report has no figure for such a target.")


@show_part.register
def _(part: Classification, y: NDArray[Any], scores: ClassScores, recipe: str, level: float, split: str) -> Shown:
    truth = np.searchsorted(part.classes, y.astype(str))
    return HeldOutClasses(truth, scores.decided, scores.proba, part.classes, recipe, split)


@show_part.register
def _(part: Regression, y: NDArray[Any], scores: QuantityScores, recipe: str, level: float, split: str) -> Shown:
    return HeldOutQuantity(
        part.name, part.about.shown_unit, y, scores.value, scores.lo, scores.hi, level=level, recipe=recipe
    )
