"""Weights of the steps of a sequence: a better measured step weighs more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ERROR_FLOOR = 0.1  # of the band's mean error: one tiny quoted error must not dominate the loss


def relative_error(mag_err: NDArray[np.float32], key: NDArray[np.int64], n_key: int) -> NDArray[np.float64]:
    """Errors (R,) in units of the mean error of their `key` (R,), an object and band; 1 where none was quoted.

    Relative, so that bands of unequal length and depth weigh alike (Becker et al. 2025, A&A 694, A183, section 3.4,
    propose it for surveys whose bands differ in length).
    """
    good = np.isfinite(mag_err) & (mag_err > 0)
    total = np.bincount(key, weights=np.where(good, mag_err, 0.0), minlength=n_key)
    count = np.bincount(key, weights=good, minlength=n_key)
    mean = np.divide(total, count, out=np.ones(n_key), where=count > 0)[key]
    return np.where(good, np.maximum(mag_err / mean, ERROR_FLOOR), 1.0)


def normalise(weight: NDArray[np.float64], key: NDArray[np.int64], n_key: int) -> NDArray[np.float32]:
    """Weights (R,) divided by the sum over their `key` (R,): they sum to 1 in each key."""
    return (weight / np.bincount(key, weights=weight, minlength=n_key)[key]).astype(np.float32)
