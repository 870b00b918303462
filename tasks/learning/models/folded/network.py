"""The folded network: convolutions around the phase of each candidate period, a gate over the candidates, and heads.

A curve folded at a period is a circle. Each candidate's curve is read by the same convolutions around it (circular
convolutions for folded light curves: Zhang & Bloom 2021, MNRAS 505, 515) and pooled over phase; the candidates'
states, with their periods and probabilities, are weighed against each other by a gate. Columns of numbers are read
beside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tasks.learning.layers.circular import circular_encoder
from tasks.learning.layers.dense import normed_head
from tasks.learning.layers.gate import Gate
from tasks.learning.layers.heads import TargetHeads
from tasks.learning.models.folded.config import FoldedConfig


@dataclass(frozen=True, eq=False)
class FoldedBatch:
    """n objects: `bins` (n, K, B, P), `candidates` (n, K, 2) and `columns` (n, F), all NaN where missing.

    `labels` has those of each target, as `TargetHeads.encode` gives them, and `weight` (n, T) what each object weighs
    in the loss of each; both are empty where nothing is learned.
    """

    bins: Tensor
    candidates: Tensor
    columns: Tensor
    labels: tuple[Tensor, ...]
    weight: Tensor

    def select(self, index: Tensor) -> FoldedBatch:
        """The objects at `index`."""
        labels = tuple(each[index] for each in self.labels)
        return FoldedBatch(self.bins[index], self.candidates[index], self.columns[index], labels, self.weight[index])


class FoldedNetwork(nn.Module):
    """Reads B bands and F columns; forward gives the outputs of `heads`, one for each target."""

    def __init__(self, config: FoldedConfig, n_band: int, n_column: int, n_class: Sequence[int]) -> None:
        super().__init__()
        table, head = config.table[-1], config.head[-1]
        self.hide = nn.Dropout(config.hidden_columns)
        self.table = nn.Sequential(normed_head(2 * n_column, config.table[:-1], table, config.dropout), nn.ReLU())
        self.encoder = circular_encoder(2 * n_band, config.channels, config.kernel)
        self.state = normed_head(2 * config.channels[-1] + 2 + table, (config.width,), config.width, config.dropout)
        self.gate = Gate(config.width)
        self.body = nn.Sequential(normed_head(config.width + table, config.head[:-1], head, config.dropout), nn.ReLU())
        self.heads = TargetHeads(head, n_class)

    def forward(self, batch: FoldedBatch) -> tuple[Tensor, ...]:
        """Logits (n, C), or mean and log variance (n, 2), of each target."""
        table_BH = self.table(self.hide(with_mask(batch.columns, 1)))
        states_BKH = self.states(batch, table_BH)
        log_prob_BK = batch.candidates[..., 1]
        pooled_BH = self.gate(states_BKH, log_prob_BK.nan_to_num(), log_prob_BK.isfinite())
        return self.heads(self.body(torch.cat([pooled_BH, table_BH], 1)))

    def states(self, batch: FoldedBatch, table_BH: Tensor) -> Tensor:
        """State (n, K, H) of each candidate: what its folded curve, its period and the columns say."""
        n, k = batch.candidates.shape[:2]
        curve_BCP = self.encoder(with_mask(batch.bins, 2).flatten(0, 1))
        shape_BKC = torch.cat([curve_BCP.mean(-1), curve_BCP.amax(-1)], 1).unflatten(0, (n, k))
        table_BKH = table_BH[:, None].expand(-1, k, -1)
        return self.state(torch.cat([shape_BKC, batch.candidates.nan_to_num(), table_BKH], -1))


def with_mask(values: Tensor, dim: int) -> Tensor:
    """Values, 0 where they are NaN, and beside them along `dim` 1 where they are known."""
    known = values.isfinite()
    return torch.cat([values.nan_to_num(), known.float()], dim)
