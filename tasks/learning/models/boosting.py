"""Gradient boosting over all features: of classes their logits, of a quantity its value and the spread about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from tasks.learning.boosting import Bins, BoostingConfig, Loss, boost
from tasks.learning.data import Examples
from tasks.learning.spec import Features, ModelSpec
from tasks.learning.targets import Classification, Labels, Regression, Target
from tasks.learning.trees import BoostedClasses, BoostedValue, build

LEAST_STEP = -9.0  # of the log spread: one outlier does not throw it
TINY = 1e-18  # in place of 0: labels that are all the same have a spread too


def fit(
    config: BoostingConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> BoostedClasses:
    """Boosted trees of one target on all columns of the examples."""
    del checkpoint
    (target,), (own,) = targets, labels
    columns = examples.feature_names
    if not columns:
        raise ValueError(f"{target.name}: boosting needs at least one feature column, and there is none.")
    weight = np.ones(len(examples)) if weight is None else weight / weight.mean()
    is_class = isinstance(target, Classification)
    loss, start = (cross_entropy if is_class else gaussian)(own.values, weight, config)
    bins = Bins.of(examples.matrix(columns), config.bins)
    arrays = boost(bins, loss, start, config, seed)
    if is_class:
        return BoostedClasses(columns, *arrays, start.size)
    return BoostedValue(columns, *arrays, start.size, float(own.values.min()), float(own.values.max()))


def cross_entropy(
    code: NDArray[np.int64], weight: NDArray[np.float64], config: BoostingConfig
) -> tuple[Loss, NDArray[np.float64]]:
    """Cross entropy of codes (S,) with the softmax of K logits, and the logits of the weighted frequencies (K,).

    With the weights of classes that the settings ask for, times `weight` (S,).
    """
    size = np.maximum(np.bincount(code, weight), TINY)  # of a class that no weight counts
    weight = weight * size[code] ** -config.class_power
    weight = weight / weight.mean()
    truth = np.eye(size.size)[code]

    def loss(raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        proba = softmax(raw, axis=1)
        return weight[:, None] * (proba - truth), weight[:, None] * proba * (1 - proba)

    return loss, np.log(np.maximum(weight @ truth / weight.sum(), TINY))


def gaussian(
    y: NDArray[np.float64], weight: NDArray[np.float64], config: BoostingConfig
) -> tuple[Loss, NDArray[np.float64]]:
    """Likelihood of y (S,) under a normal distribution, of mean and log spread; and both without regard to the columns.

    Along the natural gradient (Duan et al. 2020, ICML, NGBoost): the Hessian is Fisher's information, so the mean is
    that of least squares whatever the spread.
    """
    del config
    mean = np.average(y, weights=weight)
    log_spread = 0.5 * np.log(np.average((y - mean) ** 2, weights=weight) + TINY)

    def loss(raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        residual = y - raw[:, 0]
        step = np.maximum(1 - residual**2 * np.exp(-2 * raw[:, 1]), LEAST_STEP)
        return weight[:, None] * np.stack([-residual, step], axis=1), weight[:, None] * np.array([[1.0, 2.0]])

    return loss, np.array([mean, log_spread])


SPEC = ModelSpec(
    name="boosting",
    kinds=(Classification, Regression),
    needs=(Features(),),
    config=BoostingConfig,
    cost=8.0,
    effort="rounds",
    simplicity=6,
    fit=fit,
    build=build,
)
