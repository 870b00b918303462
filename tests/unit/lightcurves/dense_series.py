"""Short, densely sampled light curves, as TESS takes them: half an hour for 27 days, a gap in the middle."""

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves import LightCurveBatch

CADENCE, LENGTH, GAP = 1 / 48, 27.0, (12.8, 14.2)  # day


def dense_stars(n: int, seed: int = 0, noise: float = 0.002) -> tuple[LightCurveBatch, NDArray[np.float64]]:
    """Light curves of `n` stars and their periods, (n,) 0.05 to 0.5 day; half of them rise fast as RR Lyrae do."""
    rng = np.random.default_rng(seed)
    time = np.arange(0, LENGTH, CADENCE)
    time = time[(time < GAP[0]) | (time > GAP[1])] + 1325.3
    period = 10 ** rng.uniform(np.log10(0.05), np.log10(0.5), n)
    phase = (time / period[:, None] + rng.random((n, 1))) % 1
    sawtooth = 0.6 * np.where(phase < 0.15, 1 - phase / 0.15, (phase - 0.15) / 0.85)
    curve = np.where(np.arange(n)[:, None] % 2 == 0, 0.2 * np.sin(2 * np.pi * phase), sawtooth)
    mag = 12 + curve + rng.normal(0, noise, phase.shape)
    star = np.repeat(np.arange(n), time.size)
    error = np.full(star.size, noise)
    return LightCurveBatch.from_epochs(star, np.tile(time, n), mag.ravel(), error, 0 * star, None, ("T",)), period
