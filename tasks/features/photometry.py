"""Mean photometry: number of epochs, weighted mean magnitudes, their colours, and the time covered."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schemas.column import Column
from tasks.features.feature import COLOUR, Arrays, Curves, Feature, pair_difference


def compute_photometry(curves: Curves, earlier: Arrays) -> Arrays:
    """Epoch counts, weighted means and colours; a band without epochs has count 0 and a NaN mean."""
    mean = curves.mean_mag
    return {
        "n_epoch_{band}": curves.n_epoch,
        "n_error_{band}": curves.n_error,
        "mean_mag_{band}": mean,
        "timespan_day": timespan(curves),
        "colour_mag_{pair}": pair_difference(mean, curves.batch.bands),
    }


def timespan(curves: Curves) -> np.ndarray:
    """Days from first to last epoch, (S,); NaN without epochs or where the times are phases."""
    batch = curves.batch
    first, last = np.full(len(batch), np.inf), np.full(len(batch), -np.inf)
    np.minimum.at(first, batch.row, batch.time)
    np.maximum.at(last, batch.row, batch.time)
    return np.where((batch.n_epoch > 0) & curves.config.has_time, last - first, np.nan)


PHOTOMETRY = Feature(
    "photometry",
    source="Weighted means; no paper.",
    compute=compute_photometry,
    of_times=("timespan_day",),
    columns=(
        Column("n_epoch_{band}", pa.float32(), "Number of epochs.", ucd="meta.number", range=(0, None)),
        Column(
            "n_error_{band}", pa.float32(), "Number of epochs with a quoted error.", ucd="meta.number", range=(0, None)
        ),
        Column(
            "mean_mag_{band}",
            pa.float32(),
            "Mean magnitude, weighted by 1/(err^2 + 0.05^2).",
            "mag",
            "phot.mag;stat.mean",
            nullable=True,
        ),
        COLOUR,
        Column(
            "timespan_day",
            pa.float32(),
            "Time from the first to the last epoch.",
            "d",
            "time.duration",
            nullable=True,
            range=(0, None),
        ),
    ),
)
