"""A baseline: the class frequencies of the training part. A classifier below it is not worth publishing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tasks.learning.baseline import Constant, build
from tasks.learning.data import Examples
from tasks.learning.spec import ModelSpec, NoConfig
from tasks.learning.targets import Classification, Labels, Target


def fit(
    config: NoConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> Constant:
    """Frequencies of the classes, weighted where there are weights."""
    del config, examples, seed, checkpoint
    count = np.bincount(labels[0].values, weights=weight, minlength=targets[0].width)
    return Constant(count / count.sum())


SPEC = ModelSpec(
    name="majority", kinds=(Classification,), needs=(), config=NoConfig, cost=0.0, simplicity=0, fit=fit, build=build
)
