"""Limits and texts that the checks of a folder share.

Limits are generous: they tell sentinels, other units and garbage from measurements, nothing finer.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

PHASE_RANGE = (-1.0, 2.0)


def as_text(values: NDArray) -> pa.Array:
    """Numbers as the shortest text that gives them back; "nan" for NaN."""
    return pc.cast(pa.array(values), pa.string())
