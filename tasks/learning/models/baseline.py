"""Baselines that look at nothing: the class frequencies, and the median. A model below them is not worth publishing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples
from tasks.learning.recipe import Recipe

MAD_TO_SIGMA = 1.4826  # of a normal distribution: 1 / Phi^-1(3/4)
SIGMA_FLOOR = 1e-6


@dataclass(frozen=True, eq=False)
class Baseline:
    """The same answer for everyone: class frequencies (C,), or a median and its spread (2,)."""

    answer: NDArray[np.float64]

    def proba(self, examples: Examples) -> NDArray[np.float64]:
        """Class frequencies of the training part, (S, C)."""
        return np.tile(self.answer, (len(examples), 1))

    def value(self, examples: Examples) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Median (S,) and the scaled median absolute deviation (S,) of the training part."""
        median, sigma = self.answer
        return np.full(len(examples), median), np.full(len(examples), sigma)

    def arrays(self) -> dict[str, NDArray]:
        """The answer."""
        return {"answer": self.answer}

    def settings(self) -> dict[str, Any]:
        """Nothing more."""
        return {}


def fit(recipe: Recipe, examples: Examples, y: NDArray, n_class: int, weight: NDArray | None) -> Baseline:
    """Baseline of codes y (S,) when n_class > 0, of values y (S,) otherwise."""
    del recipe, examples
    if n_class:
        count = np.bincount(y, weights=weight, minlength=n_class)
        return Baseline(count / count.sum())
    median = np.median(y)
    return Baseline(np.array([median, max(MAD_TO_SIGMA * np.median(np.abs(y - median)), SIGMA_FLOOR)]))


def build(recipe: Recipe, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Baseline:
    """Baseline of stored arrays."""
    del recipe, settings
    return Baseline(arrays["answer"])
