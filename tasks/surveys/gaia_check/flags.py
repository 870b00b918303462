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
from tasks.surveys.gaia_release import BANDS
from tasks.surveys.gaia_roles import find_roles

FLAGS_TYPE = "EPOCH_FLAGS_VARI"
FEWEST = 3  # rejected transits that tell the sense of a flag
ALIKE = 0.9  # share of transits rejected by one flag that another rejects too, both ways
BITS = 16


def prove_flags(found: Findings) -> Iterator[Line]:
    """Which unread column rejects what the first release's photometric processing rejects, and in which sense."""
    if found.epochs is None or found.epochs_before is None:
        yield Line(Status.SKIPPED, "no epochs of both releases to compare")
        return
    roles = find_roles(found.epochs.column_names, found.release.epochs, False)
    lacking = [band for band in BANDS if roles.bands[band].reject is None]
    if not lacking:
        yield Line(Status.OK, "rejected by photometry: " + ", ".join(str(roles.bands[b].reject.column) for b in BANDS))  # type: ignore[union-attr]
        return
    unread = [name for name in found.epochs.column_names if name not in roles.kinds and name not in NOT_READ]
    joined = _joined_flags(found.epochs, found.epochs_before, unread, ["rejected_by_photometry"])
    told = {name: find_sense(joined, name, "rejected_by_photometry") for name in unread}
    yield from _set_flags(found, "reject", lacking, {name: flag for name, flag in told.items() if flag})


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
        joined = _joined_flags(rows, found.epochs_before, names, [known])
        told = {name: flag for name in names_of_band(names, band) if (flag := find_sense(joined, name, known))}
        if mine is None:
            yield from _set_flags(found, "variability", [band], told)
        elif told and mine.column in told and told[mine.column]["when"] != mine.when:
            yield from _set_flags(found, "variability", [band], {mine.column: told[mine.column]})
        else:
            yield Line(Status.OK, f"rejected by variability in {band}: {mine.column} is {mine.when}")


def names_of_band(names: Sequence[str], band: str) -> list[str]:
    """The names that speak of a band; where none does, those that speak of no other band."""
    words = {name: set(name.lower().split("_")) & {one.lower() for one in BANDS} for name in names}
    return [name for name in names if band.lower() in words[name]] or [name for name in names if not words[name]]


def _joined_flags(now: pa.Table, before: pa.Table, names: Sequence[str], known: Sequence[str]) -> pa.Table:
    """Flags of the transits that both releases have."""
    left = before.select([*TRANSIT, *known])
    return left.join(now.select([*TRANSIT, *names]), TRANSIT, right_suffix="_now", join_type="inner")


def find_sense(joined: pa.Table, name: str, known: str) -> dict[str, Any] | None:
    """The flag that rejects what `known` rejects, in either sense or by one bit; None where it does not."""
    column = joined[f"{name}_now" if f"{name}_now" in joined.column_names else name]
    is_known = joined[known].fill_null(False).to_numpy().astype(bool)
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


def _set_flags(found: Findings, role: str, bands: Sequence[str], told: dict[str, dict[str, Any]]) -> Iterator[Line]:
    """A flag for each band, the one whose name speaks of it; and a line about all of them."""
    words = []
    for band in bands:
        names = names_of_band(list(told), band)
        if names:
            flag = told[names[0]]
            found.change(("epochs", band, role), [flag], "it rejects what the first release rejects")
            words.append(f"{band} {flag}")
    if words:
        yield Line(Status.DIFFERENT, f"{role}: {'; '.join(words)}", f"epochs.{'/'.join(bands)}.{role}")
    else:
        yield Line(Status.UNKNOWN, f"no column tells what is rejected ({role}, {', '.join(bands)}): those cuts remove "
                                   "nothing", f"epochs.{'/'.join(bands)}.{role}")  # fmt: skip
