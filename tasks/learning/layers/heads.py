"""The last layer of a network for each of its targets: logits of classes, or a mean and a logarithm of variance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from tasks.learning.targets import Classification, Labels, Target
from tasks.learning.training.losses import class_loss, gaussian_loss

SPREAD_FLOOR = 1e-9  # labels that are all equal
LOG_VARIANCE = (-9.0, 3.0)  # of standardised labels: errors from 1 % to 450 % of their spread
QUANTITY = 0  # what stands for a quantity where classes are counted


def count_classes(targets: Sequence[Target]) -> tuple[int, ...]:
    """Classes of each target, 0 for a quantity."""
    return tuple(target.width if isinstance(target, Classification) else QUANTITY for target in targets)


class TargetHeads(nn.Module):
    """A linear layer for each target, and the scale of each quantity: centre, spread, least and largest label.

    Quantities are learned with their labels standardised, by the likelihood of a Gaussian (Nix & Weigend 1994, IEEE
    ICNN, 55), and are not predicted beyond the labels that were learned.
    """

    scale: Tensor

    def __init__(self, inputs: int, n_class: Sequence[int]) -> None:
        super().__init__()
        self.n_class = tuple(n_class)
        self.layers = nn.ModuleList(nn.Linear(inputs, n or 2) for n in self.n_class)
        self.register_buffer("scale", torch.tensor([0.0, 1, -torch.inf, torch.inf]).double().repeat(len(n_class), 1))

    def set_scale(self, labels: Sequence[Labels]) -> None:
        """Take the scale of each quantity from the labels that are known."""
        for own, n, each in zip(self.scale, self.n_class, labels, strict=True):
            if n == QUANTITY:
                known = each.values[each.is_known]
                ends = [known.mean(), max(known.std(), SPREAD_FLOOR), known.min(), known.max()]
                own[:] = torch.tensor(ends, dtype=torch.double)

    def encode(self, labels: Sequence[Labels]) -> tuple[Tensor, ...]:
        """What is learned, (S,) of each target: codes, -1 where unknown, and standardised values, NaN where unknown."""
        found = []
        for (centre, spread, *_), n, each in zip(self.scale.tolist(), self.n_class, labels, strict=True):
            is_class = n != QUANTITY
            values = each.values if is_class else ((each.values - centre) / spread).astype(np.float32)
            found.append(
                torch.from_numpy(np.where(each.is_known, values, -1 if is_class else np.nan)).to(
                    torch.int64 if is_class else torch.float32
                )
            )
        return tuple(found)

    def forward(self, h_BH: Tensor) -> tuple[Tensor, ...]:
        """Logits (B, C), or mean and logarithm of variance (B, 2), of each target."""
        return tuple(layer(h_BH) for layer in self.layers)

    def loss(self, outputs: Sequence[Tensor], encoded: Sequence[Tensor], weight_BT: Tensor) -> Tensor:
        """Sum () over the targets of the mean loss over the objects that have the label."""
        total = torch.zeros((), device=weight_BT.device)
        for output, label, weight, n in zip(outputs, encoded, weight_BT.T, self.n_class, strict=True):
            if n == QUANTITY:
                total = total + gaussian_loss(output[:, 0], output[:, 1].clamp(*LOG_VARIANCE), label, weight)
            else:
                total = total + class_loss(output, label, weight)
        return total

    def raw(self, outputs: Sequence[Tensor]) -> NDArray[np.float64]:
        """Raw predictions (B, W) of all targets side by side: probabilities, or mean and standard deviation."""
        found = []
        for output, n, (centre, spread, least, most) in zip(outputs, self.n_class, self.scale.tolist(), strict=True):
            wide = output.detach().double().cpu()
            if n != QUANTITY:
                found.append(torch.softmax(wide, -1))
                continue
            mean = (centre + spread * wide[:, 0]).clamp(least, most)
            found.append(torch.stack([mean, spread * torch.exp(wide[:, 1].clamp(*LOG_VARIANCE) / 2)], 1))
        return torch.cat(found, 1).numpy()
