"""Columns of any scale and shape, brought to nearly a normal distribution by their ranks in the training part.

A network then sees no outlier and no unit. The map is that of scikit-learn's QuantileTransformer with normal output,
but its tails end at `TAIL`, and tied values have their middle rank at the ends too.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

N_QUANTILE = 101
TAIL = 0.005  # rank of the smallest value: no score is farther out than 2.6


def measure_quantiles(columns: NDArray[np.float32]) -> NDArray[np.float64]:
    """Quantiles (F, 101) of the columns (S, F), from the least to the largest value; NaN is left out.

    A column without a value has NaN.
    """
    found = np.full((columns.shape[1], N_QUANTILE), np.nan)
    for quantiles, column in zip(found, columns.T.astype(np.float64), strict=True):
        known = column[np.isfinite(column)]
        if known.size:
            quantiles[:] = np.quantile(known, np.linspace(0, 1, N_QUANTILE))
    return found


def normal_scores(columns: NDArray[np.float32], quantiles: NDArray[np.float64]) -> NDArray[np.float32]:
    """Scores (S, F) of about a standard normal distribution in the training part; NaN where a value is.

    NaN too in a column of which the training part had no value: nothing was learned of it.
    """
    rank = np.linspace(TAIL, 1 - TAIL, N_QUANTILE)
    scores = np.full(columns.shape, np.nan)
    for score, column, own in zip(scores.T, columns.T.astype(np.float64), quantiles, strict=True):
        if np.isnan(own[0]):
            continue
        rising, falling = np.interp(column, own, rank), np.interp(-column, -own[::-1], -rank[::-1])
        score[:] = ndtri((rising - falling) / 2)
    return scores.astype(np.float32)
