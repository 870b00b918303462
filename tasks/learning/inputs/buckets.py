"""Batches of objects of similar length: padded to the longest member they waste little."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

JITTER = 0.1  # of the length: batches of similar, not always of the same, objects


def length_buckets(
    length: NDArray[np.int64], size: int, rng: np.random.Generator | None = None
) -> list[NDArray[np.int64]]:
    """Indices of the objects with at least one row, in batches of at most `size` of similar length.

    With `rng` the lengths are jittered and the batches shuffled, for training; without, the order is fixed.
    """
    used = np.flatnonzero(length > 0)
    key = length[used].astype(np.float64)
    if rng is not None:
        key *= 1 + JITTER * rng.uniform(-1, 1, used.size)
    ranked = used[np.argsort(key, kind="stable")]
    parts = [ranked[start : start + size] for start in range(0, used.size, size)]
    return parts if rng is None else [parts[i] for i in rng.permutation(len(parts))]
