"""A trained multiband LSTM, and how it is trained and loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.learning.data import Examples
from tasks.learning.inputs.epochs import bands_to_learn, distinct_epochs
from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.models.lstm.learner import MultibandLearner, final_proba, row_views
from tasks.learning.models.lstm.network import MultibandLSTM
from tasks.learning.training.checkpoint import Checkpoint, add_prefix, take_prefix
from tasks.learning.training.devices import one_thread, reproducible
from tasks.learning.training.loop import train
from tasks.learning.training.options import LoopConfig
from tasks.learning.training.sampling import balance_weight, stopping_part
from tasks.lightcurves import LightCurveBatch


@dataclass(frozen=True, eq=False)
class Network:
    """A trained network, the bands it reads, and the class frequencies for objects without three epochs in a band."""

    config: NetworkConfig
    bands: tuple[str, ...]
    prior: NDArray[np.float64]
    module: MultibandLSTM
    history: tuple[float, ...] = ()

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Class probabilities (S, C); an object that has no row of differences gets the class frequencies."""
        views = row_views(_epochs(examples, self.bands), self.config)
        with one_thread():
            proba = final_proba(self.module, views, len(examples)).numpy()
        return np.where(np.isfinite(proba), proba, self.prior)

    def arrays(self) -> dict[str, NDArray]:
        """Weights and scales by their names in the module, and the class frequencies."""
        weights = {name: value.detach().numpy() for name, value in self.module.state_dict().items()}
        return {"prior": self.prior, **add_prefix("module", weights)}

    def settings(self) -> dict[str, Any]:
        """Bands, and the validation loss of each pass."""
        return {"bands": list(self.bands), "history": list(self.history)}


def fit_network(
    config: NetworkConfig,
    n_class: int,
    examples: Examples,
    code: NDArray[np.int64],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Checkpoint | None = None,
) -> Network:
    """Network of class codes (S,), all of them below `n_class`; part of the examples decides when to stop.

    A training with a `checkpoint` that was stopped goes on from there, to the same weights.
    """
    bands = bands_to_learn(_batch(examples), config.bands)
    epochs = _epochs(examples, bands)
    stopping = stopping_part(examples.source_id, code, config.validation_fraction, seed)
    weights = balance_weight(code, weight, config.class_balance)
    with reproducible(seed, config.device):
        module = MultibandLSTM(config, len(bands), n_class)
        learner = MultibandLearner(module, config, epochs, code, weights, stopping)
        module.set_scale(learner.rows)
        loop = LoopConfig(config.max_passes, config.patience, seed, config.device)
        history = train(learner, loop, checkpoint)
    return Network(config, bands, np.bincount(code, minlength=n_class) / code.size, module, tuple(history))


def build_network(config: NetworkConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Network:
    """Network of stored arrays; ValueError where they do not fit the settings."""
    module = MultibandLSTM(config, len(settings["bands"]), arrays["prior"].size)
    weights = {name: torch.from_numpy(np.array(value)) for name, value in take_prefix("module", arrays).items()}
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"lstm: the stored weights are not those of its network; {error}") from None
    return Network(config, tuple(settings["bands"]), arrays["prior"], module, tuple(settings["history"]))


def _epochs(examples: Examples, bands: tuple[str, ...]) -> LightCurveBatch:
    batch = _batch(examples)
    if not set(bands) & set(batch.bands):
        raise ValueError(f"lstm: it reads the bands {bands}, but the light curves have {batch.bands}.")
    return distinct_epochs(batch, bands)


def _batch(examples: Examples) -> LightCurveBatch:
    if examples.batch is None:
        raise ValueError(f"lstm: {len(examples)} examples come without light curves; give their batch.")
    return examples.batch
