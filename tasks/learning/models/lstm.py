"""The multiband LSTM of Becker et al. 2025 (A&A 694, A183): a network per band, and one that reads them in time.

Differences from the paper, on purpose: LayerNorm in the per-step heads instead of BatchNorm (whose statistics leak
through padding and, in the authors' code, through the batch at inference); the residual of level two adds the first
level, as the paper says and the code does not; colours not yet seen are 0 with a mask, not an apparent magnitude; the
inputs are scaled by the mean and spread of the training part; the time difference enters the head as a logarithm. A
curve longer than `max_per_band` is learned through a random window in each pass and scored by the mean over its first,
middle and last windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.learning.body import Classifier
from tasks.learning.data import Examples
from tasks.learning.padding import Padded
from tasks.learning.recipe import NetworkConfig, Recipe
from tasks.learning.splits import hash_of
from tasks.learning.tokens import INPUTS, Tokens, context_width, distinct_epochs, fixed_views, rows_of
from tasks.learning.torch_fit import Multiband, final_proba, one_thread, train
from tasks.lightcurves import LightCurveBatch


class Levels(nn.Module):
    """LSTM levels with residual and LayerNorm between them (not after the last); forward gives every level's states."""

    def __init__(self, inputs: int, hidden: int, levels: int, bias: bool) -> None:
        super().__init__()
        self.lstm = nn.ModuleList(nn.LSTM(hidden if i else inputs, hidden, batch_first=True) for i in range(levels))
        self.norm = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(levels - 1))
        self.skip = nn.Linear(inputs, hidden, bias=bias) if levels > 1 else None

    def forward(self, x_BTC: Tensor) -> list[Tensor]:
        states = [self.lstm[0](x_BTC)[0]]
        below = self.skip(x_BTC) if self.skip is not None else None
        for lstm, norm in zip(self.lstm[1:], self.norm, strict=True):
            below = norm(states[-1] + below)
            states.append(lstm(below)[0])
        return states


class Mix(nn.Module):
    """Convex combination of the levels, its weights learned through a softmax."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((levels,), 1.0 / levels))

    def forward(self, states: list[Tensor]) -> Tensor:
        weight = torch.softmax(self.alpha, 0)
        return sum((w * state for w, state in zip(weight, states, strict=True)), torch.zeros(()))


def step_head(inputs: int, widths: tuple[int, ...], n_class: int, dropout: float) -> nn.Sequential:
    """[Linear without bias, LayerNorm, ReLU, Dropout] for each width, then Linear to the classes; acts on each step."""
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(inputs, width, bias=False), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, n_class))


class BandNetwork(nn.Module):
    """Reads one band: forward gives the logits (B, T, C) of each step and the states of every level."""

    def __init__(self, config: NetworkConfig, n_class: int) -> None:
        super().__init__()
        self.levels = Levels(INPUTS, config.hidden, config.levels, bias=True)
        self.mix = Mix(config.levels)
        self.head = step_head(config.hidden, config.head, n_class, config.dropout)

    def forward(self, x_BTC: Tensor) -> tuple[Tensor, list[Tensor]]:
        states = self.levels(x_BTC)
        return self.head(self.mix(states)), states


class Translation(nn.Module):
    """Brings one band's states to the common language of the central network: mix, LayerNorm, dense layers."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.mix = Mix(config.levels)
        self.norm = nn.LayerNorm(config.hidden)
        self.dense = nn.Sequential(*(layer for _ in range(config.translation)
                                     for layer in (nn.Linear(config.hidden, config.hidden), nn.ReLU())))  # fmt: skip

    def forward(self, states: list[Tensor]) -> Tensor:
        return self.dense(self.norm(self.mix(states)))


class CentralNetwork(nn.Module):
    """Reads the bands' states in order of time: forward gives the logits (B, L, C) after each epoch."""

    def __init__(self, config: NetworkConfig, n_band: int, n_class: int) -> None:
        super().__init__()
        self.translations = nn.ModuleList(Translation(config) for _ in range(n_band))
        self.norm = nn.LayerNorm(config.hidden)
        self.levels = Levels(config.hidden, config.hidden, config.central_levels, bias=False)
        self.mix = Mix(config.central_levels)
        self.head = step_head(config.hidden + context_width(n_band), config.central_head, n_class, config.dropout)

    def forward(self, states: list[list[Tensor]], place_BL: Tensor, context_BLK: Tensor) -> Tensor:
        each = torch.cat([one(two) for one, two in zip(self.translations, states, strict=True)], 1)
        merged_BLH = torch.take_along_dim(each, place_BL[..., None], 1)
        found = self.mix(self.levels(self.norm(merged_BLH)))
        return self.head(torch.cat([found, context_BLK], -1))


class MultibandLSTM(Multiband):
    """One BandNetwork per band and a CentralNetwork; scales its inputs by what `set_scale` has measured."""

    x_scale: Tensor
    context_scale: Tensor

    def __init__(self, config: NetworkConfig, n_band: int, n_class: int) -> None:
        super().__init__()
        self.n_class = n_class
        self.bands = nn.ModuleList(BandNetwork(config, n_class) for _ in range(n_band))
        self.central = CentralNetwork(config, n_band, n_class)
        self.register_buffer("x_scale", torch.stack([torch.zeros(n_band, INPUTS), torch.ones(n_band, INPUTS)]))
        width = context_width(n_band)
        self.register_buffer("context_scale", torch.stack([torch.zeros(width), torch.ones(width)]))

    def set_scale(self, tokens: Tokens) -> None:
        """Mean and spread of the rows of each band and of the context; the masks of unseen colours stay 0 and 1."""
        for b in range(len(tokens.bands)):
            rows = tokens.x[tokens.band == b]
            if len(rows) > 1:
                self.x_scale[:, b] = torch.from_numpy(_scale(rows))
        if len(tokens.context) > 1:
            self.context_scale[:, -1] = torch.from_numpy(_scale(tokens.context[:, -1:]))[:, 0]

    def band_outputs(self, batch: Padded) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Logits (B, T, C) and states of each band."""
        mean, spread = self.x_scale
        outputs = [net((x - mean[b]) / spread[b]) for b, (net, x) in enumerate(zip(self.bands, batch.x, strict=True))]
        return [logits for logits, _ in outputs], [states for _, states in outputs]

    def central_logits(self, batch: Padded, states: list[list[Tensor]]) -> Tensor:
        """Logits (B, L, C) after each epoch of the merged series."""
        mean, spread = self.context_scale
        return self.central(states, batch.place, (batch.context - mean) / spread)

    def forward(self, batch: Padded) -> Tensor:
        """Logits (B, C) after the last epoch: the classification of the catalogue."""
        logits_BLC = self.central_logits(batch, self.band_outputs(batch)[1])
        return logits_BLC[torch.arange(len(batch.last)), batch.last]


def _scale(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = rows.astype(np.float64)
    return np.stack([rows.mean(0), np.maximum(rows.std(0), 1e-3)]).astype(np.float32)


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
        views = fixed_views(_epochs(examples, self.bands), self.config.max_per_band, self.config.n_skip)
        with one_thread():
            found = final_proba(self.module, views, len(examples)).numpy()
        return np.where(np.isfinite(found), found, self.prior)

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
    bands = config.bands or examples.batch.bands
    epochs = _epochs(examples, bands)
    prior = np.bincount(y, minlength=n_class) / y.size
    validating = _validation(examples.source_id, y, config.validation_fraction, recipe.seed)
    with one_thread(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        module = MultibandLSTM(config, len(bands), n_class)
        module.set_scale(rows_of(epochs.select(~validating), config.n_skip))
        history = train(module, epochs, y, _object_weight(y, weight, config), validating, config, recipe.seed)
    return Network(config, tuple(bands), prior, module, tuple(history))


def build(recipe: Recipe, settings: dict[str, Any], arrays: dict[str, NDArray]) -> Network:
    """Network of stored arrays; ValueError where they do not fit the recipe."""
    if recipe.network is None:
        raise ValueError(f"recipe {recipe.name}: the model card has no network settings.")
    module = MultibandLSTM(recipe.network, len(settings["bands"]), arrays["prior"].size)
    weights = {name.removeprefix("module."): torch.from_numpy(np.array(value))
               for name, value in arrays.items() if name.startswith("module.")}  # fmt: skip
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


def _validation(source_id: NDArray[np.int64], y: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.bool_]:
    """(S,) the objects that decide when to stop: `fraction` of each class, by a hash of their id."""
    order = np.lexsort((hash_of(source_id, seed + 1), y))
    size = np.bincount(y)
    rank = np.arange(y.size) - (np.cumsum(size) - size)[y[order]]
    chosen = np.zeros(y.size, bool)
    chosen[order] = rank < np.rint(fraction * size).astype(np.int64)[y[order]]
    return chosen


def _object_weight(y: NDArray[np.int64], weight: NDArray | None, config: NetworkConfig) -> NDArray[np.float32]:
    """Weight of each object in the loss, of mean 1: class frequency to the power -`class_balance`."""
    found = np.bincount(y)[y].astype(np.float64) ** -config.class_balance
    found = found if weight is None else found * weight
    return (found / found.mean()).astype(np.float32)
