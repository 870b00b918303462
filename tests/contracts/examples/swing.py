"""How far each band swings: its faintest epoch less its brightest."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.segments import segment_quantile

COLUMN = Column("swing_mag_{band}", pa.float32(), "Faintest less brightest epoch.", "mag", "src.var", nullable=True)


def swing(curves: Curves, earlier: Arrays) -> Arrays:
    """Faintest less brightest magnitude of each band, (S,B); NaN without epochs."""
    mag = curves.batch.mag.astype(np.float64)
    ends = [segment_quantile(mag, curves.band_offsets, end) for end in (0.0, 1.0)]
    return {COLUMN.name: curves.per_band(ends[1] - ends[0])}


SWING = Feature("swing", (COLUMN,), swing, "A difference.")
