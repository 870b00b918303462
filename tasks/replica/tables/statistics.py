"""Statistics of many small groups at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.batch import offsets_of


@dataclass(frozen=True, eq=False)
class Summary:
    """Of each group, (n,): how many values, their mean, deviation (n - 1), least, median and greatest; NaN of none."""

    count: NDArray[np.int64]
    mean: NDArray[np.float64]
    std: NDArray[np.float64]
    least: NDArray[np.float64]
    median: NDArray[np.float64]
    greatest: NDArray[np.float64]


def summarise(group: NDArray[np.int64], value: NDArray, n: int) -> Summary:
    """Statistics of `value` (N,) within each of the groups 0 to n - 1 given by `group` (N,), NaN left out."""
    seen = np.isfinite(value)
    order = np.lexsort((value[seen], group[seen]))
    group, value = group[seen][order], value[seen][order].astype(np.float64)
    count, mean = np.bincount(group, minlength=n), means(group, value, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        std = np.sqrt(means(group, (value - mean[group]) ** 2, n) * count / (count - 1))
    first = offsets_of(count)[:-1]
    padded = np.append(value, np.nan)  # what empty groups at the end point at

    def pick(place: NDArray) -> NDArray:
        return np.where(count > 0, padded[np.minimum(place, value.size)], np.nan)

    median = 0.5 * (pick(first + (count - 1) // 2) + pick(first + count // 2))
    return Summary(count, mean, std, pick(first), median, pick(first + count - 1))


def means(group: NDArray[np.int64], value: NDArray, n: int) -> NDArray[np.float64]:
    """Mean of `value` (N,) in each of the groups 0 to n - 1 given by `group` (N,), (n,); NaN of none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.bincount(group, value, minlength=n) / np.bincount(group, minlength=n)
