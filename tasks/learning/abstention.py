"""What sureness is worth: how good the classes are of the objects that a classifier is surest of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from tasks.learning.bootstrap import DRAWS, class_counts, interval
from tasks.learning.metrics import ALL, Metric

STEPS = 10  # points of the curve: the surest tenth, two tenths, ..., all objects
GROUPS = 200  # of confidence, in which right and wrong are counted for the ROC curve
CURVES = ("accuracy", "macro_f1")


def abstention_metrics(
    truth: ArrayLike, guess: ArrayLike, confidence: NDArray[np.float64], note: str = "", draws: int = DRAWS,
    seed: int = 0,
) -> list[Metric]:  # fmt: skip
    """The abstention curve of S objects with true and guessed class codes (S,), and the figures of it.

    "accuracy:kept 0.3" and "macro_f1:kept 0.3" are of the three tenths with the highest `confidence` (S,); macro F1 is
    over the classes that are true or guessed among them. "accuracy_area" and "macro_f1_area" are the means over the
    curve (1 minus the area under the risk-coverage curve: Geifman & El-Yaniv 2017, arXiv:1705.08500). "error_auc" is
    the ROC AUC of low confidence against being wrong: the chance that of a right and a wrong object the wrong one is
    the less sure. No row without objects.
    """
    truth, guess = np.asarray(truth), np.asarray(guess)
    if not truth.size:
        return []
    rows = []
    curves = _curves(truth, guess, _tenth(confidence, seed), draws, seed)
    for metric, values in zip(CURVES, curves, strict=True):
        names = [f"{metric}:kept {(step + 1) / STEPS:.1f}" for step in range(STEPS)]
        kept = np.ceil((np.arange(STEPS) + 1) * truth.size / STEPS).astype(int).tolist()
        rows += _rows(names, values, kept, note)
        rows += _rows([f"{metric}_area"], values.mean(1, keepdims=True), [truth.size], note)
    return rows + _rows(["error_auc"], _error_auc(truth == guess, confidence, draws, seed), [truth.size], note)


def _tenth(confidence: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """(S,) 0 for the tenth of the objects with the highest confidence, ...; ties are dealt at random."""
    n = confidence.size
    order = np.lexsort((np.random.default_rng(seed).permutation(n), -confidence))
    tenth = np.empty(n, np.int64)
    tenth[order] = np.arange(n) * STEPS // n
    return tenth


def _curves(
    truth: NDArray[np.int64], guess: NDArray[np.int64], tenth: NDArray[np.int64], draws: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Accuracy and macro F1 (1 + draws, STEPS) of the tenths up to each: as counted, then of resamples."""
    n = int(max(truth.max(), guess.max())) + 1
    cells, cell = np.unique(np.ravel_multi_index((tenth, truth, guess), (STEPS, n, n)), return_inverse=True)
    step, true, guessed = np.unravel_index(cells, (STEPS, n, n))
    count = np.vstack([np.bincount(cell), class_counts(cell, cells.size, draws, seed)]).astype(np.float64)
    true_of, guess_of = np.eye(n)[true], np.eye(n)[guessed]
    accuracy, macro_f1 = np.empty((2, len(count), STEPS))
    hit, size = np.zeros((2, len(count), n))
    for tenths in range(STEPS):
        own = step == tenths
        hit += count[:, own] @ (true_of * guess_of)[own]
        size += count[:, own] @ (true_of + guess_of)[own]  # members and guesses: 2 hits of it are the F1
        with np.errstate(invalid="ignore"):
            accuracy[:, tenths] = 2 * hit.sum(1) / size.sum(1)
            f1 = 2 * hit / size
        macro_f1[:, tenths] = np.nansum(f1, 1) / np.maximum((size > 0).sum(1), 1)
    return accuracy, macro_f1


def _error_auc(
    is_right: NDArray[np.bool_], confidence: NDArray[np.float64], draws: int, seed: int
) -> NDArray[np.float64]:
    """ROC AUC (1 + draws, 1) of low confidence against being wrong, NaN where all are right or all wrong.

    From counts in groups of like confidence, in which a right and a wrong object are taken for equally sure.
    """
    group = (GROUPS * (rankdata(confidence) - 0.5) / confidence.size).astype(np.int64)
    cell = 2 * group + is_right
    count = np.vstack([np.bincount(cell, minlength=2 * GROUPS), class_counts(cell, 2 * GROUPS, draws, seed)])
    wrong, right = count[:, ::2].astype(np.float64), count[:, 1::2]
    less_sure = np.cumsum(wrong, 1) - wrong / 2
    with np.errstate(invalid="ignore"):
        return ((right * less_sure).sum(1) / (right.sum(1) * wrong.sum(1)))[:, None]


def _rows(names: Sequence[str], values: NDArray[np.float64], kept: Sequence[int], note: str) -> list[Metric]:
    """Rows of figures (1 + draws, len(names)): as counted, with the interval of the resamples."""
    lo, hi = interval(values[1:])
    ends = zip(names, values[0].tolist(), lo.tolist(), hi.tolist(), kept, strict=True)
    return [
        Metric(name, ALL, value, low, high, n, note or None)
        if np.isfinite(value)
        else Metric(name, ALL, None, None, None, n, f"{note} Undefined: all are right, or all are wrong.".strip())
        for name, value, low, high, n in ends
    ]
