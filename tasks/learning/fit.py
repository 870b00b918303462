"""The one `fit`: a recipe, examples and labels in; a model with its classes and the objects that trained it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.data import Examples
from tasks.learning.recipe import Recipe
from tasks.learning.spec import Body
from tasks.learning.targets import Target


@dataclass(frozen=True, eq=False)
class Model:
    """A trained recipe: a body for each seed of each of its parts, and its `target`, with the classes that it learned.

    `source_id` (n,) int64, sorted, are the objects that trained it, early stopping included: for a catalogue it
    may score none of these. `note` stands beside every figure of it.
    """

    recipe: Recipe
    target: Target
    source_id: NDArray[np.int64]
    bodies: tuple[Body, ...]
    note: str = ""

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Raw predictions (S, W) of the target, float64: those of all members, mixed."""
        return self.mix(self.members(examples))

    def members(self, examples: Examples) -> list[NDArray[np.float64]]:
        """Raw predictions (S, W) of every body: of each seed of each part."""
        return [body.predict(examples) for body in self.bodies]

    def mix(self, raws: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """The one raw prediction of those of all members: the mean over the seeds of a part, mixed over the parts."""
        each = iter(raws)
        return self.target.mix([np.mean([next(each) for _ in part.seeds], axis=0) for part in self.recipe.parts])

    def has_seen(self, source_id: ArrayLike) -> NDArray[np.bool_]:
        """(S,) true for objects that took part in the training."""
        return np.isin(np.asarray(source_id, np.int64), self.source_id)


def fit(
    recipe: Recipe,
    examples: Examples,
    y: ArrayLike,
    weight: ArrayLike | None = None,
    checkpoints: Path | None = None,
) -> Model:
    """Train `recipe` on S examples with labels y (S,) of its target.

    `weight` (S,) multiplies each object's part of the loss. The result depends on the recipe and the set of examples
    alone: not on their order, on the process, or on earlier random numbers. In the folder `checkpoints` long trainings
    keep their state: one that was killed goes on from there, to the same model.
    """
    y = np.asarray(y)
    if y.shape != (len(examples),) or y.size == 0:
        raise ValueError(f"recipe {recipe.name}: {y.size} labels for {len(examples)} examples; give one for each.")
    if recipe.members:
        folders = [checkpoints / each.name if checkpoints else None for each in recipe.members]
        pairs = zip(recipe.members, folders, strict=True)
        return assemble(recipe, [fit(each, examples, y, weight, folder) for each, folder in pairs])
    order = np.argsort(examples.source_id, kind="stable")
    examples, y = examples.select(order), y[order]
    own = examples.only(recipe.columns) if recipe.columns else examples
    weights = None if weight is None else np.asarray(weight, np.float64)[order]
    target = recipe.target.bind(y)
    labels = target.encode(y)
    if bare := [part.name for part, each in zip(target.parts, labels, strict=True) if not each.is_known.any()]:
        raise ValueError(f"recipe {recipe.name}: none of {y.size} objects has a label of {', '.join(bare)}.")
    bodies = tuple(
        recipe.spec.fit(recipe.config, target.parts, own, labels, weights, seed, kept)
        for seed, kept in zip(recipe.seeds, _checkpoint_paths(recipe, checkpoints), strict=True)
    )
    return Model(recipe, target, examples.source_id, bodies, target.note(y))


def assemble(recipe: Recipe, members: Sequence[Model]) -> Model:
    """The model of a recipe with members: theirs, put together as they are.

    ValueError where they have not learnt the same from the same objects.
    """
    first = members[0]
    for other in members:
        if other.target != first.target or not np.array_equal(other.source_id, first.source_id):
            raise ValueError(
                f"recipe {recipe.name}: {other.recipe.name} and {first.recipe.name} differ in their labels."
            )
    bodies = tuple(body for member in members for body in member.bodies)
    return Model(recipe, first.target, first.source_id, bodies, first.note)


def _checkpoint_paths(recipe: Recipe, folder: Path | None) -> list[Path | None]:
    """A file in `folder` for each seed of the recipe."""
    return [folder / f"seed-{seed}.safetensors" if folder else None for seed in recipe.seeds]
