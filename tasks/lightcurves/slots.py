"""The slots of a batch, bands that share a phase, and the frequencies to scan for each object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tasks.lightcurves.segments import segment_sum
from tasks.lightcurves.series import PeriodConfig, Series


@dataclass(frozen=True, eq=False)
class Slots:
    """Bands with a common phase and amplitude, and the objects they belong to, as the scan and the trials take them.

    bands (F,2) start and stop of each band in the series; slot_offsets (L+1,) bounds the bands of each slot,
    object_offsets (S+1,) the slots of each object; row (L,) the object; n_epoch and n_band (L,); span (L,) day;
    constant (L,) chi2 without harmonics; free (L,) the most harmonics for its number of epochs.
    """

    bands: NDArray[np.int64]
    slot_offsets: NDArray[np.int64]
    object_offsets: NDArray[np.int64]
    row: NDArray[np.int64]
    n_epoch: NDArray[np.int64]
    n_band: NDArray[np.int64]
    span: NDArray[np.float64]
    constant: NDArray[np.float64]
    free: NDArray[np.int64]

    @property
    def freedom(self) -> NDArray[np.int64]:
        """Epochs that a sinusoid and an offset per band leave over, (L,), at least 0."""
        return np.maximum(self.n_epoch - self.n_band - 2, 0)


def build_slots(series: Series, config: PeriodConfig) -> Slots:
    """The slots of all objects."""
    count = np.diff(series.band_offsets)
    filled, order, slot_offsets, object_offsets = share_bands(count, series.group, config)
    start, stop = series.band_offsets[:-1][filled][order], series.band_offsets[1:][filled][order]
    n_epoch = segment_sum(stop - start, slot_offsets)
    chi2 = segment_sum(series.weight * series.residual**2, series.band_offsets)[filled][order]
    at = slot_offsets[:-1]
    begin, end = np.zeros(0), np.zeros(0)
    if at.size:
        begin, end = np.minimum.reduceat(series.time[start], at), np.maximum.reduceat(series.time[stop - 1], at)
    return Slots(
        np.stack([start, stop], axis=1),
        slot_offsets,
        object_offsets,
        np.repeat(np.arange(object_offsets.size - 1), np.diff(object_offsets)),
        n_epoch,
        np.diff(slot_offsets),
        end - begin,
        segment_sum(chi2, slot_offsets),
        np.maximum((n_epoch / config.epochs_per_term - 1) // 2, 1).astype(np.int64),
    )


def share_bands(
    count: NDArray[np.int64], group: NDArray[np.int64], config: PeriodConfig
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Slots of the bands with `count` (S*B,) epochs: the F filled bands (F,), what sorts these by slot (F,), and the
    offsets of slots (L+1,) in that order and of objects (S+1,) in the slots. `group` (B,) is the survey of each band.
    """
    n_band = group.size
    n_object = count.size // max(n_band, 1)
    rich = count >= config.epochs_per_term * (2 * config.n_harmonics + 1)
    # within an object: slots 0..B-1 are the bands with epochs enough, B + g is the rest of survey g
    own = np.where(rich, np.tile(np.arange(n_band), n_object), n_band + np.tile(group, n_object))
    slot = np.repeat(np.arange(n_object), n_band) * 2 * n_band + own
    filled = np.flatnonzero(count > 0)
    order = np.argsort(slot[filled], kind="stable")
    used, slot_start = np.unique(slot[filled][order], return_index=True)
    object_offsets = np.searchsorted(used, np.arange(n_object + 1) * 2 * n_band)
    return filled, order, np.append(slot_start, filled.size), object_offsets


@dataclass(frozen=True, eq=False)
class Grid:
    """Frequencies first + k step (1/day), k < n_point, of each object, (S,); n_point 0: it has too few epochs.

    baseline (S,) day of its longest slot; freedom (S,) and n_slot (S,) of the slots that count, those with freedom.
    """

    first: NDArray[np.float64]
    step: NDArray[np.float64]
    n_point: NDArray[np.int64]
    baseline: NDArray[np.float64]
    freedom: NDArray[np.int64]
    n_slot: NDArray[np.int64]


def build_grid(slots: Slots, config: PeriodConfig) -> Grid:
    """The frequencies to scan."""
    counts = slots.freedom > 0
    n_slot, freedom, n_epoch = segment_sum(
        np.stack([counts, slots.freedom, np.where(counts, slots.n_epoch, 0)]), slots.object_offsets
    )
    baseline = np.zeros(n_slot.size)
    np.maximum.at(baseline, slots.row, np.where(counts, slots.span, 0.0))
    with np.errstate(divide="ignore"):
        first = np.maximum(config.f_min, 1 / baseline)
        possible = (n_epoch >= config.min_epoch) & (first < config.f_max)
        step = np.maximum(1 / (config.oversampling * baseline), (config.f_max - first) / (config.max_points - 1))
    first, step = np.where(possible, first, np.nan), np.where(possible, step, np.nan)
    n_point = np.where(possible, (config.f_max - first) / step + 1, 0).astype(np.int64)
    return Grid(first, step, n_point, baseline, freedom, n_slot)
