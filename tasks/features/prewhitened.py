"""The second period, in the residuals of the first: double-mode pulsators (RRd, beat Cepheids) have one."""

from __future__ import annotations

import pyarrow as pa

from schemas.column import Column
from tasks.features.feature import Arrays, Curves, Feature
from tasks.lightcurves.prewhiten import find_second_period

NAMES = (
    "prewhitened_period_day", "prewhitened_period_ratio", "prewhitened_power", "prewhitened_log_fap",
    "prewhitened_amplitude_mag",
)  # fmt: skip


def compute_prewhitened(curves: Curves, earlier: Arrays) -> Arrays:
    """Each quantity (S,), NaN without a first period."""
    config = curves.config
    first = earlier["period_day"]
    found = find_second_period(curves.batch, curves.band_offsets, first, config.period, config.groups or None)
    values = (found.period, found.period / first, found.power, found.log_fap, found.amplitude)
    return dict(zip(NAMES, values, strict=True))


def _column(name: str, doc: str, unit: str, ucd: str, high: float | None = None, low: float | None = 0) -> Column:
    return Column(name, pa.float32(), doc, unit, ucd, nullable=True, range=(low, high))


PREWHITENED = Feature(
    "prewhitened",
    needs=("period_day",),
    setting="second_period",
    source="Prewhitening; false alarm probability of Baluev 2008, MNRAS 385, 1279.",
    compute=compute_prewhitened,
    of_times=NAMES,
    columns=(
        Column(NAMES[0], pa.float64(), "Second period, of what the first leaves.", "d", "time.period",
               nullable=True, range=(0, None)),
        _column(NAMES[1], "Second period over the first.", "", "time.period;arith.ratio"),
        _column(NAMES[2], "Share of the variance left that a sine at the second period explains.", "",
                "stat.value", 1),
        _column(NAMES[3], "log10 of the second period's false alarm probability (Baluev 2008).", "",
                "stat.probability", 0, None),
        _column(NAMES[4], "Amplitude of the sine at the second period, all bands.", "mag",
                "src.var.amplitude"),
    ),
)  # fmt: skip
