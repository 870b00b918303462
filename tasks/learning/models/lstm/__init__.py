"""The multiband LSTM of Becker et al. 2025 (A&A 694, A183): a network per band, and one that reads them in time.

A curve longer than `max_per_band` is learned through a random window in each pass and scored by the mean over its
first, middle and last windows. `network` lists what differs from the paper.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.learning.data import Examples
from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.spec import Body, Curves, ModelSpec
from tasks.learning.targets import Classification, Labels, Target


def fit(
    config: NetworkConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> Body:
    """Network of class codes; part of the examples is set aside by object to decide when to stop."""
    from tasks.learning.models.lstm.body import fit_network
    from tasks.learning.training.checkpoint import checkpoint_of

    kept = checkpoint_of(checkpoint, config, examples.source_id, labels[0].values, weight, seed)
    return fit_network(config, targets[0].width, examples, labels[0].values, weight, seed, kept)


def build(config: NetworkConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Body:
    """Network of stored arrays; ValueError where they do not fit the settings."""
    from tasks.learning.models.lstm.body import build_network

    return build_network(config, settings, arrays)


SPEC = ModelSpec(
    name="lstm",
    kinds=(Classification,),
    needs=(Curves(has_time=True),),
    config=NetworkConfig,
    cost=120.0,
    effort=NetworkConfig.effort,
    simplicity=20,
    fit=fit,
    build=build,
)
