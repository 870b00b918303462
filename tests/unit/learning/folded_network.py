"""A network from outside the package: a convolution over light curves folded at the period and at twice the period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.features.feature import PERIOD_DAY
from tasks.learning.data import Examples
from tasks.learning.inputs.epochs import centre, epochs_in_bands
from tasks.learning.inputs.folded import fold_to_bins
from tasks.learning.spec import Folded, ModelSpec
from tasks.learning.targets import Classification, Labels, Target
from tasks.learning.training.checkpoint import checkpoint_of
from tasks.learning.training.devices import one_thread, reproducible
from tasks.learning.training.loop import Losses, train
from tasks.learning.training.losses import class_loss
from tasks.learning.training.options import GroupConfig, LoopConfig
from tasks.learning.training.sampling import balanced_batches

FOLDED = Folded((PERIOD_DAY,), factors=(1.0, 2.0))


@dataclass(frozen=True)
class FoldedConfig:
    """Bins of phase, channels, passes."""

    bins: int = 12
    width: int = 8
    max_passes: int = 12


def network(config: FoldedConfig, n_band: int, n_class: int) -> nn.Module:
    """From bins (n, K * B, bins) to logits (n, C)."""
    return nn.Sequential(
        nn.Conv1d(n_band * len(FOLDED.factors), config.width, 3, padding=1, padding_mode="circular"), nn.ReLU(),
        nn.AdaptiveMaxPool1d(1), nn.Flatten(), nn.Linear(config.width, n_class),
    )  # fmt: skip


def bins_of(examples: Examples, bands: Sequence[str], n_bin: int) -> Tensor:
    """Curves less their mean (S, K * B, n_bin), 0 in bins without an epoch."""
    if examples.batch is None:
        raise ValueError(f"folded_network: {len(examples)} examples come without light curves; give their batch.")
    epochs = centre(epochs_in_bands(examples.batch, bands))
    return torch.from_numpy(np.nan_to_num(fold_to_bins(epochs, FOLDED.candidates(examples), n_bin))).flatten(1, 2)


@dataclass(frozen=True, eq=False)
class FoldedNetwork:
    """The trained module and the bands that it reads."""

    config: FoldedConfig
    bands: tuple[str, ...]
    module: nn.Module

    def predict(self, examples: Examples) -> NDArray[np.float64]:
        """Class probabilities (S, C)."""
        with one_thread(), torch.inference_mode():
            logits = self.module.train(False)(bins_of(examples, self.bands, self.config.bins))
        return torch.softmax(logits.double(), -1).numpy()

    def arrays(self) -> dict[str, NDArray]:
        """Weights."""
        return {name: value.detach().numpy() for name, value in self.module.state_dict().items()}

    def settings(self) -> dict[str, Any]:
        """Bands."""
        return {"bands": list(self.bands)}


@dataclass(frozen=True, eq=False)
class Learner:
    """One group of parameters, batches with the classes in turn, the loss of the classes."""

    module: nn.Module
    x: Tensor
    code: Tensor
    weight: Tensor

    @property
    def groups(self) -> dict[str, tuple[nn.Module, GroupConfig]]:
        """All of the module."""
        return {"all": (self.module, GroupConfig(lr=2e-2))}

    def batches(self, pass_number: int, rng: np.random.Generator) -> Iterator[tuple[Tensor, ...]]:
        """Bins, codes and weights."""
        for index in balanced_batches(self.code.numpy(), 32, rng):
            yield self.x[index], self.code[index], self.weight[index]

    def losses(self, batch: tuple[Tensor, ...]) -> Losses:
        """Cross entropy of a batch."""
        x, code, weight = batch
        return {"all": lambda: class_loss(self.module(x), code, weight)}

    def validation_loss(self) -> float:
        """The same of all."""
        return float(class_loss(self.module(self.x), self.code, self.weight))


def fit(
    config: FoldedConfig,
    targets: tuple[Target, ...],
    examples: Examples,
    labels: tuple[Labels, ...],
    weight: NDArray[np.float64] | None,
    seed: int,
    checkpoint: Path | None = None,
) -> FoldedNetwork:
    """Network of all bands of the examples."""
    bands, code = examples.batch.bands if examples.batch else (), labels[0].values
    kept = checkpoint_of(checkpoint, config, examples.source_id, code, weight, seed)
    x = bins_of(examples, bands, config.bins)
    weights = torch.ones(len(code)) if weight is None else torch.from_numpy(weight / weight.mean()).float()
    with reproducible(seed, "cpu"):
        module = network(config, len(bands), targets[0].width)
        train(Learner(module, x, torch.from_numpy(code), weights), LoopConfig(config.max_passes, 99, seed), kept)
    return FoldedNetwork(config, tuple(bands), module)


def build(config: FoldedConfig, settings: dict[str, Any], arrays: dict[str, NDArray]) -> FoldedNetwork:
    """From stored weights."""
    module = network(config, len(settings["bands"]), len(arrays["4.bias"]))
    module.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    return FoldedNetwork(config, tuple(settings["bands"]), module)


SPEC = ModelSpec(
    name="folded_network",
    kinds=(Classification,),
    needs=(FOLDED,),
    config=FoldedConfig,
    cost=10.0,
    simplicity=6,
    fit=fit,
    build=build,
)
