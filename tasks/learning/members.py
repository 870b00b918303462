"""Which recipes a mean is made of: those that its configuration names, or the ones that help out of fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.learning.calibration import Levels
from tasks.learning.recipe import Recipe
from tasks.learning.selection import Merit
from tasks.learning.splits import TEST
from tasks.learning.targets import Target

MOST_KINDS = 6  # of models, the best ones, from which members are chosen: each more costs time and chance

Mix = Callable[[Sequence[Recipe]], Merit]


def choose_members(
    names: Sequence[str],
    trained: Sequence[Recipe],
    target: Target,
    predictions: Mapping[str, NDArray[np.float64]],
    y: NDArray,
    fold: NDArray[np.int8],
    levels: Levels,
) -> tuple[Recipe, ...]:
    """Those of the `trained` recipes that are called `names`, or without names those that forward selection takes.

    `predictions` are raw (S, W), of which only the out-of-fold part is looked at. With one member or none no mean is of
    use.
    """
    if names:
        return tuple(recipe for recipe in trained if recipe.name in names)
    training = fold != TEST
    raws = {recipe.name: predictions[recipe.name][training] for recipe in trained}

    def mix(members: Sequence[Recipe]) -> Merit:
        raw = target.mix([raws[member.name] for member in members])
        scores = target.scores(target.calibrate(raw, y[training], levels), raw)
        draws = target.merit_draws(scores, y[training])
        return Merit(float(np.nanmean(draws)), draws)

    return _select_forward(trained, mix)


def _select_forward(trained: Sequence[Recipe], mix: Mix) -> tuple[Recipe, ...]:
    """Add the recipe that helps the mean most, one after the other; the fewest within the spread of the best are taken.

    Caruana et al. 2004 (ICML, "Ensemble selection from libraries of models"), without replacement and with one recipe
    of each kind of model.
    """
    alone = {recipe.name: mix([recipe]) for recipe in trained}
    ranked = sorted(trained, key=lambda recipe: -_value(alone[recipe.name]))
    best_of_kind = {recipe.model: recipe for recipe in reversed(ranked)}  # the last that is set is the best
    left = [recipe for recipe in ranked if recipe is best_of_kind[recipe.model]][:MOST_KINDS]
    path: list[tuple[tuple[Recipe, ...], Merit]] = [((recipe,), alone[recipe.name]) for recipe in left[:1]]
    for _ in left[1:]:
        members = path[-1][0]
        longer = [(*members, other) for other in left if other not in members]
        path.append(max(((each, mix(each)) for each in longer), key=lambda step: _value(step[1])))
    best = max((merit for _, merit in path), key=_value, default=None)
    return next((members for members, merit in path if best is not None and not best.is_above(merit)), ())


def _value(merit: Merit) -> float:
    return -np.inf if merit.value is None else merit.value
