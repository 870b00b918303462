"""Power at simple fractions and multiples of the period, against the power at the period itself (Power_rate)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature

FACTORS = {
    "quarter": 1 / 4,
    "third": 1 / 3,
    "half": 1 / 2,
    "double": 2.0,
    "triple": 3.0,
    "quadruple": 4.0,
}


def compute_harmonic_power(curves: Curves, earlier: Arrays) -> Arrays:
    """Power at each multiple of the period over that at the period, (S,) each; NaN where times are phases."""
    period = earlier["period_day"]
    own = curves.explained_variance(period, 1)
    own = np.where(own > 0, own, np.nan)
    return {
        f"power_ratio_{name}": np.maximum(curves.explained_variance(factor * period, 1), 0) / own
        for name, factor in FACTORS.items()
    }


HARMONIC_POWER = Feature(
    "harmonic_power",
    needs=("period_day",),
    source="Power rates of Sanchez-Saez et al. 2021, AJ 161, 141, of a sine per band.",
    compute=compute_harmonic_power,
    of_times=tuple(f"power_ratio_{name}" for name in FACTORS),
    columns=tuple(
        Column(
            f"power_ratio_{name}",
            pa.float32(),
            f"Variance explained by a sine per band at {factor:.3g} times the period, over that at the period.",
            ucd="stat.value;arith.ratio",
            nullable=True,
            range=(0, None),
        )
        for name, factor in FACTORS.items()
    ),
)
