"""Settings of a training, without torch: recipes are read where nothing is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "bfloat16"]
Schedule = Literal["exponential", "cosine"]


@dataclass(frozen=True)
class GroupConfig:
    """How one group of parameters learns, with AdamW.

    `lr` is multiplied by `decay` after every pass, or falls as half a cosine to 0 at the last of all passes (Loshchilov
    & Hutter 2017, ICLR, arXiv:1608.03983, eq. 5, without restarts), as `schedule` says. Gradients are clipped to the
    norm `clip`. The group takes `steps` steps in each batch, from the pass `first_pass` (0 is the first) on.
    """

    lr: float
    decay: float = 1.0
    weight_decay: float = 0.0
    clip: float = 1.0
    first_pass: int = 0
    steps: int = 1
    schedule: Schedule = "exponential"


@dataclass(frozen=True)
class LoopConfig:
    """Training ends after `max_passes` passes, or `patience` passes after the least validation loss."""

    max_passes: int
    patience: int
    seed: int = 0
    device: Device = "cpu"
