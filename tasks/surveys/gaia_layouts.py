"""Gaia epoch photometry as DataLink and the CDN write it, whatever the layout: one row per transit and band.

Layouts are told by their columns, and columns by their names; their order means nothing:
- wide: one row per transit (today's INDIVIDUAL / DATAMODEL_STANDARD), one file per source;
- long: one row per transit and band (INDIVIDUAL before March 2025, and DR2);
- raw: one row per source, cells are arrays over its transits (RAW / DATAMODEL_GAIA, and the files of the CDN). It has
  no rejected_by_photometry: a G flux counts as rejected when every CCD of the transit is rejected or unavailable, BP
  and RP when their own flag says so; other_flags is put together from the single flags, by the long layout's numbers.

What a release calls the columns stands in its file (gaia_dr3.toml, gaia_dr4.toml).
Sources: Gaia DR3 documentation, data model of `epoch_photometry`; recorded products for DataLink's file names and
brackets (CSV "(1.0, 2.0)", ECSV "[1.0,2.0]") and for the bits of other_flags (ivoa_gaia_multiband.xml, DR2).
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from tasks.archives.errors import BadQuestion, Retryable
from tasks.surveys.gaia_arrays import (
    FLAG_TYPES,
    MADE_FLAGS,
    as_text,
    conversion,
    has_arrays,
    read_table,
    transits,
    with_flags,
)
from tasks.surveys.gaia_files import below_comments, group_by_header, join_files, list_members, split_header
from tasks.surveys.gaia_release import BANDS, GaiaRelease
from tasks.surveys.gaia_releases import FIRST, RELEASES
from tasks.surveys.gaia_roles import BOOL, F64, LONG, BandRoles, Roles, find_roles, in_days, read_flag

BLOCK = 1 << 23  # bytes of a CDN file that are read at a time; a source has some 30,000, the comments above as many
EPOCHS = pa.schema(
    [
        ("source_id", LONG),
        ("transit_id", LONG),
        ("band", pa.int8()),  # index into BANDS
        ("time", F64),  # BJD_TCB minus the release's zero, day
        ("flux", F64),  # electron/s
        ("flux_over_error", F64),
        ("mag", F64),  # Vega
        ("rejected_by_photometry", BOOL),
        ("rejected_by_variability", BOOL),
        ("other_flags", LONG),  # bits of the long layout
        ("few_ccds", BOOL),  # fewer than FEW_CCDS, where their number is told
    ]
)
FEW_CCDS = 3  # of the nine (or eight) that a transit crosses in G
LONG_TYPES = {
    "source_id": LONG, "transit_id": LONG, "band": pa.string(), "time": F64, "mag": F64, "flux": F64, "flux_error": F64,
    "flux_over_error": F64, "rejected_by_photometry": BOOL, "rejected_by_variability": BOOL, "other_flags": LONG,
}  # fmt: skip
LONG_NEEDS = set(LONG_TYPES) - {"source_id", "flux_error", "other_flags"}
FLAG_NAMES = ("rejected_by_photometry", "rejected_by_variability")
NOT_READ = {"solution_id", "source_id", "n_transits", "g_n_obs"}  # columns that say nothing of what is kept


@dataclass(eq=False)
class EpochReader:
    """Reads DataLink's answers about a release; threads may share it.

    `unread` are the columns that it met and no role has, `lacking` the flags that it looked for in vain, with the band.
    """

    release: GaiaRelease
    unread: set[str] = field(default_factory=set)
    lacking: set[tuple[str, str]] = field(default_factory=set)

    def __call__(self, answer: bytes) -> pa.Table:
        """Every measured flux in a zip of CSV files, columns EPOCHS, in the order of the files and bands.

        A source without a product has no file: an empty zip gives no rows. Raises Retryable where the answer is no zip
        or a file of it is broken, BadQuestion where a file has none of the layouts above.
        """
        parts = [EPOCHS.empty_table()]
        files = list_members(answer, self.release.datalink.retrieval_type)
        for header, group in group_by_header(files).items():
            try:
                parts.append(self._read(*join_files(header, group)))
            except pa.ArrowInvalid as error:
                raise Retryable(f"Gaia's epoch photometry cannot be read: {error}.") from None
        epochs = pa.concat_tables(parts).combine_chunks()
        days = pa.array(in_days(epochs["time"].to_numpy(), self.release.time), from_pandas=True)
        return epochs.set_column(EPOCHS.get_field_index("time"), EPOCHS.field("time"), days)

    def _read(self, body: bytes, source_id: NDArray[np.int64] | None) -> pa.Table:
        """EPOCHS of one CSV document in any layout; `source_id` (rows,) where it has no such column."""
        names = body[: body.index(b"\n")].decode().split(",")
        if {"band", "time"} <= set(names):
            return _long(read_table(body, _long_kinds(names), source_id, is_raw=False))
        is_raw = has_arrays(body)
        roles = self._roles(names, is_raw)
        kinds = _kinds_of(names, roles, is_raw)
        table = read_table(body, kinds, source_id, is_raw)
        return _stack(_unfold(table, roles, kinds) if is_raw else table, roles)

    def _roles(self, names: Sequence[str], is_raw: bool) -> Roles:
        """The roles of the columns; what is not read, and which flags are not there, is remembered for the notes."""
        columns, is_here = self.release.epochs, not self.release.datalink.flags_type
        made = MADE_FLAGS if is_raw and (columns.needs_flags or not FLAG_TYPES.keys().isdisjoint(names)) else ()
        roles = find_roles([*names, *made], columns, is_here)
        if not columns.needs_flags:
            self.unread |= set(names) - roles.kinds.keys() - FLAG_TYPES.keys() - NOT_READ
        for band, mine in roles.bands.items():
            self.lacking |= set() if mine.reject else {("rejected_by_photometry", band)}
            self.lacking |= set() if mine.variability or not is_here else {("rejected_by_variability", band)}
        return roles

    def notes(self) -> tuple[str, ...]:
        """What the user should know of the layout."""
        name, unread = self.release.name, ", ".join(sorted(self.unread))
        without = {flag: [band for band in BANDS if (flag, band) in self.lacking] for flag in FLAG_NAMES}
        lacking = [f"{flag} ({', '.join(bands)})" for flag, bands in without.items() if bands]
        found = [f"{name}: epochs have no flag {' nor '.join(lacking)}: those cuts removed nothing."] if lacking else []
        return (*found, *([f"{name}: columns of the epochs that nothing reads: {unread}."] if unread else ()))


def read_datalink(answer: bytes) -> pa.Table:
    """EPOCHS of an answer of DataLink about the first release."""
    return EpochReader(RELEASES[FIRST])(answer)


def read_cdn(body: bytes, wanted: NDArray[np.int64] | None = None, release: GaiaRelease = RELEASES[FIRST]) -> pa.Table:
    """Every measured flux in a file of Gaia's CDN (gzipped ECSV in the raw layout), columns EPOCHS.

    `wanted` keeps the sources with these ids only; the others' arrays are not even parsed. A file unpacks to some
    80 MB, of which no more than a block is held at a time. Raises Retryable for a file that is not whole.
    """
    parts = [EPOCHS.empty_table()]
    try:
        for block, roles, kinds in _blocks(body, release):
            if wanted is not None:
                block = block.filter(pc.is_in(block["source_id"], pa.array(wanted)))
            if block.num_rows:
                parts.append(_stack(_unfold(block, roles, kinds), roles))
    except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
        raise Retryable(f"A file of Gaia's CDN cannot be unpacked: {error}.") from None
    return pa.concat_tables(parts).combine_chunks()


def _blocks(body: bytes, release: GaiaRelease) -> Iterator[tuple[pa.Table, Roles, Mapping[str, pa.DataType]]]:
    """The rows of a CDN file, a block at a time, cells as text but for source_id; with their roles and types."""
    start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, BLOCK)  # 16: gzip's own header
    header, rows = split_header(start)
    if not rows:  # a file about a range of the sky without a source
        _check_whole(body)
        return
    names = header.decode().split(",")
    roles = find_roles([*names, *MADE_FLAGS], release.epochs)
    kinds = _kinds_of(names, roles, True)
    skipped = 1 + start.count(b"\n", 0, below_comments(start))
    options = pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names, skip_rows=skipped)
    unpacked = pa.CompressedInputStream(pa.BufferReader(body), "gzip")
    with pacsv.open_csv(unpacked, options, None, conversion(as_text(kinds))) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch]), roles, kinds


def _check_whole(body: bytes) -> None:
    """Unpacks a file a block at a time, and raises what is wrong with it."""
    with gzip.open(io.BytesIO(body)) as unpacked:
        while unpacked.read(BLOCK):
            pass


def _kinds_of(names: Sequence[str], roles: Roles, is_raw: bool) -> dict[str, pa.DataType]:
    """The columns to read of those that are there, and their types."""
    wanted = {"source_id": LONG, **roles.kinds, **(FLAG_TYPES if is_raw else {})}
    return {name: kind for name, kind in wanted.items() if name in names}


def _unfold(table: pa.Table, roles: Roles, kinds: Mapping[str, pa.DataType]) -> pa.Table:
    """One row per transit of raw rows; with the flags of transits that are put together from those of their CCDs."""
    unfolded = transits(table, kinds, roles.transit_id)
    made = roles.kinds.keys() & set(MADE_FLAGS) - set(table.column_names)
    return with_flags(unfolded) if made else unfolded


def _stack(table: pa.Table, roles: Roles) -> pa.Table:
    """EPOCHS of transits in the wide form: first all G, then BP, then RP; a null flux is no epoch."""
    return pa.concat_tables([_band(table, roles, code) for code in range(len(BANDS))])


def _band(table: pa.Table, roles: Roles, code: int) -> pa.Table:
    mine: BandRoles = roles.bands[BANDS[code]]
    columns = {role: table[name] for role, name in mine.columns.items()}
    columns |= {"source_id": table["source_id"], "transit_id": table[roles.transit_id]}
    columns["rejected_by_photometry"] = read_flag(table, mine.reject)
    columns["rejected_by_variability"] = read_flag(table, mine.variability)
    return _complete(pa.table(columns), np.full(table.num_rows, code, np.int8))


def _long_kinds(names: Sequence[str]) -> dict[str, pa.DataType]:
    """The columns of the long layout that are there; BadQuestion where one that must be is not."""
    if missing := [name for name in LONG_TYPES if name in LONG_NEEDS and name not in names]:
        raise BadQuestion(
            f"Gaia's epoch photometry has another layout than any known (long comes nearest): it lacks {len(missing)} "
            f"columns, first {missing[0]!r}; it has {', '.join(names)[:300]}."
        )
    return {name: kind for name, kind in LONG_TYPES.items() if name in names}


def _long(table: pa.Table) -> pa.Table:
    code = pc.index_in(table["band"], pa.array(BANDS))
    if code.null_count:
        word = table["band"].filter(pc.is_null(code))[0].as_py()
        raise BadQuestion(f"Gaia's epoch photometry is in a band {word!r}; known are {', '.join(BANDS)}.")
    return _complete(table.drop_columns("band"), code.to_numpy().astype(np.int8))


def _complete(table: pa.Table, code: NDArray[np.int8]) -> pa.Table:
    """One band's or all bands' rows with the columns of EPOCHS; rows without a flux are left out."""
    n = table.num_rows
    ratio = table["flux_over_error"] if "flux_over_error" in table.column_names else pa.nulls(n, F64)
    if "flux_error" in table.column_names:
        ratio = pc.coalesce(ratio, pc.divide(table["flux"], table["flux_error"]))
    flags = table["other_flags"] if "other_flags" in table.column_names else pa.array(np.zeros(n, np.int64))
    few = pc.less(table["n_ccd"], FEW_CCDS) if "n_ccd" in table.column_names else pa.array(np.zeros(n, bool))
    columns = {
        **{name: table[name] for name in ("source_id", "transit_id", "time", "flux", "mag")},
        "band": pa.array(code),
        "flux_over_error": ratio,
        **{name: pc.fill_null(table[name], False) for name in FLAG_NAMES},
        "other_flags": pc.fill_null(pc.cast(flags, LONG), 0),
        "few_ccds": pc.fill_null(few, False),
    }
    rows = pa.table([columns[field.name] for field in EPOCHS], schema=EPOCHS)
    return rows.filter(pc.is_valid(rows["flux"]))
