"""Settings of the multiband LSTM."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes and training of the multiband LSTM (Becker et al. 2025, A&A 694, A183, scaled down for one core).

    `bands` are names of the bands it reads, () for all of the training batch. At most `max_per_band` successive epochs
    of a band are read at a time. `head` and `central_head` are the widths of the per-step layers. `batch` is the most
    objects in a step. The learning rate decays as `decay`**pass. Training ends after `max_epoch_count` passes, or
    `patience` passes after the best log loss on a validation part of the training objects.
    """

    hidden: int = 32
    levels: int = 2
    head: tuple[int, ...] = (32,)
    translation: int = 1
    central_levels: int = 1
    central_head: tuple[int, ...] = (32,)
    dropout: float = 0.2
    batch: int = 128
    lr: float = 5e-3
    central_lr: float = 5e-3
    decay: float = 0.96
    weight_decay: float = 1e-4
    clip: float = 1.0
    max_epoch_count: int = 50
    patience: int = 10
    band_only: int = 1
    central_steps: int = 1
    n_skip: int = 2
    max_per_band: int = 64
    validation_fraction: float = 0.15
    class_balance: float = 0.5
    bands: tuple[str, ...] = ()
