"""Which recipes a mean is made of: those that its configuration names, or the ones that help out of fold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from tasks.learning.bootstrap import PAIRED_DRAWS
from tasks.learning.calibration import Levels
from tasks.learning.recipe import Recipe
from tasks.learning.selection import Merit
from tasks.learning.splits import TEST
from tasks.learning.targets import Target

MOST_KINDS = 6  # of models, the best ones, from which members are chosen: each more costs time and chance

Merits = Callable[[Sequence[Recipe], int], NDArray[np.float64]]  # of the mean of members, in so many resamples


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

    def merits(members: Sequence[Recipe], draws: int) -> NDArray[np.float64]:
        raw = target.mix([raws[member.name] for member in members])
        scores = target.scores(target.calibrate(raw, y[training], levels), raw)
        return target.merits(scores, y[training], draws)

    return _select_forward(trained, merits)


def _select_forward(trained: Sequence[Recipe], merits: Merits) -> tuple[Recipe, ...]:
    """Add the recipe that helps the mean most, one after the other; the fewest within the spread of the best are taken.

    Caruana et al. 2004 (ICML, "Ensemble selection from libraries of models"), without replacement and with one recipe
    of each kind of model. Only the means on the path are resampled; the others are compared by their values.
    """

    def value(*members: Recipe) -> float:
        return float(merits(members, 0)[0])

    ranked = sorted(trained, key=value, reverse=True)
    best_of_kind = {recipe.model: recipe for recipe in reversed(ranked)}  # the last that is set is the best
    left = [recipe for recipe in ranked if recipe is best_of_kind[recipe.model]][:MOST_KINDS]
    path = left[:1]
    while len(path) < len(left):
        path.append(max((recipe for recipe in left if recipe not in path), key=lambda other: value(*path, other)))
    if not path:
        return ()
    found = [merits(path[:n], PAIRED_DRAWS) for n in range(1, len(path) + 1)]
    means = [Merit(float(each[0]), each[1:]) for each in found]
    best = means[int(np.argmax([each[0] for each in found]))]
    return next(tuple(path[:n]) for n, mean in enumerate(means, 1) if not best.is_above(mean))
