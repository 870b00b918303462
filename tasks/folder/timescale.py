"""Days from whatever a file counts in, and the sentence for a file that counts in something else than declared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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
MAX_STEP_DAY = 0.1  # of stored times, beyond which periods of pulsators and binaries cannot be searched
NOTED_STEP_DAY = 0.001


@dataclass(frozen=True)
class Scale:
    """A way to count time that people use: unit, zero point, MJD of that zero, and when it could be observed."""

    unit: str
    zero: str
    zero_mjd: float
    first: float = LIKELY_MJD_RANGE[0]
    last: float = LIKELY_MJD_RANGE[1]
    of: str = ""


SCALES = (
    Scale("d", "mjd", 0.0), Scale("d", "jd", -MJD_ZERO_JD), Scale("d", "jd-2400000", 2_400_000 - MJD_ZERO_JD),
    Scale("d", "jd-2450000", 2_450_000 - MJD_ZERO_JD), Scale("d", "jd-2440000", 2_440_000 - MJD_ZERO_JD),
    Scale("d", "jd-2457000", 2_457_000 - MJD_ZERO_JD, 58_300.0, of="TESS"),  # from July 2018
    Scale("d", "jd-2454833", 2_454_833 - MJD_ZERO_JD, 54_900.0, 58_450.0, "Kepler"),  # March 2009 to November 2018
    Scale("d", "jd-2455197.5", 55_197.0, 56_850.0, 60_700.0, "Gaia"),  # July 2014 to January 2025
    Scale("s", "mjd", 0.0), Scale("s", "jd", -MJD_ZERO_JD), Scale("h", "mjd", 0.0), Scale("min", "mjd", 0.0),
    Scale("s", "jd-2440587.5", 40_587.0, 47_892.0, of="Unix time"), Scale("yr", "jd-1721045", 1_721_045 - MJD_ZERO_JD),
)  # fmt: skip
UNITS = {"d": "days", "s": "seconds", "h": "hours", "min": "minutes", "yr": "years"}


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

    `low`, `median`, `high` are the 1, 50 and 99 per cent quantiles of the raw values of the time column, of those that
    are MJD already where JD stand among them.
    """
    column = f"{where}: column {spec.lightcurves.time!r}"
    if spec.kind == "phase":
        if not PHASE_RANGE[0] <= median <= PHASE_RANGE[1]:
            raise BadInput(
                f"{column} is declared as phase, but half of its values are beyond {median:g}: "
                f'if these are times set kind = "time" in dataset.toml.'
            )
    elif spec.zero_mjd is None:
        _check_span(spec, low, median, high, column)
    else:
        middle = float(days(np.array([median]), spec)[0])
        if not MEDIAN_MJD_RANGE[0] <= middle <= MEDIAN_MJD_RANGE[1]:
            raise BadInput(
                f'{column} is declared as time_unit = "{spec.time_unit}", time_zero = "{spec.time_zero}", '
                f"but its median {median:.10g} would be MJD {middle:.10g}: {_suggestion(median, spec.time_zero)}"
            )


def check_step(spec: DatasetSpec, step: float, where: str) -> list[str]:
    """What to say of times in steps of `step` (of the file's unit), as a number of 32 bits has them; 0 for none.

    Raises BadInput where no period could be found in such times.
    """
    step_day = step * DAYS_PER_UNIT[spec.time_unit]
    stored = f"are stored as numbers of 32 bits, in steps of {step_day:.2g} d"
    if step_day > MAX_STEP_DAY and not spec.coarse_time:
        raise BadInput(
            f"{where}: times of column {spec.lightcurves.time!r} {stored}: no period below {5 * step_day:.2g} d can "
            "be found; write them anew as float64 from where they come from, or set coarse_time = true in dataset.toml "
            "if that is enough."
        )
    return [f"The times of {Path(where).name} {stored}."] if step_day > NOTED_STEP_DAY else []


def _check_span(spec: DatasetSpec, low: float, median: float, high: float, column: str) -> None:
    span = high - low
    if span * DAYS_PER_UNIT[spec.time_unit] <= MAX_SPAN_DAY:
        return
    is_jd_or_short = JD_FROM < high < 2 * JD_FROM and not MJD_RANGE[1] < median < JD_FROM
    if spec.time_unit == "d" and low < JD_FROM and is_jd_or_short:  # times in seconds lie in between too
        raise BadInput(
            f"{column} goes from {low:.10g} to {high:.10g}: some times look like JD, the others count from another "
            "zero; write them anew from one, or set time_zero in dataset.toml to that of the rows which are to be read."
        )
    years = span * DAYS_PER_UNIT[spec.time_unit] / 365.25
    shorter = [unit for unit in ("h", "min", "s") if span * DAYS_PER_UNIT[unit] <= MAX_SPAN_DAY]
    unit = "s" if "s" in shorter and spec.time_unit == "d" else next(iter(shorter), "s")
    raise BadInput(
        f'{column} is declared as time_unit = "{spec.time_unit}", but spans {years:,.0f} years: '
        f'the values look like seconds or another short unit, set time_unit = "{unit}" in dataset.toml.'
    )


def _suggestion(median: float, declared: str) -> str:
    """What the times may be: every scale in which they fit."""
    fitting = [s for s in SCALES if s.first <= median * DAYS_PER_UNIT[s.unit] + s.zero_mjd <= s.last]
    if not fitting:
        return 'set the time_unit and time_zero of the file, or time_zero = "arbitrary" where it is unknown.'
    light = declared[0] if declared[:3] in ("hjd", "bjd") else ""  # heliocentric stays heliocentric
    advice = []
    for unit in dict.fromkeys(s.unit for s in fitting):
        zeros = [(light + s.zero if s.zero.startswith("jd") else s.zero, s.of) for s in fitting if s.unit == unit]
        named = " or ".join(f'time_zero = "{zero}"' + (f" ({of})" if of else "") for zero, of in zeros)
        advice.append(f'time_unit = "{unit}" and {named}')
    which = " (the one that the file counts from)" if len(fitting) > 1 else ""
    looks = " or ".join(dict.fromkeys(UNITS[s.unit] for s in fitting))
    return f"the values look like {looks}; set {', or '.join(advice)} in dataset.toml{which}."
