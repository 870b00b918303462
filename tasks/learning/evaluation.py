"""From the predictions of every recipe to the one the catalogue uses, its calibration, and all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.calibration import ConformalInterval, Temperature
from tasks.learning.fit import to_learned, to_physical
from tasks.learning.metrics import Metric, classification_metrics, regression_metrics
from tasks.learning.recipe import Recipe
from tasks.learning.selection import choose
from tasks.learning.splits import TEST

Calibration = Temperature | ConformalInterval


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The chosen recipe, the calibration of each recipe, and metric rows by recipe and split ("oof", "test")."""

    chosen: str
    calibration: dict[str, Calibration]
    metrics: dict[str, dict[str, list[Metric]]]


@dataclass(frozen=True, eq=False)
class Scores:
    """Calibrated predictions: `proba` (S, C), or `value`, `lo`, `hi` (S,) in physical units."""

    proba: NDArray[np.float64] | None = None
    value: NDArray[np.float64] | None = None
    lo: NDArray[np.float64] | None = None
    hi: NDArray[np.float64] | None = None

    def quantity(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """value, lo and hi of a regressor's scores."""
        assert self.value is not None and self.lo is not None and self.hi is not None
        return self.value, self.lo, self.hi


def evaluate(
    recipes: Sequence[Recipe], predictions: Mapping[str, NDArray[np.float64]], y: NDArray, fold: NDArray[np.int8],
    classes: Sequence[str], level: float, notes: Mapping[str, str],
) -> Evaluation:  # fmt: skip
    """Calibrate and measure every recipe of one target, and choose among them.

    `predictions` holds per recipe (S, C) probabilities, or (S, 2) mean and sigma in the learned space: out of fold
    where `fold` (S,) is 0 or more, by all models where it is -1, the held-out part. Calibration and choice see the
    out-of-fold part alone; the held-out part is looked at once, for its figures.
    """
    training = fold != TEST
    calibration: dict[str, Calibration] = {}
    metrics: dict[str, dict[str, list[Metric]]] = {}
    for recipe in recipes:
        raw = predictions[recipe.name]
        calibration[recipe.name] = _calibration(recipe, raw[training], y[training], classes, level)
        scores = calibrated(recipe, calibration[recipe.name], raw)
        metrics[recipe.name] = {
            name: _measure(recipe, _part(scores, part), y[part], classes, notes.get(recipe.name, ""))
            for name, part in (("oof", training), ("test", ~training))
        }
    out_of_fold = {name: by_split["oof"] for name, by_split in metrics.items()}
    chosen = choose(out_of_fold, recipes[0].kind, {recipe.name: recipe.model for recipe in recipes})
    return Evaluation(chosen, calibration, metrics)


def calibrated(recipe: Recipe, calibration: Calibration, raw: NDArray[np.float64]) -> Scores:
    """Scores from raw predictions (S, C) or (S, 2)."""
    if isinstance(calibration, Temperature):
        return Scores(proba=calibration.apply(raw))
    lo, hi = calibration.interval(raw[:, 0], raw[:, 1])
    return Scores(value=to_physical(recipe, raw[:, 0]), lo=to_physical(recipe, lo), hi=to_physical(recipe, hi))


def calibration_to_json(calibration: Calibration) -> dict[str, Any]:
    """Plain dictionary for a card; an infinite width is null, because JSON has no infinity."""
    fields = {name: value if np.isfinite(value) else None for name, value in vars(calibration).items()}
    return {"kind": type(calibration).__name__, **fields}


def calibration_from_json(card: dict[str, Any]) -> Calibration:
    """Inverse of `calibration_to_json`."""
    fields = {name: np.inf if value is None else value for name, value in card.items() if name != "kind"}
    return {"Temperature": Temperature, "ConformalInterval": ConformalInterval}[card["kind"]](**fields)


def _calibration(
    recipe: Recipe, raw: NDArray[np.float64], y: NDArray, classes: Sequence[str], level: float
) -> Calibration:
    if recipe.kind == "classifier":
        return Temperature.fit(raw, np.searchsorted(classes, y.astype(str)))
    return ConformalInterval.fit(to_learned(recipe, y), raw[:, 0], raw[:, 1], level)


def _part(scores: Scores, part: NDArray[np.bool_]) -> Scores:
    return Scores(**{name: None if values is None else values[part] for name, values in vars(scores).items()})


def _measure(recipe: Recipe, scores: Scores, y: NDArray, classes: Sequence[str], note: str) -> list[Metric]:
    if scores.proba is not None:
        return classification_metrics(y, scores.proba, classes, note)
    return regression_metrics(y, *scores.quantity(), note=note)
