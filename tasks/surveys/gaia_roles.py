"""Which columns of a file of epochs mean what: the first candidate of a release that the file has, for each role."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tasks.archives.errors import BadQuestion
from tasks.surveys.gaia_release import BandColumns, EpochColumns, FlagColumn, TimeScale

F64, LONG, BOOL = pa.float64(), pa.int64(), pa.bool_()
NUMBERS = ("time", "flux", "flux_error", "flux_over_error", "mag")
COUNTS = ("other_flags", "n_ccd")
NS_A_DAY = 86_400e9
NS_FROM = 1e9  # no time in days is as large, none of the mission in nanoseconds as small
SHARE_INSIDE = 0.99  # of times that must lie inside of the mission, for a unit to be the right one


@dataclass(frozen=True)
class BandRoles:
    """Columns of one band, by role; None for flags that the file does not have."""

    columns: dict[str, str]
    reject: FlagColumn | None
    variability: FlagColumn | None

    @property
    def kinds(self) -> dict[str, pa.DataType]:
        """The columns to read, and their types."""
        found = {name: LONG if role in COUNTS else F64 for role, name in self.columns.items()}
        flags = (flag for flag in (self.reject, self.variability) if flag)
        return found | {flag.column: BOOL if flag.bit is None else LONG for flag in flags}


@dataclass(frozen=True)
class Roles:
    """Columns of a file by what they mean."""

    transit_id: str
    bands: dict[str, BandRoles]

    @property
    def kinds(self) -> dict[str, pa.DataType]:
        """Every column to read but source_id, and its type."""
        found = {self.transit_id: LONG}
        for roles in self.bands.values():
            found |= roles.kinds
        return found


def find_roles(names: Sequence[str], columns: EpochColumns, has_variability: bool = True) -> Roles:
    """The roles of the columns `names` of a file; BadQuestion where one that must be there is not.

    `has_variability`: the flags of the variability processing are looked for here, and not in a product of their own.
    """
    here = set(names)
    bands = {band: _find_band(here, of, has_variability) for band, of in columns.by_band.items()}
    roles = Roles(_first(columns.transit_id, here) or columns.transit_id[0], bands)
    lacking = list(dict.fromkeys(_list_missing(here, columns, roles, has_variability)))
    if lacking:
        raise BadQuestion(
            f"Gaia's epoch photometry has another layout than any known: it lacks {len(lacking)} columns, first "
            f"{lacking[0]!r}; it has {', '.join(names)[:300]}. A release file can name them (docs/archives.md)."
        )
    return roles


def _find_band(here: Collection[str], of: BandColumns, has_variability: bool) -> BandRoles:
    columns = {role: name for role in (*NUMBERS, *COUNTS) if (name := _first(getattr(of, role), here))}
    reject = next((flag for flag in of.reject if flag.column in here), None)
    variability = next((flag for flag in of.variability if has_variability and flag.column in here), None)
    return BandRoles(columns, reject, variability)


def _first(candidates: Sequence[str], here: Collection[str]) -> str | None:
    return next((name for name in candidates if name in here), None)


def _list_missing(here: Collection[str], columns: EpochColumns, roles: Roles, has_variability: bool) -> Iterator[str]:
    """The first candidate of every role that must have a column and has none."""
    yield from () if roles.transit_id in here else (roles.transit_id,)
    for band, of in columns.by_band.items():
        mine = roles.bands[band]
        for role, candidates in of.required.items():
            if role not in mine.columns and not (role == "flux_over_error" and "flux_error" in mine.columns):
                yield candidates[0] if candidates else f"{band} {role}"
        if columns.needs_flags:
            yield from () if mine.reject else (of.reject[-1].column,)
            yield from () if mine.variability or not has_variability else (of.variability[-1].column,)


def read_flag(table: pa.Table, flag: FlagColumn | None) -> pa.Array | pa.ChunkedArray:
    """True where an epoch is rejected, (N,): nowhere without a flag, nor where it is null.

    Masks of 16 bits that came as negative numbers have the bits that they would have as positive ones.
    """
    if flag is None:
        return pa.array(np.zeros(table.num_rows, bool))
    values = table[flag.column]
    if flag.bit is not None:
        values = pc.equal(pc.bit_wise_and(pc.shift_right(values, flag.bit), 1), 1)
    return pc.fill_null(pc.equal(values, flag.when), False)


def in_days(time: NDArray[np.float64], scale: TimeScale) -> NDArray[np.float64]:
    """Times (N,) in days; nanoseconds where the scale, or their size, says so.

    As float64 nanoseconds are exact to 32 ns. Raises BadQuestion for a mixture of both, and where a unit that their
    size decided leaves more than one in 100 outside of the mission.
    """
    if scale.unit != "auto":
        return time / NS_A_DAY if scale.unit == "ns" else time
    known = np.abs(time[np.isfinite(time)])
    if not known.size:
        return time
    n_large = int(np.count_nonzero(known > NS_FROM))
    if 1 - SHARE_INSIDE < n_large / known.size < SHARE_INSIDE:
        raise BadQuestion(
            f"Gaia's epoch photometry mixes units of time: {n_large:,} of {known.size:,} times are above {NS_FROM:g}."
        )
    days = time / NS_A_DAY if n_large > known.size / 2 else time
    first, last = scale.range_day
    n_inside = int(np.count_nonzero((days > first) & (days < last)))
    if n_inside < SHARE_INSIDE * known.size:
        raise BadQuestion(
            f"Gaia's epoch photometry has {known.size - n_inside:,} of {known.size:,} times outside of {first:g} to "
            f"{last:g} day: name their unit and zero in a release file (time.unit, time.zero_jd, time.range_day)."
        )
    return days
