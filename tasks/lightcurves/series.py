"""Input of a period search: its settings, and the epochs of a batch sorted by object, survey and band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field

from tasks.lightcurves.batch import LightCurveBatch, offsets_of
from tasks.lightcurves.fourier import weights
from tasks.lightcurves.segments import segment_sum

LEAST = {"f_max": 0, "oversampling": 1, "max_points": 1, "error_floor": 0, "n_candidates": 1, "n_harmonics": 1,
         "refine": 1, "epochs_per_term": 1, "min_epoch": 1}  # fmt: skip
ROUNDING = 1e-9  # mag, residuals of a band without scatter


@dataclass(frozen=True)
class PeriodConfig:
    """Settings of the period search, one for all datasets.

    Scan: frequencies f_min to f_max (1/day) in steps of 1 / (oversampling * longest baseline of one slot); the step
    widens where that would need more than max_points. f_min is never below one cycle in the baseline. `error_floor`
    (mag) is added to the errors in quadrature.

    Refinement: n_candidates peaks, fitted with n_harmonics on the grid `refine` around each, (half width in points,
    divisor of the scan's step), and then on parabolas. Fewer than min_epoch epochs: no period.

    Slots: a band with epochs_per_term * (2K + 1) epochs or more is one, with harmonics of its own; the other bands of a
    survey are one together, with common harmonics and an offset each.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    f_min: Annotated[float, Field(gt=0, description="Lowest frequency, 1/day.")] = 0.001
    f_max: Annotated[float, Field(gt=0, le=1000, description="Highest frequency, 1/day.")] = 24.0
    oversampling: Annotated[float, Field(ge=1, le=20, description="Steps in one over the longest baseline.")] = 3.0
    max_points: Annotated[int, Field(ge=1, description="Most frequencies; the step widens beyond.")] = 1 << 20
    error_floor: Annotated[float, Field(ge=0, description="Added to the errors in quadrature, mag.")] = 0.02
    n_candidates: Annotated[int, Field(ge=1, le=100, description="Peaks that are fitted as trial periods.")] = 8
    n_harmonics: Annotated[int, Field(ge=1, le=20, description="Harmonics of the fits.")] = 3
    refine: Annotated[
        tuple[int, int], Field(description="Grid around each peak: half width in points, divisor of the scan's step.")
    ] = (4, 4)
    epochs_per_term: Annotated[
        float, Field(ge=1, description="Epochs for each free term from which a band has harmonics of its own.")
    ] = 3.0
    min_epoch: Annotated[int, Field(ge=1, description="Epochs below which there is no period.")] = 10

    def __post_init__(self) -> None:
        if not 0 < self.f_min < self.f_max:
            raise ValueError(f"PeriodConfig: need 0 < f_min < f_max, got f_min={self.f_min}, f_max={self.f_max} 1/day.")
        values = {name: np.atleast_1d(getattr(self, name)) for name in LEAST}
        wrong = [
            f"{name}={getattr(self, name)}"
            for name, least in LEAST.items()
            if not least <= values[name].min() <= values[name].max() < np.inf
        ]
        if wrong:
            raise ValueError(f"PeriodConfig: {', '.join(wrong)}: need finite numbers of at least {LEAST}.")


@dataclass(frozen=True, eq=False)
class Series:
    """Epochs sorted by object, survey group, band and time, each band minus its weighted mean.

    time (N,) day from the object's first epoch; residual (N,) mag; weight (N,) mag^-2; group_offsets (S*G+1,);
    band_offsets (S*B+1,), offsets (S+1,). group (B,) is the survey of each band in this order.
    """

    time: NDArray[np.float64]
    residual: NDArray[np.float64]
    weight: NDArray[np.float64]
    group_offsets: NDArray[np.int64]
    band_offsets: NDArray[np.int64]
    offsets: NDArray[np.int64]
    group: NDArray[np.int64]


def residual_series(batch: LightCurveBatch, groups: tuple[int, ...] | None, config: PeriodConfig) -> Series:
    """The series that the scan and the trials work on; epochs without a time or a magnitude are left out.

    `groups` gives the survey of each band, aligned to `batch.bands` (None: one); ValueError where it does not.
    """
    groups = (0,) * len(batch.bands) if groups is None else groups
    if len(groups) != len(batch.bands):
        raise ValueError(f"find_period: {len(groups)} survey groups for the {len(batch.bands)} bands {batch.bands}.")
    batch = batch.keep(np.isfinite(batch.time) & np.isfinite(batch.mag))
    names, group = np.unique(groups, return_inverse=True)
    rank = np.argsort(np.argsort(group, kind="stable"), kind="stable")  # bands in order of their survey
    n_band, row = len(batch.bands), batch.row
    key = row * n_band + rank[batch.band]
    order = np.lexsort((batch.time, key))
    band_offsets = offsets_of(np.bincount(key, minlength=len(batch) * n_band))
    last = np.cumsum(np.bincount(group, minlength=names.size))
    edge = (np.arange(len(batch))[:, None] * n_band + last).ravel()
    weight = weights(batch.mag_err[order], config.error_floor)
    mag = batch.mag[order].astype(np.float64)
    total = segment_sum(weight, band_offsets)
    mean = segment_sum(weight * mag, band_offsets) / np.where(total > 0, total, 1.0)
    start = np.full(len(batch), np.inf)
    np.minimum.at(start, row, batch.time)
    residual = mag - np.repeat(mean, np.diff(band_offsets))
    return Series(
        batch.time[order] - start[row],
        np.where(np.abs(residual) > ROUNDING, residual, 0.0),
        weight,
        np.concatenate([[0], band_offsets[edge]]),
        band_offsets,
        batch.offsets,
        np.sort(group),
    )
