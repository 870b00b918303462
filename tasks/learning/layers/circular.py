"""Convolutions around a circle, as folded light curves are."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn


def circular_encoder(inputs: int, channels: Sequence[int], kernel: int) -> nn.Sequential:
    """[Conv1d around the circle, GroupNorm, ReLU] for each of `channels`, the phase halved between two of them.

    From (B, inputs, P) to (B, channels[-1], P / 2**(levels - 1)). The padding is that of ``Conv1d(...,
    padding_mode="circular")``, so a roll of the input by a multiple of 2**(levels - 1) rolls the output. One group and
    not BatchNorm: a curve is scaled by itself alone, whatever else is in its batch.
    """
    layers: list[nn.Module] = []
    for i, width in enumerate(channels):
        layers += [nn.AvgPool1d(2)] if i else []
        convolution = nn.Conv1d(inputs, width, kernel, padding=kernel // 2, padding_mode="circular")
        layers += [convolution, nn.GroupNorm(1, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers)
