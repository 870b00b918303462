"""Parameter groups: parts of a network that learn each with their own start, steps and rates."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from tasks.learning.training.options import GroupConfig


class ParameterGroup:
    """The parameters of `module` with their own optimiser. `name` is its key in losses and checkpoints."""

    def __init__(self, name: str, module: nn.Module, config: GroupConfig) -> None:
        self.name, self.module, self.config = name, module, config
        self.optimiser = torch.optim.AdamW(module.parameters(), lr=config.lr, weight_decay=config.weight_decay)

    @property
    def lr(self) -> float:
        """Learning rate of the next step."""
        return self.optimiser.param_groups[0]["lr"]

    @lr.setter
    def lr(self, value: float) -> None:
        """Set the rate of the next steps."""
        self.optimiser.param_groups[0]["lr"] = value

    def end_pass(self, progress: float) -> None:
        """Set the rate of the next pass; `progress` is the share of all passes that are done."""
        if self.config.schedule == "cosine":
            self.lr = self.config.lr * (1 + math.cos(math.pi * progress)) / 2
        else:
            self.lr *= self.config.decay

    def descend(self, loss: Tensor) -> None:
        """One step down the gradient of `loss` ()."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.module.parameters(), self.config.clip)
        self.optimiser.step()

    def state(self) -> dict[str, Tensor]:
        """Moments and step counts of the optimiser, by the number of the parameter and their name."""
        state = self.optimiser.state_dict()["state"]
        return {f"{number}.{name}": value for number, one in state.items() for name, value in one.items()}

    def set_state(self, state: dict[str, Tensor], lr: float) -> None:
        """Continue from what `state` and `lr` gave."""
        found: dict[int, dict[str, Tensor]] = {}
        for key, value in state.items():
            number, name = key.split(".", 1)
            found.setdefault(int(number), {})[name] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": found})
        self.lr = lr
