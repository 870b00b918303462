"""Light curves as points: one token per epoch, of all bands in order of time. For networks to come (attention)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.learning.inputs.padding import gather_rows, take_padded
from tasks.lightcurves import LightCurveBatch


@dataclass(frozen=True, eq=False)
class Points:
    """Epochs of n objects, padded to T: all (n, T).

    `time` float32, day since the object's first epoch; `mag` and `mag_err` float32 [mag], the error NaN where none was
    quoted; `band` int64, index into the bands of the light curves; `valid` bool. Padding is zero.
    """

    time: Tensor
    mag: Tensor
    mag_err: Tensor
    band: Tensor
    valid: Tensor


def pad_points(epochs: LightCurveBatch, index: NDArray[np.int64]) -> Points:
    """Epochs of the objects at `index` (n,) in order of time, those of one time in their order in `epochs`.

    Give it `epochs_in_bands`, cut to a window and passed through `centre` where the model needs that.
    """
    curves = epochs.select(index).sort_by_time()
    rows, exists = gather_rows(curves.offsets, np.arange(len(curves)))
    since_first = (curves.time - _first_time(curves)).astype(np.float32)
    return Points(
        time=take_padded(since_first, rows, exists),
        mag=take_padded(curves.mag, rows, exists),
        mag_err=take_padded(curves.mag_err, rows, exists),
        band=take_padded(curves.band.astype(np.int64), rows, exists).long(),
        valid=torch.from_numpy(exists),
    )


def _first_time(curves: LightCurveBatch) -> NDArray[np.float64]:
    """Time (N,) of the first epoch of each epoch's object; `curves` are in order of time."""
    return np.repeat(curves.time[curves.offsets[:-1][curves.n_epoch > 0]], curves.n_epoch[curves.n_epoch > 0])
