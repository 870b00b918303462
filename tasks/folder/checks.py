"""Limits and texts that the checks of a folder share.

Limits are generous: they tell sentinels, other units and garbage from measurements, nothing finer.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

PHASE_RANGE = (-1.0, 2.0)
MIN_INSTRUMENTAL = 20  # different magnitudes below the range of calibrated ones: so many sentinels there are none
MOST = 0.5  # share of a band's magnitudes below that does as well


def as_text(values: NDArray) -> pa.Array:
    """Numbers as the shortest text that gives them back; "nan" for NaN."""
    return pc.cast(pa.array(values), pa.string())


def has_instrumental(n_mag: int, n_below: int, n_different: int) -> bool:
    """True where magnitudes of a band are instrumental: of `n_mag`, `n_below` are below any calibrated one."""
    return n_below > MOST * n_mag or n_different >= MIN_INSTRUMENTAL
