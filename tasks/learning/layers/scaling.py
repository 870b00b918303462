"""Scaling of inputs by the mean and spread of the training part."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SPREAD_FLOOR = 1e-3  # a constant column is not blown up


def no_scaling(*columns: int) -> Tensor:
    """Mean 0 and spread 1 of columns (...), as (2, ...): a buffer to hold what `mean_and_spread` measures."""
    return torch.stack([torch.zeros(columns), torch.ones(columns)])


def mean_and_spread(rows: NDArray[np.float32]) -> Tensor:
    """Mean and standard deviation of the columns of `rows` (R, C), as (2, C) float32."""
    wide = rows.astype(np.float64)
    return torch.from_numpy(np.stack([wide.mean(0), np.maximum(wide.std(0), SPREAD_FLOOR)]).astype(np.float32))
