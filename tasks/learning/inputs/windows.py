"""Windows of successive epochs: a long curve is read a part at a time.

Not a thinned curve: that would stretch the time differences that a model learns from.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tasks.learning.inputs.epochs import band_key, rank_in_band
from tasks.lightcurves import LightCurveBatch

FIRST, MIDDLE, LAST = 0.0, 0.5, 1.0


def cut_window(epochs: LightCurveBatch, limit: int, where: NDArray[np.float64]) -> LightCurveBatch:
    """At most `limit` successive epochs of each object and band; `where` (S,) from 0, the first ones, to 1, the last.

    `epochs` are in order of object, band and time.
    """
    key, rank = band_key(epochs), rank_in_band(epochs)
    spare = np.maximum(np.bincount(key, minlength=1)[key] - limit, 0)
    first = np.rint(spare * where[epochs.row]).astype(np.int64)
    return epochs.keep((rank >= first) & (rank < first + limit))


def is_longer(epochs: LightCurveBatch, limit: int) -> NDArray[np.bool_]:
    """(S,) true for objects with more than `limit` epochs in a band: those of which a window leaves something out."""
    count = np.bincount(band_key(epochs), minlength=len(epochs) * len(epochs.bands))
    return np.any(count.reshape(len(epochs), len(epochs.bands)) > limit, axis=1)


def cut_views(epochs: LightCurveBatch, limit: int) -> list[tuple[NDArray[np.int64], LightCurveBatch]]:
    """Windows to predict by, each with the indices of its objects: the first of all, two more of the longer curves."""
    longer = np.flatnonzero(is_longer(epochs, limit))
    views = [(np.arange(len(epochs)), FIRST), (longer, MIDDLE), (longer, LAST)]
    return [
        (index, cut_window(epochs.select(index), limit, np.full(index.size, place)))
        for index, place in views
        if index.size
    ]
