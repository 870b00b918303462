"""A weighted mean of candidates, whose weights the network learns."""

from __future__ import annotations

import torch
from torch import Tensor, nn

FAR_BELOW = -1e9  # of a candidate that is not there: finite, so that an object without any has no NaN gradient


class Gate(nn.Module):
    """Attention over the candidates of an object, with their probability before anything was seen of their shape.

    Weights are the softmax of log probability plus a score of the candidate's own state: the attention pooling of Ilse
    et al. 2018 (ICML, arXiv:1802.04712, eq. 8, without their gate), with a prior.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))

    def forward(self, h_BKH: Tensor, log_prob_BK: Tensor, valid_BK: Tensor) -> Tensor:
        """Mean (B, H) of the valid candidates; 0 for an object without any."""
        return (self.weights(h_BKH, log_prob_BK, valid_BK)[..., None] * h_BKH).sum(1)

    def weights(self, h_BKH: Tensor, log_prob_BK: Tensor, valid_BK: Tensor) -> Tensor:
        """Weights (B, K), which sum to 1 over the valid candidates."""
        score_BK = (self.score(h_BKH)[..., 0] + log_prob_BK).masked_fill(~valid_BK, FAR_BELOW)
        return torch.softmax(score_BK, 1) * valid_BK
