"""Small light curves and features whose answer is known."""

import numpy as np

from tasks.learning.data import Examples
from tasks.learning.models import spec_of
from tasks.learning.recipe import Recipe
from tasks.learning.targets import CLASS, Target
from tasks.lightcurves import LightCurveBatch

SHAPES = ("sine", "saw", "noise")


def recipe(model: str, target: Target = CLASS, columns=(), seeds=(0,), **config) -> Recipe:
    """A recipe of one target, called as its model is."""
    return Recipe(model, (target,), model, spec_of(model).config(**config), columns, seeds)


def stars(n: int, seed: int = 0, bands: tuple[str, ...] = ("g", "r"), n_epoch: tuple[int, int] = (12, 30)):
    """Examples of n stars, their class names (n,) and a temperature (n,) [K] that is their colour plus 2 % noise."""
    rng = np.random.default_rng(seed)
    shape = rng.integers(0, len(SHAPES), n)
    colour = rng.uniform(0, 1.5, n)
    count = rng.integers(*n_epoch, (n, len(bands))).ravel()
    star = np.repeat(np.arange(n), count.reshape(n, -1).sum(1))
    band = np.repeat(np.tile(np.arange(len(bands)), n), count)
    period = np.array([0.4, 5.0, 1.0])[shape] * rng.uniform(0.8, 1.2, n)
    time = rng.uniform(0, 60, star.size)
    phase = time / period[star] % 1
    curve = np.select([shape[star] == 0, shape[star] == 1], [0.4 * np.sin(2 * np.pi * phase), 0.8 * (phase - 0.5)], 0.0)
    mag = 15 + curve + colour[star] * (band == 0) + rng.normal(0, 0.03, star.size)
    batch = LightCurveBatch.from_epochs(1000 + 7 * star, time, mag, np.full(star.size, 0.03), band, None, bands)
    scatter = np.sqrt(np.bincount(star, (curve + rng.normal(0, 0.03, star.size)) ** 2) / np.bincount(star))
    features = np.column_stack([scatter, np.log10(period) + rng.normal(0, 0.05, n), colour]).astype(np.float32)
    features[rng.random((n, 3)) < 0.1] = np.nan
    examples = Examples(batch.source_id, features, ("scatter_mag", "log_period", "colour_g_r"), batch)
    return examples, np.array(SHAPES)[shape], (8000 - 2500 * colour) * rng.normal(1, 0.02, n)
