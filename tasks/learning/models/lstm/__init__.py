"""The multiband LSTM of Becker et al. 2025 (A&A 694, A183): a network per band, and one that reads them in time.

A curve longer than `max_per_band` is learned through a random window in each pass and scored by the mean over its
first, middle and last windows. `network` lists what differs from the paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tasks.learning.body import Classifier
from tasks.learning.data import Examples
from tasks.learning.inputs.epochs import distinct_epochs
from tasks.learning.models.lstm.learner import MultibandLearner, final_proba, row_views
from tasks.learning.models.lstm.network import MultibandLSTM
from tasks.learning.recipe import NetworkConfig, Recipe
from tasks.learning.training.devices import one_thread, reproducible
from tasks.learning.training.loop import LoopConfig, train
from tasks.learning.training.sampling import balance_weight, stopping_part
from tasks.lightcurves import LightCurveBatch


@dataclass(frozen=True, eq=False)
class Network(Classifier):
    """A trained network, the bands it reads, and the class frequencies for objects without three epochs in a band."""

    config: NetworkConfig
    bands: tuple[str, ...]
    prior: NDArray[np.float64]
    module: MultibandLSTM
    history: tuple[float, ...] = ()

    def proba(self, examples: Examples) -> NDArray[np.float64]:
        """Class probabilities (S, C); an object that has no row of differences gets the class frequencies."""
        views = row_views(_epochs(examples, self.bands), self.config)
        with one_thread():
            proba = final_proba(self.module, views, len(examples)).numpy()
        return np.where(np.isfinite(proba), proba, self.prior)

    def arrays(self) -> dict[str, NDArray]:
        """Weights and scales by their names in the module, and the class frequencies."""
        weights = {f"module.{name}": value.detach().numpy() for name, value in self.module.state_dict().items()}
        return {"prior": self.prior, **weights}

    def settings(self) -> dict[str, Any]:
        """Bands, and the validation loss of each pass."""
        return {"bands": list(self.bands), "history": list(self.history)}


def fit(recipe: Recipe, examples: Examples, y: NDArray[np.int64], n_class: int, weight: NDArray | None) -> Network:
    """Network of codes y (S,); part of the examples is set aside by object to decide when to stop."""
    config = recipe.network
    if config is None or examples.batch is None:
        raise ValueError(f"recipe {recipe.name}: an lstm needs a network and light curves; use a forest without them.")
    bands = tuple(config.bands or examples.batch.bands)
    epochs = _epochs(examples, bands)
    stopping = stopping_part(examples.source_id, y, config.validation_fraction, recipe.seed)
    with reproducible(recipe.seed, "cpu"):
        module = MultibandLSTM(config, len(bands), n_class)
        learner = MultibandLearner(module, config, epochs, y, balance_weight(y, weight, config.class_balance), stopping)
        module.set_scale(learner.rows)
        history = train(learner, LoopConfig(config.max_epoch_count, config.patience, recipe.seed))
    return Network(config, bands, np.bincount(y, minlength=n_class) / y.size, module, tuple(history))


def build(recipe: Recipe, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Network:
    """Network of stored arrays; ValueError where they do not fit the recipe."""
    if recipe.network is None:
        raise ValueError(f"recipe {recipe.name}: the model card has no network settings.")
    module = MultibandLSTM(recipe.network, len(settings["bands"]), arrays["prior"].size)
    weights = {
        name.removeprefix("module."): torch.from_numpy(np.array(value))
        for name, value in arrays.items()
        if name.startswith("module.")
    }
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        raise ValueError(f"recipe {recipe.name}: the stored weights are not those of its network; {error}") from None
    return Network(recipe.network, tuple(settings["bands"]), arrays["prior"], module, tuple(settings["history"]))


def _epochs(examples: Examples, bands: tuple[str, ...]) -> LightCurveBatch:
    if examples.batch is None:
        raise ValueError(f"lstm: {len(examples)} examples come without light curves; give their batch.")
    if not set(bands) & set(examples.batch.bands):
        raise ValueError(f"lstm: it reads the bands {bands}, but the light curves have {examples.batch.bands}.")
    return distinct_epochs(examples.batch, bands)
