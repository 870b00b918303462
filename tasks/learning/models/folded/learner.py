"""How the folded network learns: one group of parameters, and curves that are turned and thinned at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.learning.models.folded.config import FoldedConfig
from tasks.learning.models.folded.network import FoldedBatch, FoldedNetwork
from tasks.learning.training.devices import autocast, to_device, torch_device
from tasks.learning.training.loop import Losses
from tasks.learning.training.options import GroupConfig
from tasks.learning.training.sampling import batch_size, shuffled_batches


class FoldedLearner:
    """The module and its training data, in the form of `training.loop.Learner`.

    `objects` are S objects with labels and weights; those in `stopping` (S,) decide when to stop, all of them where
    there are none. All lie on the device of the training at once, a few kB each.
    """

    def __init__(
        self, module: FoldedNetwork, config: FoldedConfig, objects: FoldedBatch, stopping: NDArray[np.bool_]
    ) -> None:
        self.module, self.config, self.device = module, config, torch_device(config.device)
        self.objects = to_device(objects, self.device)
        self.learning = np.flatnonzero(~stopping)
        self.checking = np.flatnonzero(stopping) if stopping.any() else self.learning

    @property
    def groups(self) -> dict[str, tuple[nn.Module, GroupConfig]]:
        """All of the module."""
        c = self.config
        return {"all": (self.module, GroupConfig(c.lr, 1.0, c.weight_decay, c.clip, schedule="cosine"))}

    def batches(self, pass_number: int, rng: np.random.Generator) -> Iterator[FoldedBatch]:
        """The learning objects in a random order, each curve turned by a random phase, some of its bins left out."""
        n = self.learning.size
        for part in shuffled_batches(n, batch_size(n, self.config.batch), rng):
            yield self._disturb(self._select(self.learning[part]), rng)

    def losses(self, batch: FoldedBatch) -> Losses:
        """The sum over the targets of their mean losses."""
        return {"all": lambda: self._loss(batch)}

    def validation_loss(self) -> float:
        """The same of the stopping part, its curves as they are."""
        return float(self._loss(self._select(self.checking)))

    def _loss(self, batch: FoldedBatch) -> Tensor:
        with autocast(self.device, self.config.precision):
            outputs = self.module(batch)
        return self.module.heads.loss([each.float() for each in outputs], batch.labels, batch.weight)

    def _select(self, index: NDArray[np.int64]) -> FoldedBatch:
        return self.objects.select(torch.from_numpy(index).to(self.device))

    def _disturb(self, batch: FoldedBatch, rng: np.random.Generator) -> FoldedBatch:
        bins = turn(batch.bins, rng.integers(0, batch.bins.shape[-1], batch.bins.shape[:2]))
        hidden = rng.random(bins.shape, np.float32) < self.config.hidden_bins
        return replace(batch, bins=bins.masked_fill(torch.from_numpy(hidden).to(self.device), torch.nan))


def turn(bins: Tensor, shift: NDArray[np.int64]) -> Tensor:
    """The bins (n, K, B, P), those of each candidate rolled by its `shift` (n, K), all bands alike."""
    n_bin = bins.shape[-1]
    place = (np.arange(n_bin) - shift[..., None, None]) % n_bin
    return bins.gather(-1, torch.from_numpy(place).to(bins.device).expand(bins.shape))
