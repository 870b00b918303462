"""The networks of the multiband LSTM: one per band, and a central one that reads their states in order of time.

Differences from Becker et al. 2025 (A&A 694, A183), on purpose: LayerNorm in the per-step heads instead of BatchNorm
(whose statistics leak through padding and, in the authors' code, through the batch at inference); the residual of level
two adds the first level, as in the paper and not in their code; colours not yet seen are 0 with a mask, not an
apparent magnitude; the inputs are scaled by the mean and spread of the training part; the time difference enters the
head as a logarithm.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from tasks.learning.inputs.differences import ROW_WIDTH, DifferenceRows, context_width
from tasks.learning.inputs.padding import PaddedRows
from tasks.learning.layers.dense import dense_relu, last_step, normed_head
from tasks.learning.layers.recurrent import LevelMix, ResidualLSTM
from tasks.learning.layers.scaling import mean_and_spread, no_scaling
from tasks.learning.models.lstm.config import NetworkConfig


class BandNetwork(nn.Module):
    """Reads one band: forward gives the logits (B, T, C) of each step and the states of every level."""

    def __init__(self, config: NetworkConfig, n_class: int) -> None:
        super().__init__()
        self.levels = ResidualLSTM(ROW_WIDTH, config.hidden, config.levels, bias=True)
        self.mix = LevelMix(config.levels)
        self.head = normed_head(config.hidden, config.head, n_class, config.dropout)

    def forward(self, x_BTC: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Class logits (B, T, C) after each epoch of `x_BTC`, and the states (B, T, H) of every level."""
        states = self.levels(x_BTC)
        return self.head(self.mix(states)), states


class Translation(nn.Module):
    """Maps the states of one band to what the central network reads: mix of the levels, LayerNorm, dense layers."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.mix = LevelMix(config.levels)
        self.norm = nn.LayerNorm(config.hidden)
        self.dense = dense_relu(config.hidden, config.translation)

    def forward(self, states: list[Tensor]) -> Tensor:
        """What the central network reads of one band, (B, T, X), from the states (B, T, H) of its levels."""
        return self.dense(self.norm(self.mix(states)))


class CentralNetwork(nn.Module):
    """Reads the bands' states in order of time: forward gives the logits (B, L, C) after each epoch."""

    def __init__(self, config: NetworkConfig, n_band: int, n_class: int) -> None:
        super().__init__()
        self.translations = nn.ModuleList(Translation(config) for _ in range(n_band))
        self.norm = nn.LayerNorm(config.hidden)
        self.levels = ResidualLSTM(config.hidden, config.hidden, config.central_levels, bias=False)
        self.mix = LevelMix(config.central_levels)
        self.head = normed_head(config.hidden + context_width(n_band), config.central_head, n_class, config.dropout)

    def forward(self, states: list[list[Tensor]], place_BL: Tensor, context_BLK: Tensor) -> Tensor:
        """Logits (B, L, C) from every band's states, joined and put in order of time by `place_BL`, and the context."""
        each_BTH = torch.cat([one(levels) for one, levels in zip(self.translations, states, strict=True)], 1)
        merged_BLH = torch.take_along_dim(each_BTH, place_BL[..., None], 1)
        mixed_BLH = self.mix(self.levels(self.norm(merged_BLH)))
        return self.head(torch.cat([mixed_BLH, context_BLK], -1))


class MultibandLSTM(nn.Module):
    """One BandNetwork per band and a CentralNetwork; scales its inputs by what `set_scale` has measured."""

    x_scale: Tensor
    context_scale: Tensor

    def __init__(self, config: NetworkConfig, n_band: int, n_class: int) -> None:
        super().__init__()
        self.n_class = n_class
        self.bands = nn.ModuleList(BandNetwork(config, n_class) for _ in range(n_band))
        self.central = CentralNetwork(config, n_band, n_class)
        self.register_buffer("x_scale", no_scaling(n_band, ROW_WIDTH))
        self.register_buffer("context_scale", no_scaling(context_width(n_band)))

    def set_scale(self, rows: DifferenceRows) -> None:
        """Mean and spread of the rows of each band and of the context; the masks of unseen colours stay 0 and 1."""
        for b in range(len(rows.bands)):
            x = rows.x[rows.band == b]
            if len(x) > 1:
                self.x_scale[:, b] = mean_and_spread(x)
        if len(rows.context) > 1:
            self.context_scale[:, -1] = mean_and_spread(rows.context[:, -1:])[:, 0]

    def band_outputs(self, batch: PaddedRows) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Logits (B, T, C) and states of each band."""
        mean, spread = self.x_scale
        outputs = [net((x - mean[b]) / spread[b]) for b, (net, x) in enumerate(zip(self.bands, batch.x, strict=True))]
        return [logits for logits, _ in outputs], [states for _, states in outputs]

    def central_logits(self, batch: PaddedRows, states: list[list[Tensor]]) -> Tensor:
        """Logits (B, L, C) after each epoch of the merged series."""
        mean, spread = self.context_scale
        return self.central(states, batch.place, (batch.context - mean) / spread)

    def forward(self, batch: PaddedRows) -> Tensor:
        """Logits (B, C) after the last epoch: the classification of the catalogue."""
        return last_step(self.central_logits(batch, self.band_outputs(batch)[1]), batch.last)
