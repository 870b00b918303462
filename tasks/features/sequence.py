"""Statistics of the sequence of epochs that the extractor of light-curve lacks, compiled.

Definitions: FATS (Nun et al. 2015, arXiv:1506.00010), which ALeRCE uses; Con is of Kim et al. 2011, ApJ 735, 68, the
trend of the last pairs of Richards et al. 2011, ApJ 733, 10.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numba import njit
from numpy.typing import NDArray

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.segments import segment_gskew

LAST = 30  # epochs of the trend of pairs
MAX_LAG = 100  # epochs
TAIL = 0.03  # of the magnitudes, to each side
NAMES = ("autocorrelation_length_{band}", "con_{band}", "pair_slope_trend_{band}", "gskew_mag_{band}")


def compute_sequence(curves: Curves, earlier: Arrays) -> Arrays:
    """Each statistic (S,B); NaN for bands with fewer than `min_epoch` epochs, and of time where times are phases."""
    mag, offsets = curves.batch.mag.astype(np.float64), curves.band_offsets
    enough = curves.n_epoch >= curves.config.min_epoch
    ordered = enough & curves.config.has_time
    in_order = curves.per_band(_sequence(mag, offsets))
    found = {name: np.where(ordered, in_order[..., i], np.nan) for i, name in enumerate(NAMES[:3])}
    return found | {NAMES[3]: np.where(enough, curves.per_band(segment_gskew(mag, offsets, TAIL)), np.nan)}


@njit(cache=True, nogil=True)
def _sequence(mag: NDArray, offsets: NDArray) -> NDArray:
    """Autocorrelation length, Con and trend of the last pairs of every slice, (S,3)."""
    out = np.full((offsets.size - 1, 3), np.nan)
    for s in range(offsets.size - 1):
        start, stop = offsets[s], offsets[s + 1]
        n = stop - start
        if n < 3:
            continue
        mean = mag[start:stop].mean()
        variance = 0.0
        for i in range(start, stop):
            variance += (mag[i] - mean) ** 2
        if variance > 0:
            out[s, 0] = _autocorrelation_length(mag[start:stop] - mean, variance)
        limit, run, found = 2 * np.sqrt(variance / n), 0, 0
        for i in range(start, stop):
            run = run + 1 if abs(mag[i] - mean) > limit else 0
            found += run >= 3
        out[s, 1] = found / (n - 2)
        trend = 0
        for i in range(max(start, stop - LAST), stop - 1):
            trend += 1 if mag[i + 1] > mag[i] else -1
        out[s, 2] = trend / LAST
    return out


@njit(cache=True, nogil=True)
def _autocorrelation_length(residual: NDArray, variance: float) -> float:
    """First lag, in epochs, at which the autocorrelation is below 1/e; the number of lags tried where none is."""
    n = residual.size
    for lag in range(1, min(MAX_LAG, n)):
        total = 0.0
        for i in range(n - lag):
            total += residual[i] * residual[i + lag]
        if total < np.exp(-1.0) * variance:
            return float(lag)
    return float(min(MAX_LAG, n))


def _column(name: str, doc: str, unit: str = "", low: float | None = None, high: float | None = None) -> Column:
    return Column(name, pa.float32(), doc, unit, "src.var;stat.value", nullable=True, range=(low, high))


SEQUENCE = Feature(
    "sequence",
    source="Nun et al. 2015, arXiv:1506.00010 (FATS); Con: Kim et al. 2011, ApJ 735, 68; pairs: Richards et al. 2011, "
    "ApJ 733, 10.",
    compute=compute_sequence,
    of_times=NAMES[:3],
    columns=(
        _column(NAMES[0], "First lag in epochs with an autocorrelation below 1/e (Nun et al. 2015).", low=1),
        _column(
            NAMES[1], "Share of triples of successive epochs beyond 2 sigma (Con, Kim et al. 2011).", low=0, high=1
        ),
        _column(NAMES[2], "Rising minus falling steps of the last 30 epochs, over 30.", low=-1, high=1),
        _column(NAMES[3], "Median of the 3 % tails against the median (Gskew, Nun et al. 2015).", "mag"),
    ),
)
