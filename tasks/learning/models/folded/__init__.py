"""The folded network: light curves folded at candidate periods, read by convolutions around the phase.

It learns classes, quantities, or several of them together. `network` says what it is made of.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples
from tasks.learning.models.folded.config import FoldedConfig
from tasks.learning.models.folded.need import FOLDED
from tasks.learning.spec import Body, Features, ModelSpec
from tasks.learning.targets import Classification, Joint, Labels, Regression, Target


def fit(
    config: FoldedConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> Body:
    """Network of all targets; part of the examples is set aside by object to decide when to stop."""
    from tasks.learning.models.folded.body import fit_network
    from tasks.learning.training.checkpoint import checkpoint_of

    values = (each.values for each in labels)
    kept = checkpoint_of(checkpoint, config, examples.source_id, *values, weight, seed)
    return fit_network(config, targets, examples, labels, weight, seed, kept)


def build(config: FoldedConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Body:
    """Network of stored arrays; ValueError where they do not fit the settings."""
    from tasks.learning.models.folded.body import build_network

    return build_network(config, settings, arrays)


SPEC = ModelSpec(
    name="folded",
    kinds=(Classification, Regression, Joint),
    needs=(FOLDED, Features(setting="reads_features")),
    config=FoldedConfig,
    cost=14.0,
    cost_of_columns=1.3,
    effort=FoldedConfig.effort,
    simplicity=12,
    fit=fit,
    build=build,
)
