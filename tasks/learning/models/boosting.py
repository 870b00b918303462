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

N_INNER = 4  # parts of the objects, each unseen by one of the means
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
    bins = Bins.of(examples.matrix(columns), config.bins)
    if isinstance(target, Classification):
        loss, start = cross_entropy(own.values, weight, config.class_power)
        return BoostedClasses(columns, *boost(bins, loss, start, config, seed), start.size)
    loss, start = gaussian(own.values, weight, seed)
    span = float(own.values.min()), float(own.values.max())
    return BoostedValue(columns, *boost(bins, loss, start, config, seed), start.size, *span)


def cross_entropy(
    code: NDArray[np.int64], weight: NDArray[np.float64], power: float
) -> tuple[Loss, NDArray[np.float64]]:
    """Cross entropy of codes (S,) with the softmax of K logits, and the logits of the weighted frequencies (K,).

    A class of n objects weighs n ** -power, times the `weight` (S,) of each.
    """
    size = np.maximum(np.bincount(code, weight), TINY)  # of a class that no weight counts
    weight = weight * size[code] ** -power
    weight = weight / weight.mean()
    truth = np.eye(size.size)[code]

    def loss(raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        proba = softmax(raw, axis=1)
        return weight[:, None] * (proba - truth), weight[:, None] * proba * (1 - proba)

    return loss, np.log(np.maximum(weight @ truth / weight.sum(), TINY))


def gaussian(y: NDArray[np.float64], weight: NDArray[np.float64], seed: int) -> tuple[Loss, NDArray[np.float64]]:
    """Likelihood of y (S,) under normal distributions: of N_INNER means and a log spread, and where they start.

    Each mean learns by least squares from all but its part of the objects; the spread from the residuals about the
    mean that did not see the object, because those about one that did are too small. Its step is along the natural
    gradient (Duan et al. 2020, ICML, NGBoost): the Hessian is Fisher's information.
    """
    part = np.random.default_rng(seed).permutation(y.size) % N_INNER
    sees = part[:, None] != np.arange(N_INNER)
    weights = np.hstack([weight[:, None] * sees, weight[:, None]])
    middle = np.average(y, weights=weight)
    mean = middle + weights[:, :N_INNER].T @ (y - middle) / np.maximum(weights[:, :N_INNER].sum(0), TINY)
    variance = np.average((y - middle) ** 2, weights=weight)
    information = weights * np.append(np.ones(N_INNER), 2.0)

    def loss(raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        means, log_spread = raw[:, :N_INNER], raw[:, N_INNER]
        residual = y - means[~sees]
        step = np.maximum(1 - residual**2 * np.exp(-2 * log_spread), LEAST_STEP)
        return weights * np.hstack([means - y[:, None], step[:, None]]), information

    return loss, np.append(mean, 0.5 * np.log(variance + TINY))


SPEC = ModelSpec(
    name="boosting",
    kinds=(Classification, Regression),
    needs=(Features(),),
    config=BoostingConfig,
    cost=0.8,
    cost_of_columns=0.8,
    effort=BoostingConfig.effort,
    simplicity=6,
    fit=fit,
    build=build,
)
