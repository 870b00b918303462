"""Statistics of the folded light curve that need no model: smoothness and cumulative sum in order of phase."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.fold import fold, folded_order
from tasks.lightcurves.segments import segment_sum


def compute_folded(curves: Curves, earlier: Arrays) -> Arrays:
    """Von Neumann ratio and range of the cumulative sum of each band in order of phase, (S,B) each."""
    phase = fold(curves.batch, curves.fold_period(earlier["period_day"]))
    offsets = curves.band_offsets
    mag = curves.batch.mag[folded_order(phase, offsets)].astype(np.float64)
    length = np.diff(offsets)
    residual = mag - np.repeat(segment_sum(mag, offsets) / np.maximum(length, 1), length)
    variance = segment_sum(residual**2, offsets)
    known = curves.per_band(variance > 0) & (curves.n_epoch >= curves.config.min_epoch)
    known &= np.isfinite(curves.fold_period(earlier["period_day"]))[:, None]
    safe = np.where(variance > 0, variance, 1.0)
    eta = segment_sum(squared_steps(residual, offsets), offsets) / safe
    cusum = cumulative_range(residual, offsets) / np.sqrt(safe * np.maximum(length, 1))
    return {
        "folded_eta_{band}": np.where(known, curves.per_band(eta), np.nan),
        "folded_cusum_{band}": np.where(known, curves.per_band(cusum), np.nan),
    }


def squared_steps(values: NDArray, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Squared step from each value to the next of its slice, the last to the first, (N,)."""
    following = np.append(values[1:], 0.0)
    filled = np.diff(offsets) > 0
    following[offsets[1:][filled] - 1] = values[offsets[:-1][filled]]
    return (following - values) ** 2


def cumulative_range(values: NDArray, offsets: NDArray[np.int64]) -> NDArray[np.float64]:
    """Range of the cumulative sum within each slice, (S,); 0 for an empty slice. `values` sum to 0 in each slice."""
    running = np.cumsum(values)
    filled = np.flatnonzero(np.diff(offsets) > 0)
    result = np.zeros(offsets.size - 1)
    if filled.size:
        start = offsets[:-1][filled]
        result[filled] = np.maximum.reduceat(running, start) - np.minimum.reduceat(running, start)
    return result


FOLDED = Feature(
    "folded",
    needs=("period_day",),
    source="Kim et al. 2014, A&A 566, A43 (Psi_eta, Psi_CS).",
    compute=compute_folded,
    columns=(
        Column(
            "folded_eta_{band}",
            pa.float32(),
            "Von Neumann ratio in order of phase (Psi_eta, Kim et al. 2014).",
            ucd="src.var;stat.value",
            nullable=True,
            range=(0, None),
        ),
        Column(
            "folded_cusum_{band}",
            pa.float32(),
            "Range of the cumulative sum in order of phase (Psi_CS).",
            ucd="src.var;stat.value",
            nullable=True,
            range=(0, None),
        ),
    ),
)
