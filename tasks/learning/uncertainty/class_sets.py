"""Sets of classes that hold the true one as often as stated: conformal prediction, class by class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.9
FEWEST_MEMBERS = 50  # of a class with a threshold of its own; the share that it holds then varies by 4 points


@dataclass(frozen=True)
class ClassSets:
    """A class is in an object's set where its probability is at least the `threshold` (C,) of the class.

    The threshold of a class lets through a share `level` of its own members (Sadinle, Lei & Wasserman 2019, JASA 114,
    223: of all sets with that promise for every class, these are the smallest on average). So a set may hold several
    classes, where the object is like members of each, and none, where it is like few members of any.

    The promise is for objects like those it was fitted on (exchangeable): of each class that had `FEWEST_MEMBERS`, and
    of the smaller classes only as part of all objects, whose threshold they share. Fitted on out-of-fold
    probabilities it is cross-conformal: near `level` in practice (Barber et al. 2021, Ann. Stat. 49, 486).
    """

    level: float
    threshold: tuple[float, ...]

    @classmethod
    def fit(cls, proba: NDArray[np.float64], codes: ArrayLike, level: float = LEVEL) -> ClassSets:
        """From out-of-fold `proba` (S, C) of true class codes (S,)."""
        if not 0 < level < 1:
            raise ValueError(f"class sets: the level is {level}; give one between 0 and 1, such as 0.9.")
        codes = np.asarray(codes)
        own = proba[np.arange(codes.size), codes]
        members = np.bincount(codes, minlength=proba.shape[1])
        pooled = _threshold(own, level)
        return cls(
            level,
            tuple(_threshold(own[codes == c], level) if n >= FEWEST_MEMBERS else pooled for c, n in enumerate(members)),
        )

    def contain(self, proba: NDArray[np.float64]) -> NDArray[np.bool_]:
        """(S, C) true where the class is in the set of the object."""
        return np.asarray(proba >= np.array(self.threshold))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card."""
        return {"level": self.level, "threshold": list(self.threshold)}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> ClassSets:
        """Inverse of `to_json`."""
        return cls(card["level"], tuple(card["threshold"]))


def _threshold(own: NDArray[np.float64], level: float) -> float:
    """The probability that a share `level` of the n objects `own` (n,) reach, 0 where n is too small to promise it.

    The floor((n+1)(1-level))-th smallest: a new object is below it with that probability over n+1 at the most.
    """
    place = int(np.floor((own.size + 1) * (1 - level) + 1e-9))  # 1 - 0.9 is a little less than 0.1
    return float(np.sort(own)[place - 1]) if place else 0.0
