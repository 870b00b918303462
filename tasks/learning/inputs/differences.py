"""Light curves as rows of differences between successive epochs, per band and in order of time.

After Becker et al. 2025 (A&A 694, A183, section 3; log10 of time differences as in their code): in each band, row i of
a curve is [log10 dt(i-1), log10 dt(i), dm(i-1), dm(i)], from the third epoch on. The rows of all bands, in order of
time, carry the colours: differences of the cumulative mean magnitudes of the bands seen so far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.learning.inputs.colours import running_colours
from tasks.learning.inputs.epochs import band_key, rank_in_band
from tasks.learning.inputs.step_weights import normalise, relative_error
from tasks.lightcurves import LightCurveBatch, offsets_of

WINDOW = 2
ROW_WIDTH = 2 * WINDOW
GAP_FLOOR_DAY = 1e-3  # merged bands may share a time; 1.4 minutes


@dataclass(frozen=True, eq=False)
class DifferenceRows:
    """Rows of S objects in B bands, R in all.

    Band order (object, band, time): `x` (R, 4) float32, `band_weight` (R,) float32 (sums to 1 in each object and band),
    `band_offsets` (S*B+1,). Time order (object, time): `merged` (R,) int64, the row at each place, `place_weight` (R,)
    (sums to 1 in each object), `context` (R, K) float32: colours, which of them are seen, log10 of the time
    since the last row [day]. `band` and `step` (R,) int64 of each row in band order.
    """

    bands: tuple[str, ...]
    x: NDArray[np.float32]
    band_weight: NDArray[np.float32]
    band_offsets: NDArray[np.int64]
    merged: NDArray[np.int64]
    place_weight: NDArray[np.float32]
    context: NDArray[np.float32]
    band: NDArray[np.int64]
    step: NDArray[np.int64]

    def __len__(self) -> int:
        return (self.band_offsets.size - 1) // len(self.bands)

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Offsets (S+1,) of each object's rows, in either order."""
        return self.band_offsets[:: len(self.bands)]

    @property
    def length(self) -> NDArray[np.int64]:
        """Rows of each object, (S,); 0 where no band has three epochs."""
        return np.diff(self.offsets)


def context_width(n_band: int) -> int:
    """Columns of `DifferenceRows.context`: each colour, whether it is seen, and the time difference."""
    return n_band * (n_band - 1) + 1


def difference_rows(epochs: LightCurveBatch, n_skip: int) -> DifferenceRows:
    """Rows of all of these `distinct_epochs`; the first `n_skip` of a band have no weight unless there are no later."""
    rank, key = rank_in_band(epochs), band_key(epochs)
    is_row = rank >= WINDOW
    row_key, step = key[is_row], rank[is_row] - WINDOW
    n_key = len(epochs) * len(epochs.bands)
    band_offsets = offsets_of(np.bincount(row_key, minlength=n_key))
    last = np.diff(band_offsets)[row_key] - 1
    counted = step >= np.minimum(n_skip, last)
    weight = counted / relative_error(epochs.mag_err[is_row], row_key, n_key)
    merged, context = _in_time(epochs, is_row)
    return DifferenceRows(
        bands=epochs.bands,
        x=_differences(epochs)[is_row],
        band_weight=normalise(weight, row_key, n_key),
        band_offsets=band_offsets,
        merged=merged,
        place_weight=normalise(weight, row_key // len(epochs.bands), len(epochs))[merged],
        context=context,
        band=row_key % len(epochs.bands),
        step=step,
    )


def _differences(epochs: LightCurveBatch) -> NDArray[np.float32]:
    """Rows (N, 4) of all epochs; those of the first two of a band mix curves and are not to be used."""
    dt, dm = np.ones(epochs.time.size), np.zeros(epochs.time.size)
    dt[1:], dm[1:] = np.diff(epochs.time), np.diff(epochs.mag.astype(np.float64))
    log_dt = np.log10(np.where(dt > 0, dt, 1.0))
    return np.stack([np.roll(log_dt, 1), log_dt, np.roll(dm, 1), dm], axis=1).astype(np.float32)


def _in_time(epochs: LightCurveBatch, is_row: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The row at each place in time (R,), and its context (R, K)."""
    order = np.lexsort((epochs.band, epochs.time, epochs.row))
    kept = is_row[order]
    row_number = np.cumsum(is_row) - 1
    colour, seen = running_colours(epochs, order, kept)
    gap = _gaps(epochs.time[order][kept], epochs.row[order][kept])
    context = np.column_stack([colour, seen, np.log10(gap + GAP_FLOOR_DAY)]).astype(np.float32)
    return row_number[order][kept], context


def _gaps(time: NDArray[np.float64], owner: NDArray[np.int64]) -> NDArray[np.float64]:
    """Time (R,) [day] since the row before of the same object; 0 for its first."""
    gap = np.zeros(time.size)
    gap[1:] = np.where(np.diff(owner) == 0, np.diff(time), 0.0)
    return gap
