"""Which objects learn, which decide when to stop, and which make a batch.

`shuffled_batches` and `balanced_batches` are for networks to come; the LSTM takes batches of similar length.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.learning.splits import hash_of

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
