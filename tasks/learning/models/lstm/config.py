"""Settings of the multiband LSTM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from tasks.learning.training.options import Device

Count = Annotated[int, Field(ge=1)]
CountOrNone = Annotated[int, Field(ge=0)]
Rate = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(ge=0, lt=1)]


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes and training of the multiband LSTM (Becker et al. 2025, A&A 694, A183, scaled down for one core).

    `bands` are names of the bands it reads, () for all of the training batch. At most `max_per_band` successive epochs
    of a band are read at a time; the first `n_skip` rows of a band have no weight in the loss. `head` and
    `central_head` are the widths of the per-step layers. `batch` is the most objects in a step. The central network
    learns from pass `band_passes` on, with `central_steps` steps in a batch. The learning rates decay as `decay`**pass.
    Training ends after `max_passes` passes, or `patience` passes after the best log loss on a part of the training
    objects, `validation_fraction`; the weights of that pass are kept. An object weighs as its class's frequency to the
    power -`class_balance`. It is trained on `device` and predicts on the CPU.
    """

    hidden: Count = 32
    levels: Count = 2
    head: tuple[Count, ...] = (32,)
    translation: CountOrNone = 1
    central_levels: Count = 1
    central_head: tuple[Count, ...] = (32,)
    dropout: Share = 0.2
    batch: Count = 128
    lr: Rate = 5e-3
    central_lr: Rate = 5e-3
    decay: Rate = 0.96
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    clip: Rate = 1.0
    max_passes: CountOrNone = 50
    patience: CountOrNone = 10
    band_passes: CountOrNone = 1
    central_steps: Count = 1
    n_skip: CountOrNone = 2
    max_per_band: Annotated[int, Field(ge=3)] = 64
    validation_fraction: Share = 0.15
    class_balance: Annotated[float, Field(ge=0)] = 0.5
    bands: tuple[str, ...] = ()
    device: Device = "cpu"

    def effort(self, n: float) -> float:
        """The time that n objects take is proportional to it."""
        return self.max_passes * n
