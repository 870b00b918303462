"""Light curves folded at K candidate periods, into equal bins of phase or as points in order of phase.

Phase is a circle: a later time of phase 0 rotates the bins and the points, and `margin` repeats points over the seam.
A model that declares the need `spec.Folded` reads them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from tasks.learning.inputs.padding import take_padded
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.fold import fold, folded_order, mean_by_phase


def fold_to_bins(
    epochs: LightCurveBatch, period_day: NDArray[np.float64], n_bin: int, zero_day: ArrayLike = 0.0
) -> NDArray[np.float32]:
    """Mean magnitude (S, K, B, n_bin) of each object at each candidate period, in each band and bin of phase.

    `epochs` are in order of object and band (`epochs_in_bands`); `period_day` (S, K), NaN for no candidate; `zero_day`,
    the time of phase 0, is a scalar, (S,) or (S, K). NaN where a bin has no epoch or the period is NaN.
    """
    curves, band_offsets = epochs.by_band()
    bins = np.empty((*period_day.shape, len(curves.bands), n_bin), np.float32)
    zero = np.broadcast_to(np.transpose(zero_day), period_day.T.shape)
    for k in range(period_day.shape[1]):
        phase = fold(curves, period_day[:, k], zero[k])
        bins[:, k] = mean_by_phase(phase, curves.mag, band_offsets, n_bin).reshape(bins[:, k].shape)
    return bins


def crest_time(epochs: LightCurveBatch, period_day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Time (S, K) [day] at which the first harmonic of an object's magnitudes is faintest, at each candidate period.

    As the zero of phase it belongs to the curve: a later zero of time shifts it by as much, so that the folded curve
    stays the same. `epochs` are `centre`d; NaN where the period is.
    """
    crest = np.empty(period_day.shape)
    for k, period in enumerate(period_day.T):
        phase = fold(epochs, period)
        angle = 2 * np.pi * np.where(np.isfinite(phase), phase, 0.0)
        cosine, sine = (
            np.bincount(epochs.row, weights=epochs.mag * wave(angle), minlength=len(epochs))
            for wave in (np.cos, np.sin)
        )
        crest[:, k] = np.arctan2(sine, cosine) / (2 * np.pi) * period
    return crest


@dataclass(frozen=True, eq=False)
class FoldedPoints:
    """Epochs of n objects at K periods in order of phase, padded to T: all (n, K, T).

    `phase` float32 in [0, 1), below 0 or from 1 on in the margin; `mag` and `mag_err` float32 [mag], the error NaN
    where none was quoted; `band` int64; `valid` bool. Padding is zero.
    """

    phase: Tensor
    mag: Tensor
    mag_err: Tensor
    band: Tensor
    valid: Tensor


def fold_to_points(
    epochs: LightCurveBatch, period_day: NDArray[np.float64], zero_day: ArrayLike = 0.0, margin: int = 0
) -> FoldedPoints:
    """Epochs of all S objects in order of phase at each candidate period; `period_day` and `zero_day` as in bins.

    The last `margin` points also stand before the first, a turn earlier, and the first after the last, a turn later:
    a curve has n_epoch + 2 margin of them. Nothing is valid where the period is NaN.
    """
    rows, turn, exists = _circular_rows(epochs, margin)
    each = [_fold_once(epochs, period, zero_day, rows, turn, exists) for period in period_day.T]
    return FoldedPoints(*(torch.stack(tensors, dim=1) for tensors in zip(*each, strict=True)))


def _circular_rows(
    epochs: LightCurveBatch, margin: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Epoch (S, T) at each step around the circle, the turn it is in, and whether the step exists."""
    n = epochs.n_epoch[:, None]
    step = np.arange(int(n.max(initial=0)) + 2 * margin or 1) - margin
    exists = (step < n + margin) & (n > 0)
    turn = step // np.maximum(n, 1)
    rows = np.where(exists, epochs.offsets[:-1, None] + step - turn * n, 0)
    return rows, turn, exists


def _fold_once(
    epochs: LightCurveBatch,
    period_day: NDArray[np.float64],
    zero_day: ArrayLike,
    rows: NDArray[np.int64],
    turn: NDArray[np.int64],
    exists: NDArray[np.bool_],
) -> tuple[Tensor, ...]:
    """Phase, magnitude, error, band and mask (S, T) at one period of each object."""
    phase = fold(epochs, period_day, zero_day)
    order = folded_order(phase, epochs.offsets)
    valid = exists & np.isfinite(period_day)[:, None]
    columns = (epochs.mag, epochs.mag_err, epochs.band.astype(np.int64))
    mag, mag_err, band = (take_padded(values[order], rows, valid) for values in columns)
    unrolled = take_padded(phase[order], rows, valid) + torch.from_numpy(np.where(valid, turn, 0))
    return unrolled.float(), mag, mag_err, band.long(), torch.from_numpy(valid)
