"""Tests of flags: which columns of the epochs, and of a product of their own, reject what DR3 rejects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from tasks.archives.errors import ArchiveError
from tasks.surveys.gaia_check.asking import read_product
from tasks.surveys.gaia_check.epochs import TRANSIT, list_stars
from tasks.surveys.gaia_check.findings import Findings, Line, Status
from tasks.surveys.gaia_layouts import NOT_READ
from tasks.surveys.gaia_release import BANDS, FlagColumn
from tasks.surveys.gaia_roles import find_roles

FLAGS_TYPE = "EPOCH_FLAGS_VARI"
FEWEST = 3  # rejected transits that tell the sense of a flag
ALIKE = 0.9  # share of transits rejected by one flag that another rejects too, both ways
BITS = 16
KNOWN = "rejected before"


def prove_flags(found: Findings) -> Iterator[Line]:
    """Whether the flags of the epochs reject what the first release's photometric processing rejects, and in which
    sense; where none is known, which unread column does."""
    if found.epochs is None or found.epochs_before is None:
        yield Line(Status.SKIPPED, "no epochs of both releases to compare")
        return
    roles = find_roles(found.epochs.column_names, found.release.epochs, False)
    unread = [name for name in found.epochs.column_names if name not in roles.kinds and name not in NOT_READ]
    for band in BANDS:
        mine = roles.bands[band].reject
        names = [*([mine.column] if mine else []), *unread]
        joined = _joined_flags(found.epochs, found.epochs_before, names, "rejected_by_photometry")
        yield _settle(found, "reject", band, joined, mine)


def ask_flags(found: Findings) -> Iterator[Line]:
    """The product of variability flags, where there is one: its columns, and their sense by the first release's."""
    ids = list_stars(found)
    kind = found.release.datalink.flags_type or FLAGS_TYPE
    if not ids or found.epochs_before is None:
        yield Line(Status.SKIPPED, "no stars to ask about")
        return
    try:
        rows = read_product(found.ask.products(ids, kind, found.release.datalink.release), kind)
    except ArchiveError as error:
        yield from _no_flags(found, str(error))
        return
    if not rows.num_rows:
        yield from _no_flags(found, f"{kind} has no rows of {len(ids)} stars")
        return
    if not found.release.datalink.flags_type:
        found.change(("datalink", "flags_type"), kind, "DataLink serves it")
        yield Line(Status.DIFFERENT, f"{kind} is served: {', '.join(rows.column_names)}", "datalink.flags_type")
    yield from _look_at_variability(found, rows)


def _no_flags(found: Findings, why: str) -> Iterator[Line]:
    if found.release.datalink.flags_type:
        found.change(("datalink", "flags_type"), "", "there is no such product")
        yield Line(Status.DIFFERENT, why, 'datalink.flags_type = ""')
    else:
        yield Line(Status.OK, f"no flags of the variability processing of their own: {why}")


def _look_at_variability(found: Findings, rows: pa.Table) -> Iterator[Line]:
    assert found.epochs_before is not None
    names = [name for name in rows.column_names if name not in {"solution_id", *TRANSIT}]
    for band in BANDS:
        known = f"variability_flag_{band.lower()}_reject"
        mine = next((flag for flag in found.release.epochs.by_band[band].variability if flag.column in names), None)
        joined = _joined_flags(rows, found.epochs_before, names_of_band(names, band), known)
        yield _settle(found, "variability", band, joined, mine)


def names_of_band(names: Sequence[str], band: str) -> list[str]:
    """The names that speak of a band; where none does, those that speak of no other band."""
    words = {name: set(name.lower().split("_")) & {one.lower() for one in BANDS} for name in names}
    return [name for name in names if band.lower() in words[name]] or [name for name in names if not words[name]]


def _joined_flags(now: pa.Table, before: pa.Table, names: Sequence[str], known: str) -> pa.Table:
    """Flags of the transits that both releases have; what the first one rejects is the column KNOWN."""
    left = before.select([*TRANSIT, known]).rename_columns([*TRANSIT, KNOWN])
    return left.join(now.select([*TRANSIT, *names]), TRANSIT, join_type="inner").drop_columns(TRANSIT)


def find_sense(joined: pa.Table, name: str) -> dict[str, Any] | None:
    """The flag that rejects what is KNOWN to be, in either sense or by one bit; None where the column does not."""
    column, is_known = joined[name], joined[KNOWN].fill_null(False).to_numpy().astype(bool)
    if pa.types.is_boolean(column.type):
        for when in (True, False):
            if _agree(column.fill_null(not when).to_numpy().astype(bool) == when, is_known):
                return {"column": name, "when": when}
    elif pa.types.is_integer(column.type):
        bits = column.fill_null(0).to_numpy()
        for bit in range(BITS):
            if _agree((bits >> bit) & 1 == 1, is_known):
                return {"column": name, "when": True, "bit": bit}
    return None


def _agree(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> bool:
    both = int(np.count_nonzero(one & other))
    return both >= max(FEWEST, ALIKE * int(np.count_nonzero(one)), ALIKE * int(np.count_nonzero(other)))


def _settle(found: Findings, role: str, band: str, joined: pa.Table, mine: FlagColumn | None) -> Line:
    """The flag of a role in a band: the one that is known, if it rejects what it should; else one that does."""
    told = {name: flag for name in joined.column_names if name != KNOWN and (flag := find_sense(joined, name))}
    names = [mine.column] if mine and mine.column in told else names_of_band(list(told), band)
    flag, where = (told[names[0]] if names else None), f"epochs.{band}.{role}"
    if mine and flag == mine.model_dump(exclude_none=True):
        return Line(Status.OK, f"{role} in {band}: {mine.column} is {mine.when}")
    if flag:
        found.change(("epochs", band, role), [flag], "it rejects what the first release rejects")
        return Line(Status.DIFFERENT, f"{role} in {band}: {flag}", where)
    if mine:
        return Line(Status.UNKNOWN, f"{role} in {band}: {mine.column} is not seen to reject what DR3 rejects", where)
    return Line(Status.UNKNOWN, f"{role} in {band}: no column tells what is rejected; that cut removes nothing", where)
