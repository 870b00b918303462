"""Who may score whom: what trained is scored by the one model that never saw it, all else by every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tasks.learning.data import Examples
from tasks.learning.fit import Model

OUTSIDE = -1


@dataclass(frozen=True, eq=False)
class Prediction:
    """For S objects: `classes` (C,) and `proba` (S, C), or `mean` and `sigma` (S,) in the learned space."""

    classes: tuple[str, ...] = ()
    proba: NDArray[np.float64] | None = None
    mean: NDArray[np.float64] | None = None
    sigma: NDArray[np.float64] | None = None

    @property
    def raw(self) -> NDArray[np.float64]:
        """The probabilities (S, C), or mean and sigma as (S, 2): what `evaluation` calibrates."""
        if self.proba is not None:
            return self.proba
        assert self.mean is not None and self.sigma is not None
        return np.stack([self.mean, self.sigma], axis=1)


def ensemble_predict(
    models: Sequence[Model], examples: Examples, fold: ArrayLike, classes: Sequence[str] | None = None
) -> Prediction:
    """Score S examples with one model per fold: models[k] was trained without fold k.

    fold (S,) is the fold of a training object, -1 for any other (held out, unlabelled, new). A training object gets
    its own fold's model alone; the others the mean over models. `classes` fixes the columns, else the union over the
    models. ValueError where a model would score an object that it has seen.
    """
    fold = np.asarray(fold, np.int64)
    if fold.shape != (len(examples),) or (fold >= len(models)).any() or (fold < OUTSIDE).any():
        raise ValueError(f"ensemble: folds must be -1 to {len(models) - 1}, one for each of {len(examples)} examples.")
    names = tuple(classes) if classes is not None else tuple(sorted({c for model in models for c in model.classes}))
    n_column = len(names) if models[0].recipe.kind == "classifier" else 2
    total = np.zeros((len(examples), n_column))
    for k, model in enumerate(models):
        rows = np.flatnonzero((fold == k) | (fold == OUTSIDE))
        if rows.size:
            total[rows] += _scored(model, examples.select(rows), names)
    total /= np.where(fold == OUTSIDE, len(models), 1)[:, None]
    if n_column == 2 and models[0].recipe.kind == "regressor":
        return Prediction(mean=total[:, 0], sigma=total[:, 1])
    return Prediction(classes=names, proba=total)


def _scored(model: Model, examples: Examples, names: tuple[str, ...]) -> NDArray[np.float64]:
    """Probabilities in the columns `names`, or mean and sigma; refuses what the model has seen."""
    seen = model.has_seen(examples.source_id)
    if seen.any():
        raise ValueError(
            f"ensemble: {int(seen.sum())} of {len(examples)} objects took part in the training of the "
            f"model that would score them (first: {examples.source_id[seen][0]}); give them their fold."
        )
    if model.recipe.kind == "regressor":
        return np.stack(model.predict(examples), axis=1)
    absent = sorted(set(model.classes) - set(names))
    if absent:
        raise ValueError(f"ensemble: the model knows the classes {', '.join(absent)}, which have no column.")
    proba = np.zeros((len(examples), len(names)))
    proba[:, [names.index(name) for name in model.classes]] = model.predict_proba(examples)
    return proba
