"""Three small learners of different kinds for the tests of the loop: one group, two groups with a start, regression."""

import numpy as np
import torch
from torch import nn

from tasks.learning.inputs.epochs import centre, epochs_in_bands
from tasks.learning.inputs.folded import fold_to_bins
from tasks.learning.training.devices import device_of
from tasks.learning.training.losses import class_loss, gaussian_loss, squared_loss
from tasks.learning.training.options import GroupConfig
from tasks.learning.training.sampling import balanced_batches, shuffled_batches
from tests.unit.learning.synthetic_stars import stars

N_BIN = 8


def folded_examples(n: int, seed: int = 0):
    """Folded curves (n, K, n_bin) with the mean in empty bins, and class codes (n,)."""
    examples, names, _ = stars(n, seed, bands=("g",), n_epoch=(15, 30))
    period = np.stack([np.full(n, 0.4), np.full(n, 5.0)], axis=1)
    bins = fold_to_bins(centre(epochs_in_bands(examples.batch, ("g",))), period, N_BIN)[:, :, 0]
    scatter = np.log(np.nanstd(bins, axis=-1))[..., None].repeat(N_BIN, -1)
    x = np.concatenate([np.nan_to_num(bins), scatter], axis=1).astype(np.float32)
    return torch.from_numpy(x), np.unique(names, return_inverse=True)[1]


class FoldedCNN:
    """A plain convolutional network on folded curves, with class-balanced batches: one group."""

    def __init__(self, x, code, n_class=3, **config):
        self.module = nn.Sequential(
            nn.Conv1d(x.shape[1], 8, 3, padding=1, padding_mode="circular"), nn.ReLU(), nn.Dropout(0.1),
            nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(8, n_class),
        )  # fmt: skip
        self.groups = {"all": (self.module, GroupConfig(**{"lr": 1e-2, **config}))}
        self.x, self.code = x, torch.from_numpy(code)

    def batches(self, pass_number, rng):
        for index in balanced_batches(self.code.numpy(), 32, rng):
            yield self.x[index], self.code[index]

    def losses(self, batch):
        x, code = batch
        return {"all": lambda: class_loss(self.module(x), code, torch.ones(len(code), device=x.device))}

    def validation_loss(self):
        x, code = self.x.to(device_of(self.module)), self.code.to(device_of(self.module))
        return float(class_loss(self.module(x), code, torch.ones(len(code), device=x.device)))


class PretrainedRegressor:
    """Reconstruct hidden bins, then regress on the frozen encoding: two groups, the second from pass 2 on."""

    def __init__(self, x, value, second_lr=1e-2):
        width = x[0].numel()
        self.module = nn.ModuleDict({
            "encoder": nn.Linear(width, 4), "decoder": nn.Linear(4, width), "head": nn.Linear(4, 2),
            "unused": nn.Linear(1, 1),
        })  # fmt: skip
        pretrained = nn.ModuleList([self.module["encoder"], self.module["decoder"]])
        self.groups = {
            "pretext": (pretrained, GroupConfig(lr=1e-2, decay=0.9)),
            "head": (self.module["head"], GroupConfig(lr=second_lr, first_pass=2, steps=3)),
        }
        self.x, self.value = x.flatten(1), torch.as_tensor(value, dtype=torch.float32)
        self.calls = []

    def batches(self, pass_number, rng):
        for index in shuffled_batches(len(self.x), 16, rng):
            yield self.x[index], self.value[index], torch.from_numpy(rng.random((index.size, self.x.shape[1])) < 0.5)

    def losses(self, batch):
        x, value, hidden = batch
        return {"pretext": lambda: self._pretext(x, hidden), "head": lambda: self._head(x, value)}

    def _pretext(self, x, hidden):
        self.calls.append("pretext")
        return squared_loss(self.module["decoder"](self.module["encoder"](x * ~hidden)), x, hidden.float())

    def _head(self, x, value):
        self.calls.append("head")
        mean, log_var = self.module["head"](self.module["encoder"](x).detach()).T
        return gaussian_loss(mean, log_var, value, torch.ones(len(value)))

    def validation_loss(self):
        return float(self._head(self.x, self.value))
