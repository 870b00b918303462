"""The body of models that are a published relation: of the labels they learn a zero point and a spread, no more.

Outside of the domain of a relation, or without what it reads, the prediction is that of the baseline: the median of the
labels, with their whole spread (decision 19).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples
from tasks.learning.spec import ModelSpec, Need, NoConfig
from tasks.learning.targets import Labels, Regression, Target

Relation = Callable[[Examples], NDArray[np.float64]]  # values (S,) in the space that is learnt, NaN out of its domain
FEWEST = 10  # labels in the domain: with fewer the zero point is the relation's own
MAD_TO_SIGMA = 1.4826  # of a normal distribution: 1 / Phi^-1(3/4)
SIGMA_FLOOR = 1e-6


@dataclass(frozen=True, eq=False)
class CalibratedRelation:
    """A relation with what was learnt of it: `numbers` (4,) are zero point and spread, median and spread of labels."""

    relation: Relation
    numbers: NDArray[np.float64]

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Value and spread, (S, 2); the median and the spread of the labels where the relation says nothing."""
        zero, spread, median, wide = self.numbers
        value = self.relation(examples) + zero
        is_known = np.isfinite(value)
        return np.stack([np.where(is_known, value, median), np.where(is_known, spread, wide)], axis=1)

    def arrays(self) -> dict[str, NDArray]:
        """The four numbers."""
        return {"numbers": self.numbers}

    def settings(self) -> dict[str, Any]:
        """Nothing more."""
        return {}


def model_of(
    name: str, quantity: str, needs: tuple[Need, ...], relation: Relation, simplicity: int
) -> ModelSpec[NoConfig]:
    """The spec of the model of `quantity` that is the `relation`; `simplicity` is below 0: its form is not learnt."""

    def fit(
        config: NoConfig,
        targets: tuple[Target, ...],
        examples: Examples,
        labels: tuple[Labels, ...],
        weight: NDArray[np.float64] | None,
        seed: int,
        checkpoint: Path | None = None,
    ) -> CalibratedRelation:
        """Zero point and spread about it, medians both; weights are not used."""
        del config, targets, weight, seed, checkpoint
        y = labels[0].values
        residual = y - relation(examples)
        residual = residual[np.isfinite(residual)]
        zero, spread = _centre(residual) if residual.size >= FEWEST else (0.0, _centre(y)[1])
        return CalibratedRelation(relation, np.array([zero, spread, *_centre(y)]))

    def build(config: NoConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> CalibratedRelation:
        """The relation with stored numbers."""
        del config, settings
        return CalibratedRelation(relation, arrays["numbers"])

    return ModelSpec(
        name, (Regression,), needs, NoConfig, 0.1, simplicity, fit=fit, build=build, quantities=(quantity,)
    )


def first_known(examples: Examples, names: Sequence[str]) -> NDArray[np.float64]:
    """Of the columns `names` that there are, the first that is known of each object, (S,); NaN where none is."""
    found = np.full(len(examples), np.nan)
    for name in names:
        if name in examples.feature_names:
            own = examples.matrix([name])[:, 0].astype(np.float64)
            found = np.where(np.isfinite(found), found, own)
    return found


def _centre(values: NDArray[np.float64]) -> tuple[float, float]:
    """Median, and the scaled median absolute deviation from it."""
    median = float(np.median(values))
    return median, max(MAD_TO_SIGMA * float(np.median(np.abs(values - median))), SIGMA_FLOOR)
