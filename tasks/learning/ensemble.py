"""Predictions of one model per fold: an object that trained is scored only by the model trained without its fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.data import Examples
from tasks.learning.fit import Model
from tasks.learning.targets import Target

OUTSIDE = -1


def ensemble_predict(
    models: Sequence[Model], examples: Examples, fold: ArrayLike, target: Target
) -> NDArray[np.float64]:
    """Raw predictions (S, W) of `target` by one model per fold: models[k] was trained without fold k.

    fold (S,) is the fold of a training object, -1 for any other (held out, unlabelled, new). A training object gets
    its own fold's model alone; the others the mean over models. ValueError where a model would score an object that
    it has seen.
    """
    return predict_and_compare(models, examples, fold, target)[0]


def predict_and_compare(
    models: Sequence[Model], examples: Examples, fold: ArrayLike, target: Target
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The raw predictions of `ensemble_predict`, and the mean entropy (S, P) of those that they are the mean of.

    Those are the bodies of all models: of every seed, of every recipe of a mean; NaN where it was one alone.
    """
    fold = np.asarray(fold, np.int64)
    if fold.shape != (len(examples),) or (fold >= len(models)).any() or (fold < OUTSIDE).any():
        raise ValueError(f"ensemble: folds must be -1 to {len(models) - 1}, one for each of {len(examples)} examples.")
    total, entropy = np.zeros((len(examples), target.width)), np.zeros((len(examples), len(target.parts)))
    n_member = np.zeros((len(examples), 1), np.int64)
    for k, model in enumerate(models):
        rows = np.flatnonzero((fold == k) | (fold == OUTSIDE))
        if rows.size:
            raws = _predict_unseen(model, examples.select(rows))
            total[rows] += target.align_to(model.mix(raws), model.target)
            entropy[rows] += np.sum([model.target.entropy(raw) for raw in raws], axis=0)
            n_member[rows] += len(raws)
    n_model = np.where(fold == OUTSIDE, len(models), 1)[:, None]
    return total / n_model, np.where(n_member > 1, entropy / n_member, np.nan)


def _predict_unseen(model: Model, examples: Examples) -> list[NDArray[np.float64]]:
    """Raw predictions of all members of a model; ValueError where it was trained on one of the objects."""
    seen = model.has_seen(examples.source_id)
    if seen.any():
        raise ValueError(
            f"ensemble: {int(seen.sum())} of {len(examples)} objects took part in the training of the "
            f"model that would score them (first: {examples.source_id[seen][0]}); give them their fold."
        )
    return model.members(examples)
