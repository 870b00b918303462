"""Length-bucketed batches, padded to the longest member, with a mask: packed sequences are far slower on a CPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.learning.tokens import Tokens

JITTER = 0.1  # of the length: batches of similar, not always of the same, objects


@dataclass(frozen=True, eq=False)
class Padded:
    """n objects in tensors.

    Per band `x` (n, T, 4), `valid` and `weight` (n, T). In order of time: `place` (n, L) into the bands' steps laid end
    to end, `place_valid` and `place_weight` (n, L), `context` (n, L, K), and `last` (n,), the last valid place.
    """

    index: NDArray[np.int64]
    x: tuple[Tensor, ...]
    valid: tuple[Tensor, ...]
    weight: tuple[Tensor, ...]
    place: Tensor
    place_valid: Tensor
    place_weight: Tensor
    context: Tensor
    last: Tensor


def buckets(length: NDArray[np.int64], size: int, rng: np.random.Generator | None = None) -> list[NDArray[np.int64]]:
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


def pad(tokens: Tokens, index: NDArray[np.int64]) -> Padded:
    """Batch of the objects at `index`; padding is zero and masked."""
    n_band = len(tokens.bands)
    bands = [_gather(tokens.band_offsets, index * n_band + b) for b in range(n_band)]
    rows, here = _gather(tokens.offsets, index)
    row = tokens.merged[rows]
    first_step = np.cumsum([0] + [found.shape[1] for _, found in bands])[:-1]
    place = np.where(here, first_step[tokens.band[row]] + tokens.step[row], 0)
    length = here.sum(1)
    return Padded(
        index,
        x=tuple(_masked(tokens.x, at, found) for at, found in bands),
        valid=tuple(torch.from_numpy(found) for _, found in bands),
        weight=tuple(_masked(tokens.band_weight, at, found) for at, found in bands),
        place=torch.from_numpy(place),
        place_valid=torch.from_numpy(here),
        place_weight=_masked(tokens.place_weight, rows, here),
        context=_masked(tokens.context, rows, here),
        last=torch.from_numpy(length - 1),
    )


def _gather(offsets: NDArray[np.int64], index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows (n, T) of the slices at `index`, and which of them exist; T is at least 1."""
    length = offsets[index + 1] - offsets[index]
    step = np.arange(max(int(length.max(initial=1)), 1))
    found = step < length[:, None]
    return np.where(found, offsets[index][:, None] + step, 0), found


def _masked(values: NDArray[np.float32], rows: NDArray[np.int64], found: NDArray[np.bool_]) -> Tensor:
    if values.shape[0] == 0:
        return torch.zeros(*rows.shape, *values.shape[1:])
    taken = values[rows]
    taken[~found] = 0.0
    return torch.from_numpy(taken)
