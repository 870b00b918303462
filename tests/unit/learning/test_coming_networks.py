"""The inputs and the loop bear a network of another kind, recurrent on folded points.

It is a few lines here; what it learns is known from how the curves were made.
"""

import numpy as np
import torch
from torch import nn

from tasks.learning.inputs.buckets import length_buckets
from tasks.learning.inputs.epochs import centre, epochs_in_bands
from tasks.learning.inputs.folded import FoldedPoints, fold_to_points
from tasks.learning.layers.dense import last_step
from tasks.learning.training.devices import reproducible
from tasks.learning.training.loop import train
from tasks.learning.training.losses import squared_loss
from tasks.learning.training.options import GroupConfig, LoopConfig
from tasks.lightcurves import LightCurveBatch

PERIOD_DAY = 0.7


def sines(n: int, seed: int) -> tuple[LightCurveBatch, np.ndarray]:
    """Sine curves of one period in one band, and their amplitudes (n,) [mag]."""
    rng = np.random.default_rng(seed)
    amplitude = rng.uniform(0.1, 1.0, n)
    star = np.repeat(np.arange(n), rng.integers(10, 25, n))
    time = rng.uniform(0, 30, star.size)
    mag = 15 + amplitude[star] * np.sin(2 * np.pi * time / PERIOD_DAY)
    return LightCurveBatch.from_epochs(star, time, mag, None, np.zeros(star.size), None, ("g",)), amplitude


class FoldedBiLSTM(nn.Module):
    """Reads [phase, mag] in order of phase in both directions; gives one number from the last valid step."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(2, 8, batch_first=True, bidirectional=True)
        self.out = nn.Linear(8, 1)

    def forward(self, points: FoldedPoints):
        x_BTC = torch.stack([points.phase, points.mag], -1)[:, 0]
        forward_BTH = self.lstm(x_BTC)[0][..., :8]  # the other direction begins in the padding
        return self.out(last_step(forward_BTH, points.valid[:, 0].sum(1) - 1))[:, 0]


class AmplitudeLearner:
    """Regresses the amplitude from folded points."""

    def __init__(self, epochs, amplitude):
        self.module = FoldedBiLSTM()
        self.groups = {"all": (self.module, GroupConfig(lr=4e-2))}
        self.epochs, self.y = epochs, torch.from_numpy(amplitude).float()

    def folded(self, index):
        return fold_to_points(self.epochs.select(index), np.full((index.size, 1), PERIOD_DAY), margin=2)

    def batches(self, pass_number, rng):
        for index in length_buckets(self.epochs.n_epoch, 16, rng):
            yield self.folded(index), self.y[index]

    def losses(self, batch):
        points, y = batch
        return {"all": lambda: squared_loss(self.module(points), y, torch.ones(len(y)))}

    def validation_loss(self):
        return float(squared_loss(self.module(self.folded(np.arange(len(self.y)))), self.y, torch.ones(len(self.y))))


def test_a_recurrent_network_on_folded_points_learns_the_amplitude():
    batch, amplitude = sines(64, 0)
    with reproducible(0, "cpu"):
        history = train(AmplitudeLearner(centre(epochs_in_bands(batch, ("g",))), amplitude), LoopConfig(15, 15))
    assert min(history) < 0.3 * amplitude.var()


def test_padding_and_company_change_no_output():
    batch, _ = sines(12, 2)
    epochs = centre(epochs_in_bands(batch, ("g",)))
    torch.manual_seed(0)
    network = FoldedBiLSTM().train(False)

    def predict(index):
        return network(fold_to_points(epochs.select(index), np.full((index.size, 1), PERIOD_DAY)))

    with torch.no_grad():
        together = predict(np.arange(12))
        alone = torch.cat([predict(np.array([i])) for i in range(12)])
    assert torch.allclose(together, alone, atol=1e-5)
