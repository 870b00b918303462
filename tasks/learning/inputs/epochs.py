"""Epochs in order of object, band and time, as the other inputs need them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves import LightCurveBatch

MAG_LIMIT = 100.0  # no star is outside +-100 mag


def epochs_in_bands(batch: LightCurveBatch, bands: Sequence[str]) -> LightCurveBatch:
    """Finite epochs of `bands` (names) in order of object, band and time; band codes index `bands`.

    Objects without such epochs stay, with none.
    """
    names = tuple(bands)
    code = np.array([names.index(name) if name in names else -1 for name in batch.bands] or [-1], np.int8)
    band = code[batch.band]
    good = (band >= 0) & _is_finite(batch)
    return replace(batch, band=np.maximum(band, 0), bands=names).keep(good).by_band()[0]


def bands_to_learn(batch: LightCurveBatch, wanted: Sequence[str]) -> tuple[str, ...]:
    """Those of the `wanted` bands, () for all, that have an epoch: of another one a network would learn nothing.

    ValueError where there is none.
    """
    bands = tuple(wanted) or batch.bands
    seen = {batch.bands[code] for code in np.unique(batch.band[_is_finite(batch)])}
    if not seen & set(bands):
        raise ValueError(f"none of the {len(batch)} objects has an epoch in {', '.join(bands)}.")
    return tuple(band for band in bands if band in seen)


def distinct_epochs(batch: LightCurveBatch, bands: Sequence[str]) -> LightCurveBatch:
    """`epochs_in_bands` with the epochs of equal time in a band averaged: mean magnitude, mean error."""
    epochs = epochs_in_bands(batch, bands)
    key = band_key(epochs)
    first = np.ones(key.size, bool)
    first[1:] = (np.diff(key) != 0) | (np.diff(epochs.time) != 0)
    if first.all():
        return epochs
    start = np.flatnonzero(first)
    count = np.diff(np.append(start, key.size))
    mag = (np.add.reduceat(epochs.mag.astype(np.float64), start) / count).astype(np.float32)
    err = (np.add.reduceat(epochs.mag_err.astype(np.float64), start) / count).astype(np.float32)
    return replace(epochs.keep(first), mag=mag, mag_err=err)


def centre(epochs: LightCurveBatch) -> LightCurveBatch:
    """Magnitudes less the mean of their own object and band: what is left is the variation."""
    key = band_key(epochs)
    count = np.bincount(key, minlength=1)
    mean = np.bincount(key, weights=epochs.mag, minlength=1) / np.maximum(count, 1)
    return replace(epochs, mag=(epochs.mag - mean[key]).astype(np.float32))


def band_key(epochs: LightCurveBatch) -> NDArray[np.int64]:
    """Number (N,) of the object and band of each epoch: object * B + band."""
    return epochs.row * len(epochs.bands) + epochs.band


def rank_in_band(epochs: LightCurveBatch) -> NDArray[np.int64]:
    """Place (N,) of each epoch in its own object and band, from 0; `epochs` are in order of object and band."""
    key = band_key(epochs)
    count = np.bincount(key, minlength=1)
    return np.arange(key.size) - (np.cumsum(count) - count)[key]


def _is_finite(batch: LightCurveBatch) -> NDArray[np.bool_]:
    return np.isfinite(batch.time) & (np.abs(batch.mag) < MAG_LIMIT)  # NaN fails the comparison
