"""How the multiband LSTM learns: band by band, then the central network on their frozen states.

After Becker et al. 2025 (A&A 694, A183, section 3.5): in each batch every band network takes a step, then the central
network takes its own on their detached states. Simplified: one stop for all networks, on the log loss of the final
classification (their band networks stop each on its own), and a learning rate that decays by pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.learning.inputs.buckets import length_buckets
from tasks.learning.inputs.differences import DifferenceRows, difference_rows
from tasks.learning.inputs.padding import PaddedRows, pad_rows
from tasks.learning.inputs.windows import cut_views, cut_window, is_longer
from tasks.learning.models.lstm.config import NetworkConfig
from tasks.learning.models.lstm.network import MultibandLSTM
from tasks.learning.training.devices import device_of, to_device
from tasks.learning.training.loop import Losses
from tasks.learning.training.losses import log_loss, step_loss
from tasks.learning.training.options import GroupConfig
from tasks.learning.training.sampling import batch_size
from tasks.lightcurves import LightCurveBatch

PREDICTION_BATCH = 256
View = tuple[NDArray[np.int64], DifferenceRows]


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """A batch of n objects with their class codes (n,) and weights (n,)."""

    rows: PaddedRows
    code: Tensor
    weight: Tensor


class MultibandLearner:
    """The module and its training data, in the form of `training.loop.Learner`.

    `epochs` are the `distinct_epochs` of S objects with class codes and weights (S,); those in `stopping` (S,) decide
    when to stop, all of them where there are none. A curve longer than `max_per_band` is read through another window
    of that length in every pass.
    """

    def __init__(
        self,
        module: MultibandLSTM,
        config: NetworkConfig,
        epochs: LightCurveBatch,
        code: NDArray[np.int64],
        weight: NDArray[np.float32],
        stopping: NDArray[np.bool_],
    ) -> None:
        self.module, self.config = module, config
        self.code, self.weight = torch.from_numpy(code), torch.from_numpy(weight)
        self.learning = np.flatnonzero(~stopping)
        self.checking = np.flatnonzero(stopping) if stopping.any() else self.learning
        self.epochs = epochs.select(self.learning)
        self.is_windowed = bool(is_longer(self.epochs, config.max_per_band).any())
        self.rows = difference_rows(self.epochs, config.n_skip)
        self.views = row_views(epochs.select(self.checking), config)

    @property
    def groups(self) -> dict[str, tuple[nn.Module, GroupConfig]]:
        """The band networks, and the central network from pass `band_passes` on."""
        c = self.config
        bands = GroupConfig(c.lr, c.decay, c.weight_decay, c.clip)
        central = GroupConfig(c.central_lr, c.decay, c.weight_decay, c.clip, c.band_passes, c.central_steps)
        return {"bands": (self.module.bands, bands), "central": (self.module.central, central)}

    def batches(self, pass_number: int, rng: np.random.Generator) -> Iterator[LabelledRows]:
        """Length buckets of the learning objects, through windows where a curve is long."""
        if pass_number == 0 or self.is_windowed:  # drawn in the first pass of short curves too: one sequence for all
            where = rng.random(self.learning.size)
        if self.is_windowed:
            window = cut_window(self.epochs, self.config.max_per_band, where)
            self.rows = difference_rows(window, self.config.n_skip)
        for index in length_buckets(self.rows.length, batch_size(self.learning.size, self.config.batch), rng):
            chosen = self.learning[index]
            yield LabelledRows(pad_rows(self.rows, index), self.code[chosen], self.weight[chosen])

    def losses(self, batch: LabelledRows) -> Losses:
        """The sum of the bands' losses (they share no weight: its gradient is each band's own), and the central one."""
        logits, states = self.module.band_outputs(batch.rows)
        frozen = [[state.detach() for state in levels] for levels in states]
        return {"bands": lambda: self._bands(logits, batch), "central": lambda: self._central(frozen, batch)}

    def _bands(self, logits: list[Tensor], batch: LabelledRows) -> Tensor:
        steps = zip(logits, batch.rows.weight, strict=True)
        return torch.stack([step_loss(each, batch.code, batch.weight, weight) for each, weight in steps]).sum()

    def _central(self, states: list[list[Tensor]], batch: LabelledRows) -> Tensor:
        logits = self.module.central_logits(batch.rows, states)
        return step_loss(logits, batch.code, batch.weight, batch.rows.place_weight)

    def validation_loss(self) -> float:
        """Log loss of the final classification of the stopping part."""
        proba = final_proba(self.module, self.views, self.checking.size)
        return log_loss(proba, self.code[self.checking], self.weight[self.checking])


def row_views(epochs: LightCurveBatch, config: NetworkConfig) -> list[View]:
    """Rows of the windows to predict by, each with the indices of its objects."""
    return [(index, difference_rows(view, config.n_skip)) for index, view in cut_views(epochs, config.max_per_band)]


def final_proba(module: MultibandLSTM, views: list[View], n_object: int) -> Tensor:
    """Final probabilities (S, C), float64, on the CPU: the mean over an object's views; NaN where it has no row."""
    module.train(False)
    device = device_of(module)
    total, count = torch.zeros(n_object, module.n_class, dtype=torch.double), torch.zeros(n_object, 1)
    with torch.inference_mode():
        for index, rows in views:
            for part in length_buckets(rows.length, PREDICTION_BATCH):
                logits = module(to_device(pad_rows(rows, part), device))
                total[index[part]] += torch.softmax(logits.double(), -1).cpu()
                count[index[part]] += 1
    return total / count
