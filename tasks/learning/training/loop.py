"""The training loop of every network: a `Learner` gives it parameter groups, batches, losses and when to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from tasks.learning.training.checkpoint import Checkpoint
from tasks.learning.training.devices import to_device, torch_device
from tasks.learning.training.groups import ParameterGroup
from tasks.learning.training.options import GroupConfig, LoopConfig
from tasks.learning.training.progress import Progress, TrainingState, copy_weights

Losses = Mapping[str, Callable[[], Tensor]]


class Learner(Protocol):
    """What the loop needs of a model and its training data.

    `groups` holds the parts of `module` that learn, in the order of their steps in a batch, with their settings; a part
    in no group stays as it is.
    """

    @property
    def module(self) -> nn.Module:
        """The network that is trained."""

    @property
    def groups(self) -> Mapping[str, tuple[nn.Module, GroupConfig]]:
        """Parts of `module` by the name of their group, with how they learn."""

    def batches(self, pass_number: int, rng: np.random.Generator) -> Iterable[Any]:
        """Batches of one pass: dataclasses, tuples or lists of tensors. Its random numbers are those of `rng`."""

    def losses(self, batch: Any) -> Losses:
        """A function for each group, called once for each of its steps, that computes its loss () now.

        What several groups share, such as the states of a part that one trains and another reads, is computed here.
        """

    def validation_loss(self) -> float:
        """The number that decides when to stop; the module is in evaluation mode, without gradients."""


def train(learner: Learner, config: LoopConfig, checkpoint: Checkpoint | None = None) -> list[float]:
    """Train in place; ends with the weights of the best pass, on the CPU. Returns the validation loss of each pass.

    The same inputs give the same weights, however long it takes. With a `checkpoint` the state is stored between
    passes, and a training that was stopped at any moment goes on from there to the same weights, bit for bit. Call it
    inside `reproducible`.
    """
    device = torch_device(config.device)
    learner.module.to(device)
    groups = [ParameterGroup(name, part, each) for name, (part, each) in learner.groups.items()]
    rng = np.random.default_rng(config.seed)
    progress = Progress(copy_weights(learner.module))
    state = TrainingState(learner.module, groups, rng, progress, device)
    if checkpoint is not None:
        state.resume(checkpoint)
    stored_at = time.monotonic()
    while not progress.is_over(config.max_passes, config.patience):
        _run_pass(learner, groups, len(progress.history), rng, device)
        for group in groups:
            group.end_pass((len(progress.history) + 1) / config.max_passes)
        progress.record(_validate(learner), learner.module)
        if checkpoint is not None and time.monotonic() - stored_at >= checkpoint.every_s:
            state.store(checkpoint)
            stored_at = time.monotonic()
    learner.module.load_state_dict(progress.best)
    learner.module.to("cpu")
    return progress.history


def _run_pass(
    learner: Learner,
    groups: list[ParameterGroup],
    pass_number: int,
    rng: np.random.Generator,
    device: torch.device,
) -> None:
    """One pass over the training data: in each batch the groups that have started take their steps in turn."""
    learner.module.train()
    started = [group for group in groups if pass_number >= group.config.first_pass]
    for batch in learner.batches(pass_number, rng):
        losses = learner.losses(to_device(batch, device))
        for group in started:
            for _ in range(group.config.steps):
                group.descend(losses[group.name]())


def _validate(learner: Learner) -> float:
    learner.module.train(False)
    with torch.inference_mode():
        return learner.validation_loss()
