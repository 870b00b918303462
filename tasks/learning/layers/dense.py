"""Dense layers that act on each step of a sequence, or on one vector per object, and the last valid step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def normed_head(inputs: int, widths: Sequence[int], outputs: int, dropout: float) -> nn.Sequential:
    """[Linear without bias, LayerNorm, ReLU, Dropout] for each width, then Linear to `outputs`.

    LayerNorm and not BatchNorm, whose statistics leak through padding.
    """
    layers: list[nn.Module] = []
    for width in widths:
        layers += [nn.Linear(inputs, width, bias=False), nn.LayerNorm(width), nn.ReLU(), nn.Dropout(dropout)]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def dense_relu(width: int, depth: int) -> nn.Sequential:
    """`depth` times [Linear, ReLU] of one width."""
    return nn.Sequential(*(layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.ReLU())))


def last_step(x_BTC: Tensor, last_B: Tensor) -> Tensor:
    """The step `last_B` of each object, (B, C)."""
    return x_BTC[torch.arange(len(last_B), device=x_BTC.device), last_B]
