"""Tests of the epochs: products, their columns, their times against those of DR3, and speed."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from schemas.arrays import floats
from tasks.archives.errors import BadQuestion
from tasks.surveys.gaia_check.asking import read_product
from tasks.surveys.gaia_check.findings import Findings, Line, Status
from tasks.surveys.gaia_files import product_of
from tasks.surveys.gaia_layouts import NOT_READ, EpochReader
from tasks.surveys.gaia_releases import FIRST, RELEASES
from tasks.surveys.gaia_roles import find_roles

STARS = 20
TRANSIT = ["source_id", "transit_id"]  # what names a transit
NEAR_DAY = 30.0 / 86_400.0  # of one transit in two releases
NEAR_MAG, SHARED = 0.05, 0.8


def ask_one(found: Findings) -> Iterator[Line]:
    """The product of one star: which files, which columns, and which of them no role has."""
    ids = list_stars(found)[:1]
    if not ids:
        yield Line(Status.SKIPPED, "no star with epochs to ask about")
        return
    datalink = found.release.datalink
    try:
        body = found.ask.products(ids, datalink.retrieval_type, datalink.release)
    except BadQuestion as error:
        yield Line(Status.MISSING, str(error), "there are no light curves yet: try again later", True)
        return
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        kinds = Counter(product_of(name) for name in archive.namelist())
    rows = read_product(body, datalink.retrieval_type)
    if not rows.num_rows:
        yield Line(
            Status.MISSING, f"files {dict(kinds)}, none of {datalink.retrieval_type} with rows", "datalink", True
        )
        return
    yield Line(Status.OK, f"{rows.num_rows} transits of {ids[0]}; files {dict(kinds)}")
    yield _look_at_columns(found, rows)


def _look_at_columns(found: Findings, rows: pa.Table) -> Line:
    try:
        roles = find_roles(rows.column_names, found.release.epochs, not found.release.datalink.flags_type)
    except BadQuestion as error:
        return Line(Status.MISSING, str(error), "epochs.G.time, .flux, .flux_over_error, .mag and so on", True)
    unread = sorted(set(rows.column_names) - set(roles.kinds) - NOT_READ)
    shown = ", ".join(f"{name} ({', '.join(map(str, rows[name].to_pylist()[:3]))})" for name in unread)
    return Line(Status.OK, f"all roles have a column; unread: {shown or 'none'}")


def list_stars(found: Findings) -> list[int]:
    """Ids of stars with epochs in this release, and a number in the first."""
    if found.rows is None:
        return []
    rows = found.rows.filter(pc.fill_null(found.rows["has_epoch_photometry"], False))
    name = f"{FIRST}_source_id"
    if name in rows.column_names:
        rows = rows.filter(pc.is_valid(rows[name]))
    ids: list[int] = rows["source_id"].to_pylist()[:STARS]
    return ids


def ask_some(found: Findings) -> Iterator[Line]:
    """Twenty stars in one request: bytes and seconds of each, and whether a request of a run is answered in time."""
    ids, datalink, limits = list_stars(found), found.release.datalink, found.release.limits
    if not ids:
        yield Line(Status.SKIPPED, "no stars with epochs to ask about")
        return
    body = found.ask.products(ids, datalink.retrieval_type, datalink.release)
    found.epochs = read_product(body, datalink.retrieval_type)
    each, seconds = len(body) / len(ids), found.ask.seconds / len(ids)
    chunk = limits.datalink_chunk or 1000
    seen = f"{each / 1024:.1f} KiB and {seconds:.2f} s a source; {chunk} of them {chunk * seconds:,.0f} s"
    most = 0.5 * (limits.datalink_timeout_s or 600.0)
    if chunk * seconds < most:
        yield Line(Status.OK, seen)
        return
    fewer = max(1, int(most / seconds))
    found.change(("limits", "datalink_chunk"), fewer, f"a source takes {seconds:.1f} s")
    yield Line(Status.DIFFERENT, seen, f"limits.datalink_chunk = {fewer}")


def compare_times(found: Findings) -> Iterator[Line]:
    """The same stars in the first release: shared transits prove unit, zero and scale of times, and the magnitudes."""
    if found.epochs is None or not found.epochs.num_rows:
        yield Line(Status.SKIPPED, "no epochs to compare")
        return
    first, release = RELEASES[FIRST], found.release
    ids = _first_ids(found)
    body = found.ask.products(list(ids.values()), first.datalink.retrieval_type, first.datalink.release)
    found.epochs_before = _renumber(read_product(body, first.datalink.retrieval_type), ids)
    before = _renumber(EpochReader(first)(body), ids)
    now = _read_epochs(found)
    joined = _in_g(before).join(_in_g(now), TRANSIT, right_suffix="_now", join_type="inner")
    shared = joined.num_rows / max(_in_g(before).num_rows, 1)
    apart = _median_apart(joined, "time"), _median_apart(joined, "mag")
    seen = (
        f"{shared:.0%} of {_in_g(before).num_rows} transits of {first.name} are there; they differ by "
        f"{apart[0] * 86_400:.3g} s and {apart[1]:.3f} mag"
    )
    if shared > SHARED and apart[0] < NEAR_DAY and apart[1] < NEAR_MAG:
        yield Line(Status.OK, f"{seen}: unit, zero and scale are proven ({release.time.unit})")
    else:
        yield Line(Status.DIFFERENT, seen, "time.unit, time.zero_jd, epochs.G")


def _read_epochs(found: Findings) -> pa.Table:
    """EPOCHS of this release's stars, by the release as it is known now."""
    datalink = found.release.datalink
    reader = EpochReader(found.release)
    return reader(_zipped(found.epochs, datalink.retrieval_type))


def _zipped(rows: pa.Table | None, kind: str) -> bytes:
    sink, text = io.BytesIO(), io.BytesIO()
    pacsv.write_csv(rows, text)
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr(f"{kind}_RAW.csv", text.getvalue())
    return sink.getvalue()


def _first_ids(found: Findings) -> dict[int, int]:
    """The number in the first release by that in this one."""
    assert found.rows is not None
    name = f"{FIRST}_source_id" if f"{FIRST}_source_id" in found.rows.column_names else "source_id"
    pairs = zip(found.rows["source_id"].to_pylist(), found.rows[name].to_pylist(), strict=True)
    known = {this: first for this, first in pairs if first is not None}
    return {one: known[one] for one in list_stars(found)}


def _renumber(rows: pa.Table, ids: dict[int, int]) -> pa.Table:
    """Rows of the first release by the numbers of this one; `ids` has those of the first by them."""
    this = {first: one for one, first in ids.items()}
    numbers = pa.array([this.get(id, id) for id in rows["source_id"].to_pylist()], pa.int64())
    return rows.set_column(rows.schema.get_field_index("source_id"), "source_id", numbers)


def _in_g(epochs: pa.Table) -> pa.Table:
    return epochs.filter(pc.equal(epochs["band"], 0)).select([*TRANSIT, "time", "mag"])


def _median_apart(joined: pa.Table, name: str) -> float:
    apart = np.abs(floats(joined[name]) - floats(joined[f"{name}_now"]))
    return float(np.nanmedian(apart)) if np.isfinite(apart).any() else np.nan


def ask_without(found: Findings) -> Iterator[Line]:
    """A source that has no epochs, by its flag: it has no file, and is no error."""
    alias, column = found.release.asked_columns["has_epoch_photometry"]
    word = found.release.true_literal
    if "t" not in word:
        yield Line(Status.SKIPPED, f"false is not known, true is {word}")
        return
    no = word.replace("true", "false").replace("'t'", "'f'")
    rows = found.ask.rows(f"SELECT TOP 1 source_id FROM {found.release.tables[alias]} WHERE {column} = {no}")
    if not rows.num_rows:
        yield Line(Status.SKIPPED, "every source has epochs")
        return
    id, datalink = rows["source_id"][0].as_py(), found.release.datalink
    body = found.ask.products([id, *list_stars(found)[:1]], datalink.retrieval_type, datalink.release)
    n = (
        pc.sum(pc.equal(read_product(body, datalink.retrieval_type)["source_id"], id)).as_py()
        if list_stars(found)
        else 0
    )
    yield Line(Status.DIFFERENT if n else Status.OK, f"{id}, whose flag is false, has {n or 'no'} transits")
