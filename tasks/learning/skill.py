"""Whether a predicted quantity says more of a star than its class does: its error against that of the class median."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.learning.bootstrap import bootstrap, interval
from tasks.learning.coverage import FEWEST
from tasks.learning.metrics import ALL, Metric

SKILL = "skill"
DRAWS = 400  # of a row for each class: the ends of the interval are good to some per cent of its width


def skill_metrics(
    y: NDArray[np.float64], value: NDArray[np.float64], label: NDArray[np.str_], note: str = ""
) -> list[Metric]:
    """1 - RMSE / RMSE of the median of the labels of the class, with a 95 % bootstrap interval, by class.

    Of the S objects with true y (S,), predicted `value` (S,) and class `label` (S,), "" where unknown: all that have a
    class, and each class with `FEWEST` of them. Where the interval is not above 0 the class is as good a guess. Classes
    whose labels do not differ have no row.
    """
    median = np.full(y.size, np.nan)
    for name in np.unique(label[label != ""]):
        own = label == name
        median[own] = np.median(y[own]) if np.count_nonzero(own) >= FEWEST else np.nan
    known = np.isfinite(median)
    masks = {ALL: known} | {str(name): known & (label == name) for name in np.unique(label[known])}
    rows = (_skill(name, y[own], value[own], median[own], note) for name, own in masks.items() if own.any())
    return [row for row in rows if row is not None]


def _skill(
    name: str, y: NDArray[np.float64], value: NDArray[np.float64], median: NDArray[np.float64], note: str
) -> Metric | None:
    squares = np.stack([value - y, median - y]) ** 2
    if not squares[1].any():
        return None

    def figure(index: NDArray[np.int64]) -> NDArray[np.float64]:
        own, guess = squares[0][index].mean(1), squares[1][index].mean(1)
        ratio = np.divide(own, guess, out=np.full(own.shape, np.nan), where=guess > 0)
        return 1 - np.sqrt(ratio)[:, None]

    (lo,), (hi,) = interval(bootstrap(figure, y.size, DRAWS))
    return Metric(SKILL, name, float(figure(np.arange(y.size)[None])[0, 0]), float(lo), float(hi), y.size, note or None)
