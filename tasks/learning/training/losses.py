"""Losses with weights and missing labels: what has weight 0 or no label has no gradient.

`class_loss`, `squared_loss` and `gaussian_loss` are for networks to come, which learn one answer an object, a masked
reconstruction, or several targets; the LSTM learns by `step_loss`.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

PROBABILITY_FLOOR = 1e-12


def class_loss(logits_BC: Tensor, code_B: Tensor, weight_B: Tensor) -> Tensor:
    """Weighted mean cross entropy (); a code below 0 is a missing label."""
    each = functional.cross_entropy(logits_BC, code_B.clamp_min(0), reduction="none")
    return _weighted_mean(each, weight_B * (code_B >= 0))


def step_loss(logits_BTC: Tensor, code_B: Tensor, weight_B: Tensor, step_BT: Tensor) -> Tensor:
    """Cross entropy of every step, weighted by step and object, (): padding has step weight 0, so it has no gradient.

    Becker et al. 2025 (A&A 694, A183), eq. 5: sum over steps of w_l * CE with w summing to 1 in each object; mean over
    the batch.
    """
    n_step = logits_BTC.shape[1]
    each = functional.cross_entropy(logits_BTC.flatten(0, 1), code_B.repeat_interleave(n_step), reduction="none")
    return ((each.view_as(step_BT) * step_BT).sum(1) * weight_B).mean()


def squared_loss(value_B: Tensor, label_B: Tensor, weight_B: Tensor) -> Tensor:
    """Weighted mean squared difference (), over whatever shape all three have; a NaN label is missing.

    Also the loss of a masked reconstruction: weight 1 at the hidden points, 0 elsewhere.
    """
    has_label = label_B.isfinite()
    each = (value_B - torch.where(has_label, label_B, 0.0)) ** 2
    return _weighted_mean(each, weight_B * has_label)


def gaussian_loss(mean_B: Tensor, log_var_B: Tensor, label_B: Tensor, weight_B: Tensor) -> Tensor:
    """Weighted mean negative log likelihood () of a Gaussian, without its constant; a NaN label is missing."""
    has_label = label_B.isfinite()
    residual = mean_B - torch.where(has_label, label_B, 0.0)
    return _weighted_mean(0.5 * (log_var_B + residual**2 * torch.exp(-log_var_B)), weight_B * has_label)


def log_loss(proba_BC: Tensor, code_B: Tensor, weight_B: Tensor) -> float:
    """Weighted mean log loss of the objects that have a prediction (all finite); 0 where none has."""
    has_proba = proba_BC.isfinite().all(1)
    each = -proba_BC[has_proba, :].gather(1, code_B[has_proba, None]).clamp_min(PROBABILITY_FLOOR).log()[:, 0]
    return float((each * weight_B[has_proba]).sum() / weight_B[has_proba].sum().clamp_min(PROBABILITY_FLOOR))


def _weighted_mean(each: Tensor, weight: Tensor) -> Tensor:
    return (each * weight).sum() / weight.sum().clamp_min(PROBABILITY_FLOOR)
