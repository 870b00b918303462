"""From scores to rows: the wide columns of the catalogue, and the long values of the history. Arrays in, tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas import Column
from schemas.arrays import align
from tasks.learning.data import Examples
from tasks.learning.ensemble import predict_and_compare
from tasks.learning.fit import Model
from tasks.learning.recipe import Recipe
from tasks.learning.splits import TEST
from tasks.learning.targets import Calibration, ScoreValues, Target
from tasks.learning.uncertainty.novelty import Novelty


@dataclass(frozen=True, eq=False)
class Scorer:
    """What scores one target: a model per fold, the fold of each source that trained (n,), and the calibration.

    `target` is bound to the classes of all labels; `trained` (n,) are sorted ids. `novelty` says how strange a source
    is; None of a quantity, of models that read no features, and of older programs.
    """

    model_id: str
    recipe: Recipe
    target: Target
    models: tuple[Model, ...]
    calibration: Calibration
    trained: NDArray[np.int64]
    fold: NDArray[np.int64]
    novelty: Novelty | None = None

    def folds(self, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
        """Fold of each source, (S,); -1 where it trained no model."""
        place = align(source_id, self.trained)
        return np.where(place >= 0, self.fold[place], TEST)

    def score(self, examples: Examples) -> Any:
        """Calibrated scores; a source that trained is scored by the one model that never saw it."""
        raw, entropy = predict_and_compare(self.models, examples, self.folds(examples.source_id), self.target)
        return self.target.scores(self.calibration, raw, entropy)


def columns_read(scorers: Sequence[Scorer]) -> tuple[str, ...]:
    """The feature columns that the scorers read, each once, in order of name."""
    return tuple(sorted({name for scorer in scorers for name in scorer.recipe.columns}))


def reads_curves(scorers: Sequence[Scorer]) -> bool:
    """True where one of the scorers reads light curves."""
    return any(scorer.recipe.reads_curves for scorer in scorers)


def has_trained_any(scorers: Sequence[Scorer], source_id: NDArray[np.int64]) -> NDArray[np.bool_]:
    """(S,) true for sources that trained one of the scorers."""
    trained = [scorer.folds(source_id) != TEST for scorer in scorers]
    return np.any(np.reshape(trained, (len(scorers), source_id.size)), axis=0)


def rank_novelty(scorers: Sequence[Scorer], examples: Examples) -> pa.Array:
    """novelty_rank (S,) by the first scorer that gives one; null where there is none."""
    for scorer in scorers:
        if scorer.novelty:
            return pa.array(scorer.novelty.rank(examples), pa.float32(), from_pandas=True)
    return pa.nulls(len(examples), pa.float32())


def catalogue_values(scorers: Sequence[Scorer], scores: Sequence[Any]) -> dict[str, Any]:
    """Values (S,) of the catalogue's columns by name: scores[k] are those of scorers[k]."""
    values: dict[str, Any] = {}
    for scorer, own in zip(scorers, scores, strict=True):
        values |= scorer.target.catalogue_values(own)
    return values


def catalogue_columns(targets: Sequence[tuple[Target, Calibration]]) -> list[Column]:
    """Declarations of the catalogue's columns, in the order of `catalogue_values`."""
    return [column for target, calibration in targets for column in target.columns(calibration)]


def score_rows(values: ScoreValues, of_source: Mapping[str, Any]) -> pa.Table:
    """Rows of score__value of one target: S times N, the names of a source together.

    `of_source` are columns with one value for each of the S sources, repeated here for each name.
    """
    n_source, n_name = values.value.shape
    row = pa.array(np.repeat(np.arange(n_source), n_name))
    name = pa.array(values.names).take(pa.array(np.tile(np.arange(n_name), n_source)))
    columns = {key: pa.array(column).take(row) for key, column in of_source.items()}
    ends = {"lo": _end(values.lo, len(row)), "hi": _end(values.hi, len(row))}
    target = pa.repeat(values.target, len(row))
    return pa.table({**columns, "target": target, "name": name, "value": values.value.ravel(), **ends})


def _end(values: NDArray[np.float64] | None, n: int) -> pa.Array:
    return pa.nulls(n, pa.float64()) if values is None else pa.array(values.ravel(), from_pandas=True)
