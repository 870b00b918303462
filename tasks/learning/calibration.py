"""Calibration: temperature scaling of class probabilities, its error, and conformal intervals of values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize_scalar

BINS = 10
PROBABILITY_FLOOR = 1e-3  # a fraction of 0 among a finite number of trees and stars is no probability of 0
LOG_TEMPERATURE_LIMITS = (-0.7, 2.5)  # half at the least: a small sample without an error does not prove certainty
ENOUGH_FOR_TEMPERATURE = 20


@dataclass(frozen=True)
class Levels:
    """How often the published intervals of quantities, and the sets of classes, are to hold the truth."""

    interval: float = 0.68
    class_set: float = 0.9


@dataclass(frozen=True)
class Temperature:
    """p -> softmax(log((p + floor) / (1 + C floor)) / temperature): Guo et al. 2017 (ICML, section 4.2).

    The floor plays the part of Laplace's rule for forests, whose zeros have no logarithm. The order of the classes
    never changes. Temperature 1 and floor 0 change nothing.
    """

    temperature: float = 1.0
    floor: float = 0.0

    @classmethod
    def fit(cls, proba: NDArray[np.float64], codes: ArrayLike, floor: float = PROBABILITY_FLOOR) -> Temperature:
        """Least log loss on out-of-fold `proba` (S, C) of true class codes (S,); unchanged below 20 objects."""
        codes = np.asarray(codes)
        if codes.size < ENOUGH_FOR_TEMPERATURE:
            return cls()
        logit, rows = np.log(_raise_to_floor(proba, floor)), np.arange(codes.size)

        def loss(log_temperature: float) -> float:
            return float(-_log_softmax(logit / np.exp(log_temperature))[rows, codes].mean())

        found = minimize_scalar(loss, bounds=LOG_TEMPERATURE_LIMITS, method="bounded", options={"xatol": 1e-6})
        return cls(float(np.exp(found.x)), floor)

    def apply(self, proba: NDArray[np.float64]) -> NDArray[np.float64]:
        """Calibrated probabilities (S, C); each row sums to 1."""
        if self.temperature == 1.0 and self.floor == 0.0:
            return np.asarray(proba, np.float64)
        with np.errstate(divide="ignore"):
            return np.exp(_log_softmax(np.log(_raise_to_floor(proba, self.floor)) / self.temperature))

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card."""
        return {"temperature": self.temperature, "floor": self.floor}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> Temperature:
        """Inverse of `to_json`."""
        return cls(card["temperature"], card["floor"])


def _raise_to_floor(proba: NDArray[np.float64], floor: float) -> NDArray[np.float64]:
    return (np.asarray(proba, np.float64) + floor) / (1 + floor * np.shape(proba)[1])


def _log_softmax(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    logit = logit - logit.max(1, keepdims=True)
    return logit - np.log(np.exp(logit).sum(1, keepdims=True))


def expected_calibration_error(
    confidence: NDArray[np.float64], correct: NDArray[np.float64], bins: int = BINS
) -> NDArray[np.float64]:
    """Mean over objects of |fraction correct - mean confidence| in equal bins (Guo et al. 2017, eq. 3).

    `confidence` and `correct` (0 or 1) are (D, S), one row for each resample; returns (D,).
    """
    draws, n = confidence.shape
    place = _bin(confidence, bins) + bins * np.arange(draws)[:, None]
    gap = np.bincount(place.ravel(), weights=(correct - confidence).ravel(), minlength=draws * bins)
    return np.abs(gap).reshape(draws, bins).sum(1) / n


def _bin(confidence: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    return np.minimum((confidence * bins).astype(np.int64), bins - 1)


@dataclass(frozen=True)
class ConformalInterval:
    """mean +- width * sigma holds the truth with probability `level`, for objects like those it was fitted on.

    Like: exchangeable. Split-conformal with normalised residuals (Lei et al. 2018, JASA 113, 1094, section 5.2). Fitted
    on out-of-fold residuals, as here, it is cross-conformal: near `level` in practice, promised down to 2 level - 1
    (Barber et al. 2021, Ann. Stat. 49, 486). `width` is infinite where n is too small to promise the level.
    """

    level: float
    width: float
    n: int

    @classmethod
    def fit(cls, y: ArrayLike, mean: ArrayLike, sigma: ArrayLike, level: float = 0.68) -> ConformalInterval:
        """From out-of-fold y, mean and sigma (S,) in the learned space; the quantile is the ceil((n+1) level)-th."""
        if not 0 < level < 1:
            raise ValueError(f"conformal interval: the level is {level}; give one between 0 and 1, such as 0.68.")
        y, mean, sigma = (np.asarray(each, np.float64) for each in (y, mean, sigma))
        if (sigma <= 0).any():
            raise ValueError(f"conformal interval: {int((sigma <= 0).sum())} of {sigma.size} sigmas are not positive.")
        score = np.sort(np.abs(y - mean) / sigma)
        place = int(np.ceil((score.size + 1) * level))
        return cls(level, float(score[place - 1]) if place <= score.size else float("inf"), score.size)

    def interval(self, mean: ArrayLike, sigma: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper end (S,), (S,); NaN where no finite interval can be promised."""
        mean, half = np.asarray(mean, np.float64), self.width * np.asarray(sigma, np.float64)
        half = np.where(np.isfinite(half), half, np.nan)
        return mean - half, mean + half

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card; an infinite width is null, because JSON has no infinity."""
        return {"level": self.level, "width": self.width if np.isfinite(self.width) else None, "n": self.n}

    @classmethod
    def from_json(cls, card: Mapping[str, Any]) -> ConformalInterval:
        """Inverse of `to_json`."""
        return cls(card["level"], float("inf") if card["width"] is None else card["width"], card["n"])


@dataclass(frozen=True)
class JointCalibration:
    """The calibration of each part of a target that learns several."""

    parts: tuple[Any, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain dictionary for a card."""
        return {"parts": [part.to_json() for part in self.parts]}
