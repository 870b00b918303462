"""Light curves folded at a period."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from tasks.lightcurves.batch import LightCurveBatch


def fold(batch: LightCurveBatch, period: ArrayLike, epoch: ArrayLike = 0.0) -> NDArray[np.float64]:
    """Phase of every epoch, (N,) in [0, 1): (time - epoch) / period modulo 1; NaN where the period is NaN.

    `period` (S,) day, `epoch` (S,) or scalar: the time of phase 0.
    """
    period = np.broadcast_to(np.asarray(period, np.float64), (len(batch),))
    zero = np.broadcast_to(np.asarray(epoch, np.float64), (len(batch),))
    turns = (batch.time - np.repeat(zero, batch.n_epoch)) / np.repeat(period, batch.n_epoch)
    phase = turns - np.floor(turns)
    return np.where(phase >= 1.0, 0.0, phase)  # floor of a tiny negative number rounds the phase up to 1


@njit(cache=True, nogil=True)
def folded_order(phase: NDArray, offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Index (N,) that sorts the epochs of each slice by phase, those of equal phase in their order."""
    order = np.empty(phase.size, np.int64)
    for s in range(offsets.size - 1):
        part = slice(offsets[s], offsets[s + 1])
        order[part] = offsets[s] + np.argsort(phase[part], kind="mergesort")
    return order


def mean_by_phase(phase: NDArray, value: NDArray, offsets: NDArray[np.int64], n_bin: int) -> NDArray[np.float64]:
    """Mean of `value` (N,) in `n_bin` equal phase bins of each slice, (S, n_bin); NaN for an empty bin."""
    length = np.diff(offsets)
    inside = np.isfinite(phase) & np.isfinite(value)
    cell = np.repeat(np.arange(length.size), length)[inside] * n_bin + (phase[inside] * n_bin).astype(np.int64) % n_bin
    count = np.bincount(cell, minlength=length.size * n_bin)
    total = np.bincount(cell, weights=value[inside], minlength=length.size * n_bin)
    with np.errstate(invalid="ignore"):
        return (total / count).reshape(length.size, n_bin)
