"""How far a training has come: what decides when it ends, and what a later pass depends on."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from tasks.learning.training.checkpoint import Checkpoint, add_prefix, take_prefix
from tasks.learning.training.devices import random_state, set_random_state
from tasks.learning.training.groups import ParameterGroup


@dataclass(eq=False)
class Progress:
    """Weights of the best pass (the first ones before any) and the validation loss of each pass so far."""

    best: dict[str, Tensor]
    history: list[float] = field(default_factory=list)

    def record(self, loss: float, module: nn.Module) -> None:
        """Add a pass; its weights are kept where no pass had a smaller loss. A loss that is NaN is never the best."""
        if loss <= min((each for each in self.history if not np.isnan(each)), default=np.inf):
            self.best = copy_weights(module)
        self.history.append(loss)

    def is_over(self, max_passes: int, patience: int) -> bool:
        """True after `max_passes` passes, or `patience` passes after the first one of the smallest loss."""
        done = len(self.history)
        if done == 0:
            return max_passes == 0
        best_pass = int(np.argmin(np.nan_to_num(self.history, nan=np.inf)))
        return done >= max_passes or done - 1 - best_pass >= patience


@dataclass(frozen=True, eq=False)
class TrainingState:
    """Everything that a later pass depends on: weights, optimisers, random numbers and progress."""

    module: nn.Module
    groups: list[ParameterGroup]
    rng: np.random.Generator
    progress: Progress
    device: torch.device

    def store(self, checkpoint: Checkpoint) -> None:
        """Write the state as it is after a pass."""
        tensors = {
            **add_prefix("module", self.module.state_dict()),
            **add_prefix("best", self.progress.best),
            **add_prefix("random", random_state(self.device)),
        }
        for group in self.groups:
            tensors |= add_prefix(f"group.{group.name}", group.state())
        rates = {group.name: group.lr for group in self.groups}
        values = {"history": self.progress.history, "lr": rates, "numpy": self.rng.bit_generator.state}
        checkpoint.write(tensors, values)

    def resume(self, checkpoint: Checkpoint) -> None:
        """Take over what the checkpoint holds; nothing where there is none yet."""
        stored = checkpoint.read()
        if stored is None:
            return
        tensors, values = stored
        self.module.load_state_dict(take_prefix("module", tensors))
        self.progress.best = take_prefix("best", tensors)
        self.progress.history[:] = values["history"]
        for group in self.groups:
            group.set_state(take_prefix(f"group.{group.name}", tensors), values["lr"][group.name])
        self.rng.bit_generator.state = values["numpy"]
        set_random_state(take_prefix("random", tensors), self.device)


def copy_weights(module: nn.Module) -> dict[str, Tensor]:
    """Weights and buffers that later steps do not change."""
    return {name: value.clone() for name, value in module.state_dict().items()}
