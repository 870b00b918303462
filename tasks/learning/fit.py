"""The one `fit`: a recipe, examples and labels in; a model that knows its classes and whom it has seen out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.body import Body
from tasks.learning.data import Examples
from tasks.learning.models import family
from tasks.learning.recipe import Recipe

SMALL_CLASS = 5


@dataclass(frozen=True, eq=False)
class Model:
    """A trained recipe. `classes` (C,) in the order of the probabilities, () for a regressor.

    `source_id` (n,) int64, sorted, are the objects it has seen, early stopping included: it may never score these
    for a catalogue. `note` is what every figure of it must say.
    """

    recipe: Recipe
    classes: tuple[str, ...]
    source_id: NDArray[np.int64]
    body: Body
    note: str = ""

    def predict_proba(self, examples: Examples) -> NDArray[np.float64]:
        """Class probabilities (S, C) float64, in the order of `classes`."""
        if self.recipe.kind != "classifier":
            raise ValueError(f"recipe {self.recipe.name} of {self.recipe.target} is a regressor; ask for predict.")
        return self.body.proba(examples)

    def predict(self, examples: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean (S,) and sigma (S,) float64, in the learned space: log10 of the quantity for a log target.

        `to_learned` and `to_physical` convert; sigma is a relative measure, made an interval by `ConformalInterval`.
        """
        if self.recipe.kind != "regressor":
            raise ValueError(
                f"recipe {self.recipe.name} of {self.recipe.target} is a classifier; ask for predict_proba."
            )
        return self.body.value(examples)

    def has_seen(self, source_id: ArrayLike) -> NDArray[np.bool_]:
        """(S,) true for objects that took part in the training."""
        return np.isin(np.asarray(source_id, np.int64), self.source_id)


def fit(recipe: Recipe, examples: Examples, y: ArrayLike, weight: ArrayLike | None = None) -> Model:
    """Train `recipe` on S labelled examples: y (S,) of class names, or of finite numbers in physical units.

    `weight` (S,) multiplies each object's part of the loss. The result depends on the recipe and the set of examples
    alone: not on their order, on the process, or on earlier random numbers.
    """
    y = np.asarray(y)
    if y.shape != (len(examples),) or y.size == 0:
        raise ValueError(f"recipe {recipe.name}: {y.size} labels for {len(examples)} examples; give one for each.")
    order = np.argsort(examples.source_id, kind="stable")
    examples, y = examples.select(order), y[order]
    weight = None if weight is None else np.asarray(weight, np.float64)[order]
    module = family(recipe.model)
    if recipe.kind == "regressor":
        body = module.fit(recipe, examples, to_learned(recipe, y), 0, weight)
        return Model(recipe, (), examples.source_id, body)
    names, codes, count = np.unique(y.astype(str), return_inverse=True, return_counts=True)
    body = module.fit(recipe, examples, codes.astype(np.int64), names.size, weight)
    return Model(recipe, tuple(names.tolist()), examples.source_id, body, _small_classes(names, count))


def to_learned(recipe: Recipe, y: ArrayLike) -> NDArray[np.float64]:
    """Values in the space that is learned: log10 for a log target; ValueError where that is not finite."""
    y = np.asarray(y, np.float64)
    wrong = ~np.isfinite(y) | (y <= 0 if recipe.log_target else False)
    if wrong.any():
        kind = "finite and positive" if recipe.log_target else "finite"
        raise ValueError(f"{recipe.target}: {int(wrong.sum())} of {y.size} labels are not {kind}; leave them out.")
    return np.log10(y) if recipe.log_target else y


def to_physical(recipe: Recipe, value: ArrayLike) -> NDArray[np.float64]:
    """Inverse of `to_learned`; a log target is positive whatever the value."""
    value = np.asarray(value, np.float64)
    return 10.0**value if recipe.log_target else value


def _small_classes(names: NDArray, count: NDArray[np.int64]) -> str:
    small = count < SMALL_CLASS
    if not small.any():
        return ""
    listed = ", ".join(f"{name} ({n})" for name, n in zip(names[small], count[small], strict=True))
    return f"Trained on fewer than {SMALL_CLASS} members: {listed}."
