"""Intervals of a quantity at two levels, so wide that they hold the true value as often as stated, low or high."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.calibration import ConformalInterval

WIDE = 0.95
MOST_BINS = 3
FEWEST = 200  # objects in a bin: of so many, the share that a 68 % interval holds varies by 3 points


@dataclass(frozen=True)
class IntervalCalibration:
    """Conformal intervals in bins of the predicted spread: `narrow` and `wide` have one for each bin (B,).

    `edges` (B - 1,) are between the bins, in the space that is learnt. With bins the promise holds in each of them and
    not on average alone (Mondrian conformal prediction: Vovk, Gammerman & Shafer 2005, section 4.5): where a model is
    sure of itself and where it is not.
    """

    edges: tuple[float, ...]
    narrow: tuple[ConformalInterval, ...]
    wide: tuple[ConformalInterval, ...]

    @property
    def level(self) -> float:
        """The level of the narrow intervals."""
        return self.narrow[0].level

    @classmethod
    def fit(cls, y: ArrayLike, mean: ArrayLike, sigma: ArrayLike, level: float) -> IntervalCalibration:
        """From out-of-fold y, mean and sigma (S,) in the learned space: three bins, fewer below `FEWEST` each."""
        y, mean, sigma = (np.asarray(each, np.float64) for each in (y, mean, sigma))
        edges = _edges(sigma)
        place = np.searchsorted(edges, sigma, side="right")
        own = [place == k for k in range(edges.size + 1)]
        narrow, wide = (
            tuple(ConformalInterval.fit(y[k], mean[k], sigma[k], each) for k in own) for each in (level, WIDE)
        )
        return cls(tuple(edges.tolist()), narrow, wide)

    def intervals(self, mean: ArrayLike, sigma: ArrayLike) -> tuple[NDArray[np.float64], ...]:
        """Ends of the narrow interval, then of the wide one: lo, hi, lo, hi, (S,) each; NaN where none is promised."""
        mean, sigma = np.asarray(mean, np.float64), np.asarray(sigma, np.float64)
        place = np.searchsorted(self.edges, sigma, side="right")
        ends = []
        for bins in (self.narrow, self.wide):
            half = np.array([each.width for each in bins])[place] * sigma
            half = np.where(np.isfinite(half), half, np.nan)
            ends += [mean - half, mean + half]
        return tuple(ends)

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card."""
        narrow, wide = ([each.to_json() for each in bins] for bins in (self.narrow, self.wide))
        return {"edges": list(self.edges), "narrow": narrow, "wide": wide}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> IntervalCalibration:
        """Inverse of `to_json`; a card of older programs has one width, and no wide interval."""
        if "width" in card:
            return cls((), (ConformalInterval.from_json(card),), (ConformalInterval(WIDE, float("inf"), card["n"]),))
        narrow, wide = (tuple(map(ConformalInterval.from_json, card[name])) for name in ("narrow", "wide"))
        return cls(tuple(card["edges"]), narrow, wide)


def _edges(sigma: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between bins of equally many sigmas (S,), none of which is empty: a model may give one spread for all."""
    n_bin = int(np.clip(sigma.size // FEWEST, 1, MOST_BINS))
    if n_bin == 1:
        return np.empty(0)
    edges = np.unique(np.quantile(sigma, np.arange(1, n_bin) / n_bin))
    return edges[edges > sigma.min()]
