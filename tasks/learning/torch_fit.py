"""The one training loop for networks: band by band, then the central network on their frozen states, until it stops.

After Becker et al. 2025 (A&A 694, A183, section 3.5): in each batch every band network takes a step, then the central
network takes its own on their detached states. AdamW throughout. Simplified: one stop for all networks, on the log loss
of the final classification (their band networks stop each on its own), and the learning rate decays by epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from tasks.learning.padding import Padded, buckets, pad
from tasks.learning.recipe import NetworkConfig
from tasks.learning.tokens import Tokens


class Multiband(nn.Module):
    """What the loop needs of a network: calling it gives the final logits (B, C)."""

    bands: nn.ModuleList
    central: nn.Module

    def band_outputs(self, batch: Padded) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Logits (B, T, C) of every step of each band, and the states of its levels."""
        raise NotImplementedError

    def central_logits(self, batch: Padded, states: list[list[Tensor]]) -> Tensor:
        """Logits (B, L, C) after each epoch of the merged series."""
        raise NotImplementedError


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread inside: sums in a fixed order, and no fight with other workers on the same machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def train(network: Multiband, tokens: Tokens, y: NDArray[np.int64], weight: NDArray[np.float32],
          validating: NDArray[np.bool_], config: NetworkConfig, seed: int) -> list[float]:
    """Train in place on the objects not `validating` (S,); ends with the weights of the best epoch.

    Returns the validation loss of each epoch. Never looks at a clock: the same inputs give the same weights.
    """
    rng = np.random.default_rng(seed)
    codes, weights = torch.from_numpy(y), torch.from_numpy(weight)
    groups = [{"params": list(network.bands.parameters()), "lr": config.lr},
              {"params": list(network.central.parameters()), "lr": config.central_lr}]  # fmt: skip
    optimisers = [torch.optim.AdamW([group], weight_decay=config.weight_decay) for group in groups]
    usable = tokens.length > 0
    learning = np.where(validating, 0, tokens.length)
    checking = [pad(tokens, index) for index in buckets(np.where(validating, tokens.length, 0), config.batch)]
    if not checking:  # too few objects to spare any: stop on the training loss
        checking = [pad(tokens, index) for index in buckets(tokens.length, config.batch)]
    if not usable.any():
        return []
    history: list[float] = []
    best: dict[str, Tensor] = {}
    for epoch in range(config.max_epoch_count):
        network.train()
        for index in buckets(learning, config.batch, rng):
            _step(network, pad(tokens, index), codes[index], weights[index], config, optimisers, epoch)
        for optimiser in optimisers:
            optimiser.param_groups[0]["lr"] *= config.decay
        history.append(_final_loss(network, checking, codes, weights))
        if history[-1] <= min(history):
            best = {name: value.clone() for name, value in network.state_dict().items()}
        if epoch - int(np.argmin(history)) >= config.patience:
            break
    network.load_state_dict(best)
    return history


def _step(network: Multiband, batch: Padded, y: Tensor, weight: Tensor, config: NetworkConfig,
          optimisers: list[torch.optim.AdamW], epoch: int) -> None:
    """One step of every band network and, once they have had `band_only` epochs, the central network's own."""
    logits, states = network.band_outputs(batch)
    # the bands share no weight: the gradient of the sum is each band's own gradient
    losses = [step_loss(one, y, weight, step) for one, step in zip(logits, batch.weight, strict=True)]
    total = torch.stack(losses).sum()
    _descend(total, optimisers[0], network.bands, config.clip)
    if epoch < config.band_only:
        return
    frozen = [[state.detach() for state in levels] for levels in states]
    for _ in range(config.central_steps):
        loss = step_loss(network.central_logits(batch, frozen), y, weight, batch.place_weight)
        _descend(loss, optimisers[1], network.central, config.clip)


def step_loss(logits_BTC: Tensor, y_B: Tensor, weight_B: Tensor, step_BT: Tensor) -> Tensor:
    """Cross entropy of every step, weighted by step and object, (): padding has step weight 0, so it has no gradient.

    Becker et al. 2025, eq. 5: sum over steps of w_l * CE with w summing to 1 in each object; mean over the batch.
    """
    n_step = logits_BTC.shape[1]
    each = functional.cross_entropy(logits_BTC.flatten(0, 1), y_B.repeat_interleave(n_step), reduction="none")
    return ((each.view_as(step_BT) * step_BT).sum(1) * weight_B).mean()


def _descend(loss: Tensor, optimiser: torch.optim.AdamW, module: nn.Module, clip: float) -> None:
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), clip)
    optimiser.step()


def _final_loss(network: Multiband, batches: list[Padded], y: Tensor, weight: Tensor) -> float:
    """Weighted mean log loss of the last step over the batches."""
    network.train(False)
    total = norm = 0.0
    with torch.inference_mode():
        for batch in batches:
            each = functional.cross_entropy(network(batch), y[batch.index], reduction="none")
            total += float((each * weight[batch.index]).sum())
            norm += float(weight[batch.index].sum())
    return total / norm
