"""A trained folded network, and how it is trained and loaded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from tasks.learning.data import Examples
from tasks.learning.inputs.epochs import bands_to_learn, epochs_in_bands
from tasks.learning.inputs.quantiles import measure_quantiles, normal_scores
from tasks.learning.layers.heads import count_classes
from tasks.learning.models.folded.config import FoldedConfig
from tasks.learning.models.folded.curves import FoldedCurves, fold_curves
from tasks.learning.models.folded.learner import FoldedLearner
from tasks.learning.models.folded.need import FOLDED
from tasks.learning.models.folded.network import FoldedBatch, FoldedNetwork
from tasks.learning.targets import Labels, Target
from tasks.learning.training.checkpoint import Checkpoint, add_prefix, take_prefix
from tasks.learning.training.devices import one_thread, reproducible
from tasks.learning.training.loop import train
from tasks.learning.training.options import LoopConfig
from tasks.learning.training.sampling import class_strata, object_weights, stopping_part
from tasks.lightcurves import LightCurveBatch

CHUNK = 1024  # objects that are folded, and predicted, at a time: of their epochs no more is in memory


@dataclass(frozen=True, eq=False)
class FoldedBody:
    """A trained network, the bands and the feature columns that it reads, and the quantiles of all its columns."""

    config: FoldedConfig
    bands: tuple[str, ...]
    columns: tuple[str, ...]
    quantiles: NDArray[np.float64]
    module: FoldedNetwork
    history: tuple[float, ...] = ()

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Raw predictions (S, W) of all targets."""
        self.module.train(False)
        with one_thread(), torch.inference_mode():
            return np.concatenate([self._predict(part) for part in in_chunks(examples)])

    def arrays(self) -> dict[str, NDArray]:
        """Weights and scales by their names in the module, and the quantiles."""
        weights = {name: value.detach().numpy() for name, value in self.module.state_dict().items()}
        return {"quantiles": self.quantiles, **add_prefix("module", weights)}

    def settings(self) -> dict[str, Any]:
        """Bands, columns, classes of each target (0 for a quantity), and the validation loss of each pass."""
        return {
            "bands": list(self.bands),
            "columns": list(self.columns),
            "n_class": list(self.module.heads.n_class),
            "history": list(self.history),
        }

    def _predict(self, examples: Examples) -> NDArray[np.float64]:
        curves = read_curves(examples, self.config, self.bands, self.columns)
        return self.module.heads.raw(self.module(as_batch(curves, self.quantiles)))


def in_chunks(examples: Examples) -> Iterator[Examples]:
    """The examples in parts of at most `CHUNK`; one without an object where there are none."""
    for start in range(0, max(len(examples), 1), CHUNK):
        yield examples.select(np.arange(start, min(start + CHUNK, len(examples))))


def read_curves(examples: Examples, config: FoldedConfig, bands: Sequence[str], columns: Sequence[str]) -> FoldedCurves:
    """Curves and columns of the examples; ValueError without light curves in one of the bands."""
    batch = _batch(examples)
    if not set(bands) & set(batch.bands):
        raise ValueError(f"folded: it reads the bands {bands}, but the light curves have {batch.bands}.")
    periods, chances = FOLDED.candidates(examples), FOLDED.candidate_chances(examples)
    epochs, features = epochs_in_bands(batch, bands), examples.matrix(columns)
    return fold_curves(epochs, periods, chances, features, config.n_bin)


def as_batch(
    curves: FoldedCurves,
    quantiles: NDArray[np.float64],
    labels: tuple[Tensor, ...] = (),
    weight: NDArray[np.float32] | None = None,
) -> FoldedBatch:
    """Tensors of the curves, their columns as normal scores."""
    scores = normal_scores(curves.columns, quantiles)
    bins, candidates, columns = (torch.from_numpy(each) for each in (curves.bins, curves.candidates, scores))
    weight = np.empty((len(curves.bins), 0), np.float32) if weight is None else weight
    return FoldedBatch(bins, candidates, columns, labels, torch.from_numpy(weight))


def fit_network(
    config: FoldedConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Checkpoint | None = None,
) -> FoldedBody:
    """Network of all targets; part of the examples decides when to stop.

    A training with a `checkpoint` that was stopped goes on from there, to the same weights.
    """
    bands = bands_to_learn(_batch(examples), config.bands)
    columns = examples.feature_names if config.reads_features else ()
    curves = FoldedCurves.concatenate([read_curves(part, config, bands, columns) for part in in_chunks(examples)])
    quantiles, n_class = measure_quantiles(curves.columns), count_classes(targets)
    weights = np.stack([object_weights(own, weight, config.class_balance) for own in labels], axis=1)
    stopping = stopping_part(examples.source_id, class_strata(labels[0]), config.validation_fraction, seed)
    with reproducible(seed, config.device):
        module = FoldedNetwork(config, len(bands), curves.columns.shape[1], n_class)
        module.heads.set_scale(labels)
        objects = as_batch(curves, quantiles, module.heads.encode(labels), weights)
        learner = FoldedLearner(module, config, objects, stopping)
        loop = LoopConfig(config.max_passes, config.patience, seed, config.device)
        history = train(learner, loop, checkpoint)
    return FoldedBody(config, bands, columns, quantiles, module, tuple(history))


def build_network(config: FoldedConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> FoldedBody:
    """Network of stored arrays; ValueError where they do not fit the settings."""
    bands, columns, quantiles = tuple(settings["bands"]), tuple(settings["columns"]), arrays["quantiles"]
    module = FoldedNetwork(config, len(bands), len(quantiles), settings["n_class"])
    weights = {name: torch.from_numpy(np.array(value)) for name, value in take_prefix("module", arrays).items()}
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"folded: the stored weights are not those of its network; {error}") from None
    return FoldedBody(config, bands, columns, quantiles, module, tuple(settings["history"]))


def _batch(examples: Examples) -> LightCurveBatch:
    if examples.batch is None:
        raise ValueError(f"folded: {len(examples)} examples come without light curves; give their batch.")
    return examples.batch
