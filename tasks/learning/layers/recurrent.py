"""Stacked LSTMs with residuals, and the mix of their levels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ResidualLSTM(nn.Module):
    """LSTM levels with residual and LayerNorm between them (not after the last); forward gives every level's states.

    Becker et al. 2025 (A&A 694, A183, section 3.2): level l + 1 reads LayerNorm(h_l + what level l read), the inputs
    (B, T, `inputs`) brought to the width `hidden` by a linear map, with or without `bias`.
    """

    def __init__(self, inputs: int, hidden: int, levels: int, bias: bool) -> None:
        super().__init__()
        self.lstm = nn.ModuleList(nn.LSTM(hidden if i else inputs, hidden, batch_first=True) for i in range(levels))
        self.norm = nn.ModuleList(nn.LayerNorm(hidden) for _ in range(levels - 1))
        self.skip = nn.Linear(inputs, hidden, bias=bias) if levels > 1 else None

    def forward(self, x_BTC: Tensor) -> list[Tensor]:
        """States (B, T, hidden) of each level."""
        states = [self.lstm[0](x_BTC)[0]]
        below = self.skip(x_BTC) if self.skip is not None else None
        for lstm, norm in zip(self.lstm[1:], self.norm, strict=True):
            below = norm(states[-1] + below)
            states.append(lstm(below)[0])
        return states


class LevelMix(nn.Module):
    """Convex combination of the levels of a network, its weights learned through a softmax."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((levels,), 1.0 / levels))

    def forward(self, states: list[Tensor]) -> Tensor:
        """The mean of the `states` (one of each level, of one shape) by the learned weights."""
        weight = torch.softmax(self.alpha, 0)
        return sum((w * state for w, state in zip(weight, states, strict=True)), torch.zeros((), device=weight.device))
