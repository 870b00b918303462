"""Light curves as rows of differences: the input of the multiband LSTM, for all objects at once.

After Becker et al. 2025 (A&A 694, A183, section 3; log10 of time differences as in their code): in each band, row i of
a curve is [log10 dt(i-1), log10 dt(i), dm(i-1), dm(i)], from the third epoch on. The rows of all bands, in order of
time, carry the colours: differences of the cumulative mean magnitudes of the bands seen so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves import LightCurveBatch

WINDOW = 2
INPUTS = 2 * WINDOW
MAG_UNIT = 2**-20  # magnitudes are summed as integers of this unit (1e-6 mag): sums that no order can change
MAG_LIMIT = 100.0  # no star is outside +-100 mag
GAP_FLOOR_DAY = 1e-3  # merged bands may share a time; 1.4 minutes
ERROR_FLOOR = 0.1  # of the band's mean error: one tiny quoted error must not own the loss


@dataclass(frozen=True, eq=False)
class Tokens:
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
    """Columns of `Tokens.context`: each colour, whether it is seen, and the time difference."""
    return n_band * (n_band - 1) + 1


def distinct_epochs(batch: LightCurveBatch, bands: Sequence[str]) -> LightCurveBatch:
    """Finite epochs of `bands` (names) in order of object, band and time; equal times in a band are averaged."""
    return _distinct(_chosen(batch, tuple(bands)))


def windowed(epochs: LightCurveBatch, limit: int, where: NDArray[np.float64]) -> LightCurveBatch:
    """At most `limit` successive epochs of each object and band; `where` (S,) from 0, the first ones, to 1, the last.

    Not a thinned curve: that would stretch the time differences that the network learns from.
    """
    key, rank = _band_key(epochs), _rank(epochs)
    spare = np.maximum(np.bincount(key, minlength=1)[key] - limit, 0)
    first = np.rint(spare * where[epochs.row]).astype(np.int64)
    return epochs.keep((rank >= first) & (rank < first + limit))


def longer_than(epochs: LightCurveBatch, limit: int) -> NDArray[np.bool_]:
    """(S,) true for objects with more than `limit` epochs in a band: those of which a window leaves something out."""
    count = np.bincount(_band_key(epochs), minlength=len(epochs) * len(epochs.bands))
    return np.any(count.reshape(len(epochs), -1) > limit, axis=1)


def fixed_views(epochs: LightCurveBatch, limit: int, n_skip: int) -> list[tuple[NDArray[np.int64], Tokens]]:
    """Views to score by, each with the indices of its objects: the first window of all, two more of long curves."""
    long = np.flatnonzero(longer_than(epochs, limit))
    parts = [(np.arange(len(epochs)), 0.0), (long, 0.5), (long, 1.0)]
    return [(index, rows_of(windowed(epochs.select(index), limit, np.full(index.size, place)), n_skip))
            for index, place in parts if index.size]  # fmt: skip


def rows_of(epochs: LightCurveBatch, n_skip: int) -> Tokens:
    """Rows of all of these `distinct_epochs`; the first `n_skip` of a band have no weight unless there are no later."""
    bands = epochs.bands
    rank, key = _rank(epochs), _band_key(epochs)
    is_row = rank >= WINDOW
    row_key = key[is_row]
    band_offsets = np.concatenate([[0], np.cumsum(np.bincount(row_key, minlength=len(epochs) * len(bands)))])
    band, step = row_key % len(bands), rank[is_row] - WINDOW
    error = _relative_error(epochs.mag_err[is_row], row_key, band_offsets.size - 1)
    owner = row_key // len(bands)
    last = np.diff(band_offsets)[row_key] - 1
    counted = step >= np.minimum(n_skip, last)
    in_time, context = _in_time(epochs, is_row)
    by_band = _normalised(counted / error, row_key, band_offsets.size - 1)
    by_object = _normalised(counted / error, owner, len(epochs))
    return Tokens(bands, _differences(epochs)[is_row], by_band, band_offsets, in_time, by_object[in_time],
                  context, band, step)  # fmt: skip


def _chosen(batch: LightCurveBatch, bands: tuple[str, ...]) -> LightCurveBatch:
    """Finite epochs of `bands`, in order of object, band and time; band codes index `bands`."""
    code = np.array([bands.index(name) if name in bands else -1 for name in batch.bands] or [-1], np.int8)
    band = code[batch.band]
    good = (band >= 0) & np.isfinite(batch.time) & (np.abs(batch.mag) < MAG_LIMIT)  # NaN fails the comparison
    return replace(batch, band=np.maximum(band, 0), bands=bands).keep(good).by_band()[0]


def _distinct(epochs: LightCurveBatch) -> LightCurveBatch:
    """Epochs of one object and band at one time become one, with the mean magnitude and error."""
    key = _band_key(epochs)
    first = np.ones(key.size, bool)
    first[1:] = (np.diff(key) != 0) | (np.diff(epochs.time) != 0)
    if first.all():
        return epochs
    start = np.flatnonzero(first)
    count = np.diff(np.append(start, key.size))
    mag = (np.add.reduceat(epochs.mag.astype(np.float64), start) / count).astype(np.float32)
    err = (np.add.reduceat(epochs.mag_err.astype(np.float64), start) / count).astype(np.float32)
    return replace(epochs.keep(first), mag=mag, mag_err=err)


def _band_key(epochs: LightCurveBatch) -> NDArray[np.int64]:
    return epochs.row * len(epochs.bands) + epochs.band


def _rank(epochs: LightCurveBatch) -> NDArray[np.int64]:
    """Place of each epoch in its own object and band."""
    key = _band_key(epochs)
    count = np.bincount(key, minlength=1)
    return np.arange(key.size) - (np.cumsum(count) - count)[key]


def _differences(epochs: LightCurveBatch) -> NDArray[np.float32]:
    """Rows (N, 4) of all epochs; those of the first two of a band mix curves and are not to be used."""
    dt, dm = np.ones(epochs.time.size), np.zeros(epochs.time.size)
    dt[1:], dm[1:] = np.diff(epochs.time), np.diff(epochs.mag.astype(np.float64))
    log_dt = np.log10(np.where(dt > 0, dt, 1.0))
    return np.stack([np.roll(log_dt, 1), log_dt, np.roll(dm, 1), dm], axis=1).astype(np.float32)


def _relative_error(mag_err: NDArray[np.float32], key: NDArray[np.int64], n_key: int) -> NDArray[np.float64]:
    """Errors (R,) in units of the mean error of their object and band; 1 where none was quoted.

    Relative, so that bands of unequal length and depth weigh alike (Becker et al. 2025, section 3.4 proposes it for
    surveys whose bands differ in length).
    """
    good = np.isfinite(mag_err) & (mag_err > 0)
    total = np.bincount(key, weights=np.where(good, mag_err, 0.0), minlength=n_key)
    count = np.bincount(key, weights=good, minlength=n_key)
    mean = np.divide(total, count, out=np.ones(n_key), where=count > 0)[key]
    return np.where(good, np.maximum(mag_err / mean, ERROR_FLOOR), 1.0)


def _normalised(weight: NDArray[np.float64], key: NDArray[np.int64], n_key: int) -> NDArray[np.float32]:
    return (weight / np.bincount(key, weights=weight, minlength=n_key)[key]).astype(np.float32)


def _in_time(epochs: LightCurveBatch, is_row: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The row at each place in time (R,), and its context (R, K)."""
    order = np.lexsort((epochs.band, epochs.time, epochs.row))
    kept = is_row[order]
    row_number = np.cumsum(is_row) - 1
    mean, seen = _running_means(epochs, order, kept)
    first, second = np.triu_indices(len(epochs.bands), 1)
    both = seen[:, first] & seen[:, second]
    colour = np.where(both, mean[:, first] - mean[:, second], 0.0)
    time, owner = epochs.time[order][kept], epochs.row[order][kept]
    gap = np.zeros(time.size)
    gap[1:] = np.where(np.diff(owner) == 0, np.diff(time), 0.0)
    context = np.column_stack([colour, both, np.log10(gap + GAP_FLOOR_DAY)]).astype(np.float32)
    return row_number[order][kept], context


def _running_means(
    epochs: LightCurveBatch, order: NDArray[np.int64], kept: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Mean magnitude of each band's epochs up to each kept place in time (R, B), and whether there is one yet."""
    unit = np.rint(epochs.mag[order].astype(np.float64) / MAG_UNIT).astype(np.int64)
    band = epochs.band[order]
    start = epochs.offsets[:-1][epochs.row[order][kept]]
    mean = np.zeros((start.size, len(epochs.bands)))
    seen = np.zeros(mean.shape, bool)
    for b in range(len(epochs.bands)):
        mine = band == b
        total, count = (np.concatenate([[0], np.cumsum(part)]) for part in (np.where(mine, unit, 0), mine))
        n = count[1:][kept] - count[start]
        seen[:, b] = n > 0
        mean[:, b] = (total[1:][kept] - total[start]) / np.maximum(n, 1) * MAG_UNIT
    return mean, seen
