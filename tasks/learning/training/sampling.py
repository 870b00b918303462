"""Which objects learn, which decide when to stop, and which make a batch.

`balanced_batches` are for networks to come.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.learning.splits import hash_of
from tasks.learning.targets import Labels

MIN_STEPS, MIN_BATCH = 12, 16  # a small training set takes smaller batches, so that a pass still moves the weights


def stopping_part(
    source_id: NDArray[np.int64], stratum: NDArray[np.int64], fraction: float, seed: int
) -> NDArray[np.bool_]:
    """(S,) the objects that decide when to stop: `fraction` of each `stratum` (S,), by a hash of their id."""
    order = np.lexsort((hash_of(source_id, seed + 1), stratum))
    size = np.bincount(stratum)
    rank = np.arange(stratum.size) - (np.cumsum(size) - size)[stratum[order]]
    chosen = np.zeros(stratum.size, bool)
    chosen[order] = rank < np.rint(fraction * size).astype(np.int64)[stratum[order]]
    return chosen


def class_strata(labels: Labels) -> NDArray[np.int64]:
    """Stratum (S,) of each object for `stopping_part`: its class, or that it is unknown; one for all of a quantity."""
    return labels.values + 1 if is_class(labels) else np.zeros(labels.values.size, np.int64)


def is_class(labels: Labels) -> bool:
    """True for codes of classes, False for values of a quantity."""
    return bool(labels.values.dtype.kind == "i")


def object_weights(labels: Labels, weight: NDArray | None, power: float) -> NDArray[np.float32]:
    """Weight (S,) of each object in the loss of a target, of mean 1 over the known labels and 0 without one.

    `weight`, for a class times its frequency to the power -`power`.
    """
    known = labels.is_known
    found = np.zeros(known.size, np.float32)
    stratum = class_strata(labels)[known]
    found[known] = balance_weight(stratum, None if weight is None else weight[known], power if is_class(labels) else 0)
    return found


def balance_weight(code: NDArray[np.int64], weight: NDArray | None, power: float) -> NDArray[np.float32]:
    """Weight (S,) of each object in the loss, of mean 1: `weight` times class frequency to the power -`power`."""
    found = np.bincount(code)[code].astype(np.float64) ** -power
    found = found if weight is None else found * weight
    return (found / found.mean()).astype(np.float32)


def batch_size(n_object: int, most: int) -> int:
    """At most `most` objects in a batch, fewer where a pass over `n_object` would have less than 12 steps."""
    return int(np.clip(n_object // MIN_STEPS, MIN_BATCH, most))


def shuffled_batches(n_object: int, size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """All objects once, in a random order, in batches of at most `size`."""
    order = rng.permutation(n_object)
    return [order[start : start + size] for start in range(0, n_object, size)]


def balanced_batches(code: NDArray[np.int64], size: int, rng: np.random.Generator) -> list[NDArray[np.int64]]:
    """Batches of at most `size` with the classes of `code` (S,) in turn, as often as the largest class has members.

    The members of a smaller class are drawn again, each as often as any other to within one. After Cabrera-Vives et
    al. 2024 (A&A 689, A289): class-balanced batches.
    """
    most = np.bincount(code).max()
    columns = [np.resize(rng.permutation(np.flatnonzero(code == each)), most) for each in np.unique(code)]
    order = np.stack([rng.permutation(column) for column in columns], axis=1).ravel()
    return [order[start : start + size] for start in range(0, order.size, size)]
