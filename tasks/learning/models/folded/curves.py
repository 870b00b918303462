"""What the folded network reads of an object: its curve folded at each candidate period, and columns of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from tasks.learning.inputs.epochs import band_key, centre
from tasks.learning.inputs.folded import crest_time, fold_to_bins
from tasks.lightcurves import LightCurveBatch

SPREAD_FLOOR_MAG = 1e-3  # of a band that does not vary
PROBABILITY_FLOOR = 1e-4
BAND_COLUMNS = 3


@dataclass(frozen=True, eq=False)
class FoldedCurves:
    """S objects folded at K candidates in B bands and P bins of phase, all float32.

    `bins` (S, K, B, P): mean magnitude of a bin less that of the band, over the band's standard deviation; NaN where a
    bin has no epoch. `candidates` (S, K, 2): log10 of the period [day] and natural logarithm of its probability; NaN
    where there is no candidate. `columns` (S, 3 B + F): of each band the mean magnitude, log10 of its standard
    deviation [mag] and log10 of the number of epochs, then the F features; NaN where missing.
    """

    bins: NDArray[np.float32]
    candidates: NDArray[np.float32]
    columns: NDArray[np.float32]

    @classmethod
    def concatenate(cls, parts: Sequence[FoldedCurves]) -> FoldedCurves:
        """The objects of all parts in order."""
        names = (field.name for field in fields(cls))
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def fold_curves(
    epochs: LightCurveBatch,
    period_day: NDArray[np.float64],
    probability: NDArray[np.float64],
    features: NDArray[np.float32],
    n_bin: int,
) -> FoldedCurves:
    """Curves of `epochs_in_bands` at candidates (S, K) with their probabilities, and features (S, F)."""
    mean, spread, count = _band_statistics(epochs)
    scaled = centre(epochs)
    scaled = replace(scaled, mag=(scaled.mag / spread.ravel()[band_key(epochs)]).astype(np.float32))
    bins = fold_to_bins(scaled, period_day, n_bin, crest_time(scaled, period_day))
    log_prob = np.log(np.maximum(np.nan_to_num(probability), PROBABILITY_FLOOR))
    candidates = np.stack([np.log10(period_day), np.where(np.isfinite(period_day), log_prob, np.nan)], axis=-1)
    of_bands = np.stack([mean, np.log10(spread), np.log10(np.maximum(count, 1))], axis=-1)
    of_bands[count == 0] = np.nan
    columns = np.concatenate([of_bands.reshape(len(epochs), BAND_COLUMNS * len(epochs.bands)), features], axis=1)
    return FoldedCurves(bins, candidates.astype(np.float32), columns.astype(np.float32))


def _band_statistics(epochs: LightCurveBatch) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Mean magnitude, standard deviation (at least the floor) and number of the epochs of each band, (S, B)."""
    shape, key = (len(epochs), len(epochs.bands)), band_key(epochs)
    count = np.bincount(key, minlength=shape[0] * shape[1])
    most = np.maximum(count, 1)
    mean = np.bincount(key, weights=epochs.mag, minlength=count.size) / most
    variance = np.bincount(key, weights=(epochs.mag - mean[key]) ** 2, minlength=count.size) / most
    spread = np.maximum(np.sqrt(variance), SPREAD_FLOOR_MAG)
    return mean.reshape(shape), spread.reshape(shape), count.reshape(shape)
