"""The one training loop for networks: band by band, then the central network on their frozen states, until it stops.

After Becker et al. 2025 (A&A 694, A183, section 3.5): in each batch every band network takes a step, then the central
network takes its own on their detached states. AdamW throughout. Simplified: one stop for all networks, on the log loss
of the final classification (their band networks stop each on its own), and a learning rate that decays by pass.
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
from tasks.learning.tokens import Tokens, fixed_views, longer_than, rows_of, windowed
from tasks.lightcurves import LightCurveBatch

SCORE_BATCH = 256
MIN_STEPS, MIN_BATCH = 12, 16  # a small training set takes smaller batches, so that a pass still moves the weights
PROBABILITY_FLOOR = 1e-12


class Multiband(nn.Module):
    """What the loop needs of a network: calling it gives the final logits (B, C)."""

    bands: nn.ModuleList
    central: nn.Module
    n_class: int

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


def train(
    network: Multiband,
    epochs: LightCurveBatch,
    y: NDArray[np.int64],
    weight: NDArray[np.float32],
    validating: NDArray[np.bool_],
    config: NetworkConfig,
    seed: int,
) -> list[float]:
    """Train in place on the `distinct_epochs` of the objects not `validating` (S,); ends with the best pass's weights.

    A curve longer than `max_per_band` is read through another window of that length in every pass. Returns the
    validation loss of each pass. Never looks at a clock: the same inputs give the same weights.
    """
    rng = np.random.default_rng(seed)
    learning = np.flatnonzero(~validating)
    checking = np.flatnonzero(validating) if validating.any() else learning  # too few objects to spare any
    codes, weights = torch.from_numpy(y), torch.from_numpy(weight)
    optimisers = [torch.optim.AdamW(part.parameters(), lr=lr, weight_decay=config.weight_decay)
                  for part, lr in ((network.bands, config.lr), (network.central, config.central_lr))]  # fmt: skip
    views = fixed_views(epochs.select(checking), config.max_per_band, config.n_skip)
    source = epochs.select(learning)
    is_windowed = longer_than(source, config.max_per_band).any()
    size = int(np.clip(learning.size // MIN_STEPS, MIN_BATCH, config.batch))
    history: list[float] = []
    best = copy_of(network)
    for turn in range(config.max_epoch_count):
        if turn == 0 or is_windowed:
            place = rng.random(learning.size)
            tokens = rows_of(windowed(source, config.max_per_band, place), config.n_skip)
        network.train()
        for index in buckets(tokens.length, size, rng):
            chosen = learning[index]
            _step(network, pad(tokens, index), codes[chosen], weights[chosen], config, optimisers, turn)
        for optimiser in optimisers:
            optimiser.param_groups[0]["lr"] *= config.decay
        history.append(_log_loss(final_proba(network, views, checking.size), codes[checking], weights[checking]))
        if history[-1] <= min(history):
            best = copy_of(network)
        if turn - int(np.argmin(history)) >= config.patience:
            break
    network.load_state_dict(best)
    return history


def copy_of(network: nn.Module) -> dict[str, Tensor]:
    """Weights that later steps do not change."""
    return {name: value.clone() for name, value in network.state_dict().items()}


def final_proba(network: Multiband, views: list[tuple[NDArray[np.int64], Tokens]], n_object: int) -> Tensor:
    """Final probabilities (S, C), float64: the mean over an object's views; NaN for objects without a row."""
    network.train(False)
    total, count = torch.zeros(n_object, network.n_class, dtype=torch.double), torch.zeros(n_object, 1)
    with torch.inference_mode():
        for index, tokens in views:
            for part in buckets(tokens.length, SCORE_BATCH):
                rows = torch.from_numpy(index[part])
                total[rows] += torch.softmax(network(pad(tokens, part)).double(), -1)
                count[rows] += 1
    return total / count


def _step(
    network: Multiband,
    batch: Padded,
    y: Tensor,
    weight: Tensor,
    config: NetworkConfig,
    optimisers: list[torch.optim.AdamW],
    turn: int,
) -> None:
    """One step of every band network and, once they have had `band_only` passes, the central network's own."""
    logits, states = network.band_outputs(batch)
    # the bands share no weight: the gradient of the sum is each band's own gradient
    losses = [step_loss(one, y, weight, step) for one, step in zip(logits, batch.weight, strict=True)]
    total = torch.stack(losses).sum()
    _descend(total, optimisers[0], network.bands, config.clip)
    if turn < config.band_only:
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


def _log_loss(proba: Tensor, y: Tensor, weight: Tensor) -> float:
    """Weighted mean log loss of the objects that have a prediction; 0 where none has."""
    known = proba.isfinite().all(1)
    each = -proba[known, :].gather(1, y[known, None]).clamp_min(PROBABILITY_FLOOR).log()[:, 0]
    return float((each * weight[known]).sum() / weight[known].sum().clamp_min(PROBABILITY_FLOOR))
