"""How good predictions are, each figure with a 95 % bootstrap interval over objects, as rows of score_model__metric."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.bootstrap import DRAWS, bootstrap, class_counts, interval
from tasks.learning.calibration import BINS, expected_calibration_error

ALL = "all"
PROBABILITY_FLOOR = 1e-12  # a class given no chance at all costs 27.6, not infinity
OVERALL = ("accuracy", "balanced_accuracy", "macro_f1")
PER_CLASS = ("precision", "recall", "f1")


class Metric(NamedTuple):
    """One row: value with its interval [lo, hi] (None where undefined) of `metric` for `name` (a class, or "all")."""

    metric: str
    name: str
    value: float | None
    lo: float | None
    hi: float | None
    n: int
    note: str | None

    def row(self) -> dict[str, Any]:
        """As a row of score_model__metric: its column is called class, which Python does not allow here."""
        found = self._asdict()
        found["class"] = found.pop("name")
        return found


def overall(rows: Sequence[Metric], metric: str) -> float | None:
    """Value of `metric` over all objects; None where it is undefined or absent."""
    return next((row.value for row in rows if (row.metric, row.name) == (metric, ALL)), None)


def classification_metrics(
    y: ArrayLike,
    proba: NDArray[np.float64],
    classes: Sequence[str],
    note: str = "",
    draws: int = DRAWS,
    seed: int = 0,
    decided: NDArray[np.int64] | None = None,
) -> list[Metric]:
    """Metrics of S objects of true class y (S,) and predicted `proba` (S, C): overall, per class, confusion counts.

    `decided` (S,) are the codes of the predicted classes, None where they are the most probable ones. Log loss and
    expected calibration error are of the probabilities, whatever is decided from them.
    A class that y holds but `classes` does not counts as always wrong. A class without a member in y has no recall
    and no F1: its rows state that. Macro F1 is the mean over classes that are true or predicted somewhere, as in
    scikit-learn; balanced accuracy is the mean recall over classes with members.
    """
    y = np.asarray(y).astype(str)
    names = [*classes, *sorted(set(y.tolist()) - set(classes))]
    proba = np.pad(np.asarray(proba, np.float64), ((0, 0), (0, len(names) - len(classes))))
    if y.size == 0:
        return [Metric(metric, ALL, None, None, None, 0, "No object with a label.") for metric in OVERALL]
    truth, guess = _codes(y, names), proba.argmax(1) if decided is None else decided
    n = len(names)
    count = np.bincount(truth * n + guess, minlength=n * n)
    draw = class_counts(truth * n + guess, n * n, draws, seed)
    point, spread = confusion_figures(count[None], n), confusion_figures(draw, n)
    members = np.bincount(truth, minlength=n)
    rows = _of_all(point, spread, members, names, note)
    rows += _continuous(truth, proba, y.size, note, draws, seed)
    rows += _per_class(point, spread, members, names, note)
    return rows + _confusion(count.reshape(n, n), members, names)


def regression_metrics(
    y: ArrayLike, value: ArrayLike, note: str = "", draws: int = DRAWS, seed: int = 0
) -> list[Metric]:
    """RMSE, MAE, R2 and median bias (predicted minus true) of values (S,) against y (S,), in one unit."""
    y, value = np.asarray(y, np.float64), np.asarray(value, np.float64)
    if y.size == 0:
        return [Metric(metric, ALL, None, None, None, 0, "No object with a label.") for metric in ("rmse", "mae")]
    figures = _regression_figures(y, value)
    return _with_interval(("rmse", "mae", "r2", "median_bias"), figures, y.size, note, draws, seed)


def confusion_matrix(y: ArrayLike, guess: ArrayLike, classes: Sequence[str]) -> NDArray[np.int64]:
    """Counts (C, C): true class down, predicted class across, in the order of `classes`."""
    n = len(classes)
    cells = _codes(np.asarray(y).astype(str), classes) * n + _codes(np.asarray(guess).astype(str), classes)
    return np.bincount(cells, minlength=n * n).reshape(n, n)


def _codes(labels: NDArray, classes: Sequence[str]) -> NDArray[np.int64]:
    names = np.asarray(classes)
    order = np.argsort(names)
    return order[np.searchsorted(names, labels, sorter=order)]


def confusion_figures(count: NDArray[np.int64], n: int) -> dict[str, NDArray[np.float64]]:
    """Figures of D confusion matrices (D, n*n); NaN where one is undefined."""
    matrix = count.reshape(-1, n, n).astype(np.float64)
    hit, true, predicted = np.diagonal(matrix, axis1=1, axis2=2), matrix.sum(2), matrix.sum(1)
    with np.errstate(invalid="ignore"):
        recall, precision, f1 = hit / true, hit / predicted, 2 * hit / (true + predicted)
        return {
            "accuracy": hit.sum(1) / matrix.sum((1, 2)),
            "balanced_accuracy": np.nansum(recall, 1) / np.isfinite(recall).sum(1),
            "macro_f1": np.nansum(f1, 1) / np.isfinite(f1).sum(1),
            "precision": precision,
            "recall": recall,
            "f1": f1,
        }


def _of_all(
    point: dict[str, NDArray], spread: dict[str, NDArray], members: NDArray[np.int64], names: list[str], note: str
) -> list[Metric]:
    absent = [name for name, n in zip(names, members, strict=True) if n == 0]
    absence = f"No member in this part: {', '.join(absent)}." if absent else ""
    rows = []
    for metric in OVERALL:
        lo, hi = interval(spread[metric][:, None])
        rows.append(_metric(metric, ALL, point[metric][0], lo[0], hi[0], int(members.sum()), f"{note} {absence}"))
    return rows


def _per_class(
    point: dict[str, NDArray], spread: dict[str, NDArray], members: NDArray[np.int64], names: list[str], note: str
) -> list[Metric]:
    rows = []
    for metric in PER_CLASS:
        lo, hi = interval(spread[metric])
        for c, name in enumerate(names):
            if members[c] == 0:
                rows.append(Metric(metric, name, None, None, None, 0, "No member of the class in this part."))
            else:
                rows.append(_metric(metric, name, point[metric][0, c], lo[c], hi[c], int(members[c]), note))
    return rows


def _confusion(matrix: NDArray[np.int64], members: NDArray[np.int64], names: list[str]) -> list[Metric]:
    """Counts as metric "confusion:<predicted>" of the true class; without an interval, they are counts."""
    return [
        Metric(f"confusion:{predicted}", name, float(matrix[t, p]), None, None, int(members[t]), None)
        for t, name in enumerate(names)
        for p, predicted in enumerate(names)
        if members[t]
    ]


def _continuous(
    truth: NDArray[np.int64], proba: NDArray[np.float64], n: int, note: str, draws: int, seed: int
) -> list[Metric]:
    """Log loss and expected calibration error."""
    loss = -np.log(np.maximum(proba[np.arange(n), truth], PROBABILITY_FLOOR))
    confidence, correct = proba.max(1), (proba.argmax(1) == truth).astype(np.float64)

    def figures(index: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.stack([loss[index].mean(1), expected_calibration_error(confidence[index], correct[index], BINS)], 1)

    return _with_interval(("log_loss", "ece"), figures, n, note, draws, seed)


def _regression_figures(y: NDArray[np.float64], value: NDArray[np.float64]) -> Any:
    residual = value - y

    def figures(index: NDArray[np.int64]) -> NDArray[np.float64]:
        r = residual[index]
        square, total = (r**2).mean(1), y[index].var(1)
        r2 = 1 - np.divide(square, total, out=np.full(square.shape, np.nan), where=total > 0)
        return np.stack([np.sqrt(square), np.abs(r).mean(1), r2, np.median(r, 1)], 1)

    return figures


def _with_interval(names: Sequence[str], figures: Any, n: int, note: str, draws: int, seed: int) -> list[Metric]:
    point = figures(np.arange(n)[None])[0]
    lo, hi = interval(bootstrap(figures, n, draws, seed))
    return [_metric(name, ALL, point[i], lo[i], hi[i], n, note) for i, name in enumerate(names)]


def _metric(metric: str, name: str, value: float, lo: float, hi: float, n: int, note: str) -> Metric:
    if not np.isfinite(value):
        why = "the class is never predicted" if metric in PER_CLASS else "the labels do not differ"
        return Metric(metric, name, None, None, None, n, f"{note} Undefined: {why}.".strip())
    ends = (float(lo), float(hi)) if np.isfinite(lo) and np.isfinite(hi) else (None, None)
    return Metric(metric, name, float(value), ends[0], ends[1], n, note.strip() or None)
