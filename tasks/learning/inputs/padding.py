"""Ragged rows padded to the longest of a batch, with a mask: packed sequences are far slower on a CPU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.learning.inputs.differences import DifferenceRows


def gather_rows(offsets: NDArray[np.int64], index: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Rows (n, T) of the slices of `offsets` at `index` (n,), and which of them exist; T is at least 1.

    A row that does not exist is 0: use it with the mask.
    """
    length = offsets[index + 1] - offsets[index]
    step = np.arange(max(int(length.max(initial=1)), 1))
    exists = step < length[:, None]
    return np.where(exists, offsets[index][:, None] + step, 0), exists


def take_padded(values: NDArray, rows: NDArray[np.int64], exists: NDArray[np.bool_]) -> Tensor:
    """Values (R, ...) at `rows` (n, T), as (n, T, ...), zero where a row does not exist."""
    if values.shape[0] == 0:
        return torch.zeros(*rows.shape, *values.shape[1:])
    taken = values[rows]
    taken[~exists] = 0
    return torch.from_numpy(taken)


@dataclass(frozen=True, eq=False)
class PaddedRows:
    """Rows of differences of n objects in tensors.

    Per band `x` (n, T, 4), `valid` and `weight` (n, T). In order of time: `place` (n, L) into the bands' steps laid end
    to end, `place_valid` and `place_weight` (n, L), `context` (n, L, K), and `last` (n,), the last valid place.
    """

    x: tuple[Tensor, ...]
    valid: tuple[Tensor, ...]
    weight: tuple[Tensor, ...]
    place: Tensor
    place_valid: Tensor
    place_weight: Tensor
    context: Tensor
    last: Tensor


def pad_rows(rows: DifferenceRows, index: NDArray[np.int64]) -> PaddedRows:
    """The objects at `index` (n,); padding is zero and masked. `rows` holds at least one row."""
    n_band = len(rows.bands)
    bands = [gather_rows(rows.band_offsets, index * n_band + b) for b in range(n_band)]
    at, exists = gather_rows(rows.offsets, index)
    row = rows.merged[at]
    first_step = np.cumsum([0] + [valid.shape[1] for _, valid in bands])[:-1]
    place = np.where(exists, first_step[rows.band[row]] + rows.step[row], 0)
    return PaddedRows(
        x=tuple(take_padded(rows.x, *band) for band in bands),
        valid=tuple(torch.from_numpy(valid) for _, valid in bands),
        weight=tuple(take_padded(rows.band_weight, *band) for band in bands),
        place=torch.from_numpy(place),
        place_valid=torch.from_numpy(exists),
        place_weight=take_padded(rows.place_weight, at, exists),
        context=take_padded(rows.context, at, exists),
        last=torch.from_numpy(exists.sum(1) - 1),
    )
