"""Two predictions of the same objects compared: the difference of their figures, resampled over the objects."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tasks.learning.bootstrap import interval, paired_counts, resamples
from tasks.learning.metrics import ALL, Metric, confusion_figures

DRAWS = 1_000
COMPARED = ("accuracy", "macro_f1")
Resamples = dict[str, NDArray[np.float64]]  # figure to its values (1 + D,): of the objects, then of each resample


def resample_classes(
    truth: NDArray[np.int64], decided: NDArray[np.int64], n_class: int, draws: int = DRAWS
) -> Resamples:
    """Accuracy and macro F1 of predicted codes `decided` (S,) of objects of the codes `truth` (S,)."""
    cells = truth * n_class + decided
    count = np.bincount(cells, minlength=n_class**2)
    figures = confusion_figures(np.vstack([count, paired_counts(cells, n_class**2, draws)]), n_class)
    return {name: figures[name] for name in COMPARED}


def resample_values(y: NDArray[np.float64], value: NDArray[np.float64], draws: int = DRAWS) -> Resamples:
    """RMSE and MAE of predicted `value` (S,) of objects of true value y (S,)."""
    size = np.abs(value - y)

    def figures(index: NDArray[np.int64]) -> NDArray[np.float64]:
        own = size[index]
        return np.stack([np.sqrt((own**2).mean(1)), own.mean(1)], axis=1)

    rmse, mae = np.vstack([figures(np.arange(y.size)[None]), *map(figures, resamples(y.size, draws))]).T
    return {"rmse": rmse, "mae": mae}


def subtract(figures: Mapping[str, NDArray], other: Mapping[str, NDArray], n: int) -> list[Metric]:
    """Each figure minus that of the `other` prediction of the same n objects, with its 95 % interval."""
    found = []
    for name, values in figures.items():
        difference = values - other[name]
        (lo,), (hi,) = interval(difference[1:, None])
        found.append(Metric(name, ALL, float(difference[0]), float(lo), float(hi), n, None))
    return found
