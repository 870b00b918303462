"""Days from whatever a file counts in, and the sentence for a file that counts in something else than declared."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from schemas import BadInput
from schemas.dataset import DAYS_PER_UNIT, MJD_ZERO_JD, DatasetSpec
from tasks.folder.checks import PHASE_RANGE

JD_FROM = 2_400_000.0  # a value above is a Julian Date: as MJD it would be in the year 8429
MJD_RANGE = (-50_000.0, 100_000.0)  # 1721 to 2132: a single epoch outside is garbage
MEDIAN_MJD_RANGE = (9_000.0, 100_000.0)  # 1883, when photographic photometry began, to 2132: else the scale is wrong
MAX_SPAN_DAY = 200 * 365.25  # no light curve is longer
LIKELY_MJD_RANGE = (33_000.0, 75_000.0)  # 1949 to 2064: where a scale that is suggested must lead

# Scales that people use: unit, zero point, MJD of that zero. The first that fits is suggested; Unix time comes late,
# because hours and minutes since MJD 0 would fit it too.
SCALES = (
    ("d", "mjd", 0.0), ("d", "jd", -MJD_ZERO_JD), ("d", "jd-2450000", 2_450_000 - MJD_ZERO_JD),
    ("s", "mjd", 0.0), ("s", "jd", -MJD_ZERO_JD), ("h", "mjd", 0.0), ("min", "mjd", 0.0),
    ("s", "jd-2440587.5", 40_587.0), ("yr", "jd-1721045", 1_721_045 - MJD_ZERO_JD),
)  # fmt: skip


def days(time: NDArray[np.float64], spec: DatasetSpec) -> NDArray[np.float64]:
    """Times (N,) of a file in days: MJD where the zero point is known, else from the file's own zero; phases as is."""
    if spec.kind == "phase":
        return time
    if spec.mixed_jd:
        return np.where(time > JD_FROM, time - MJD_ZERO_JD, time)
    return time * DAYS_PER_UNIT[spec.time_unit] + (spec.zero_mjd or 0.0)


def in_range(time: NDArray[np.float64], spec: DatasetSpec, median: float) -> NDArray[np.bool_]:
    """True where a time (N,), as `days` gives it, can be one; `median` is that of the file, in the same days."""
    if spec.kind == "phase":
        low, high = PHASE_RANGE
    elif spec.zero_mjd is None:
        low, high = median - MAX_SPAN_DAY, median + MAX_SPAN_DAY
    else:
        low, high = MJD_RANGE
    return (time >= low) & (time <= high)


def check_scale(spec: DatasetSpec, low: float, median: float, high: float, where: str) -> None:
    """Raises BadInput where the file's times cannot be what `spec` declares.

    `low`, `median`, `high` are the 1, 50 and 99 per cent quantiles of the raw values of the time column.
    """
    column = f"{where}: column {spec.lightcurves.time!r}"
    if spec.kind == "phase":
        if not PHASE_RANGE[0] <= median <= PHASE_RANGE[1]:
            raise BadInput(
                f"{column} is declared as phase, but half of its values are beyond {median:g}: "
                f'if these are times set kind = "time" in dataset.toml.'
            )
    elif spec.zero_mjd is None:
        _check_span(spec, high - low, column)
    else:
        middle = float(days(np.array([median]), spec)[0])
        if not MEDIAN_MJD_RANGE[0] <= middle <= MEDIAN_MJD_RANGE[1]:
            raise BadInput(
                f'{column} is declared as time_unit = "{spec.time_unit}", time_zero = "{spec.time_zero}", '
                f"but its median {median:.10g} would be MJD {middle:.10g}: {_suggestion(median)}"
            )


def _check_span(spec: DatasetSpec, span: float, column: str) -> None:
    if span * DAYS_PER_UNIT[spec.time_unit] <= MAX_SPAN_DAY:
        return
    years = span * DAYS_PER_UNIT[spec.time_unit] / 365.25
    shorter = [unit for unit in ("h", "min", "s") if span * DAYS_PER_UNIT[unit] <= MAX_SPAN_DAY]
    unit = "s" if "s" in shorter and spec.time_unit == "d" else next(iter(shorter), "s")
    raise BadInput(
        f'{column} is declared as time_unit = "{spec.time_unit}", but spans {years:,.0f} years: '
        f'the values look like seconds or another short unit, set time_unit = "{unit}" in dataset.toml.'
    )


def _suggestion(median: float) -> str:
    for unit, zero, zero_mjd in SCALES:
        if LIKELY_MJD_RANGE[0] <= median * DAYS_PER_UNIT[unit] + zero_mjd <= LIKELY_MJD_RANGE[1]:
            looks = {"d": "days", "s": "seconds", "h": "hours", "min": "minutes", "yr": "years"}[unit]
            return f'the values look like {looks}; set time_unit = "{unit}" and time_zero = "{zero}" in dataset.toml.'
    return 'set the time_unit and time_zero of the file, or time_zero = "arbitrary" where it is unknown.'
