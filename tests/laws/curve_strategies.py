"""Random light curves for the laws: sizes, gaps and missing parts are hypothesis's, the values a seeded generator's."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from tasks.lightcurves import LightCurveBatch

BANDS = ("G", "BP", "RP")  # of which extinctions and a relation for [Fe/H] are known
TICK = 2.0**-20  # day: times on this grid can be shifted by whole days without rounding


@st.composite
def batches(draw, max_objects: int = 5, max_epochs: int = 70, min_epochs: int = 0) -> LightCurveBatch:
    """A batch in three bands with a periodic signal, in no order of time; some objects or bands may be empty."""
    counts = draw(st.lists(st.integers(min_epochs, max_epochs), min_size=1, max_size=max_objects))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = sum(counts)
    row = np.repeat(np.arange(len(counts)), counts)
    time = 55_000 + np.round(rng.uniform(0, 60, n) / TICK) * TICK
    period, amplitude = rng.uniform(0.4, 8, len(counts)), rng.uniform(0.02, 0.8, len(counts))
    angle = 2 * np.pi * time / period[row]
    mag_err = rng.uniform(0.005, 0.1, n)
    mag = 16 + amplitude[row] * (np.cos(angle) + 0.4 * np.cos(2 * angle + 1)) + rng.normal(0, mag_err)
    return LightCurveBatch(
        source_id=rng.permutation(1000)[: len(counts)] + 2**60,
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        time=time,
        mag=mag,
        mag_err=mag_err if draw(st.booleans()) else np.full(n, np.nan),
        band=rng.integers(0, draw(st.integers(1, len(BANDS))), n),
        flags=np.zeros(n),
        bands=BANDS,
    )


def shuffled(batch: LightCurveBatch, seed: int) -> LightCurveBatch:
    """The same objects, each with its epochs in another order."""
    order = np.lexsort((np.random.default_rng(seed).random(batch.time.size), batch.row))
    return LightCurveBatch(
        batch.source_id,
        batch.offsets,
        batch.time[order],
        batch.mag[order],
        batch.mag_err[order],
        batch.band[order],
        batch.flags[order],
        batch.bands,
    )
