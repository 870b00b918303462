"""A baseline: the median of the training part. A regressor below it is not worth publishing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.learning.baseline import Constant, build
from tasks.learning.data import Examples
from tasks.learning.spec import ModelSpec, NoConfig
from tasks.learning.targets import Labels, Regression, Target

MAD_TO_SIGMA = 1.4826  # of a normal distribution: 1 / Phi^-1(3/4)
SIGMA_FLOOR = 1e-6


def fit(
    config: NoConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> Constant:
    """Median and the scaled median absolute deviation; weights are not used."""
    del config, targets, examples, weight, seed, checkpoint
    y = labels[0].values
    median = np.median(y)
    return Constant(np.array([median, max(MAD_TO_SIGMA * np.median(np.abs(y - median)), SIGMA_FLOOR)]))


SPEC = ModelSpec(
    name="median", kinds=(Regression,), needs=(), config=NoConfig, cost=0.0, simplicity=1, fit=fit, build=build
)
