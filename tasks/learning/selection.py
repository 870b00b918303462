"""Which recipe the catalogue uses: of those that are as good as the best out of fold, the simplest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas import BadInput
from tasks.learning.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Merit:
    """The figure that decides, out of fold; larger is better.

    `value` is None where it is undefined. `draws` (D,) are its values in resamples of the objects, the same ones for
    every recipe of a target.
    """

    value: float | None
    draws: NDArray[np.float64]

    def gain_over(self, other: Merit) -> tuple[float, float]:
        """How much better it is than another that is defined too, and the standard error of that: a paired bootstrap.

        Paired, because the same hard objects are wrong by all recipes: their difference is better known than each.
        """
        assert self.value is not None and other.value is not None
        return self.value - other.value, float(np.nanstd(self.draws - other.draws))

    def is_above(self, other: Merit) -> bool:
        """True where it is better by more than the spread, which is one standard error."""
        gain, spread = self.gain_over(other)
        return gain > spread


@dataclass(frozen=True)
class Choice:
    """The chosen `recipe`; the best of the others, and by how much it is worse, with the standard error of that.

    `margin` is negative where the runner-up is better, but not by more than the spread, or not a simpler one.
    """

    recipe: str
    runner_up: str | None = None
    margin: float | None = None
    spread: float | None = None


def choose(recipes: Sequence[Recipe], merits: Mapping[str, Merit]) -> Choice:
    """The recipe to use, from the merit of each: the simplest within the spread of the best, and no worse than a floor.

    The rule of one standard error (Breiman et al. 1984, Classification and Regression Trees, section 3.4.3). BadInput
    where no merit is defined.
    """
    ranked = sorted(_measured(recipes, merits), key=lambda recipe: (-_value(merits, recipe), recipe.spec.simplicity))
    if not ranked:
        raise BadInput(f"choose: none of {len(recipes)} recipes could be measured out of fold; give more labels.")
    best = merits[ranked[0].name]
    floor = max((_value(merits, recipe) for recipe in ranked if recipe.spec.is_floor), default=-np.inf)
    as_good = [r for r in ranked if not best.is_above(merits[r.name]) and _value(merits, r) >= floor]
    chosen = min(as_good, key=lambda recipe: recipe.spec.simplicity)  # of equal simplicity the first, which is better
    others = [recipe.name for recipe in ranked if recipe is not chosen]
    if not others:
        return Choice(chosen.name)
    return Choice(chosen.name, others[0], *merits[chosen.name].gain_over(merits[others[0]]))


def _measured(recipes: Sequence[Recipe], merits: Mapping[str, Merit]) -> list[Recipe]:
    return [recipe for recipe in recipes if merits[recipe.name].value is not None]


def _value(merits: Mapping[str, Merit], recipe: Recipe) -> float:
    value = merits[recipe.name].value
    assert value is not None
    return value
