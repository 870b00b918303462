"""Gaia epoch photometry as DataLink and the CDN write it, whatever the layout: one row per transit and band.

Layouts are told by their columns, and columns by their names; their order means nothing:
- wide: one row per transit (today's INDIVIDUAL / DATAMODEL_STANDARD), one file per source;
- long: one row per transit and band (INDIVIDUAL before March 2025, and DR2);
- raw: one row per source, cells are arrays over its transits (RAW / DATAMODEL_GAIA, and the files of the CDN). It has
  no rejected_by_photometry: a G flux counts as rejected when every CCD of the transit is rejected or unavailable, BP
  and RP when their own flag says so; other_flags is put together from the single flags, by the long layout's numbers.

Sources: Gaia DR3 documentation, data model of `epoch_photometry`; recorded products for DataLink's file names and
brackets (CSV "(1.0, 2.0)", ECSV "[1.0,2.0]") and for the bits of other_flags (ivoa_gaia_multiband.xml, DR2).
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
from numpy.typing import NDArray

from tasks.archives.errors import BadQuestion, Retryable
from tasks.surveys.gaia_arrays import FLAG_TYPES, conversion, transits, with_flags

BANDS = ("G", "BP", "RP")
BLOCK = 1 << 23  # bytes of a CDN file that are read at a time; a source has some 30,000, the comments above as many
_COMMENTS = re.compile(rb"(?:#[^\n]*(?:\n|\Z))*")
PRODUCT = "EPOCH_PHOTOMETRY"  # what the names of its files begin with, in every release so far
F64, LONG, BOOL = pa.float64(), pa.int64(), pa.bool_()
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
    ]
)
LONG_TYPES = {
    "source_id": LONG, "transit_id": LONG, "band": pa.string(), "time": F64, "mag": F64, "flux": F64, "flux_error": F64,
    "flux_over_error": F64, "rejected_by_photometry": BOOL, "rejected_by_variability": BOOL, "other_flags": LONG,
}  # fmt: skip
TIME = {"G": "g_transit_time", "BP": "bp_obs_time", "RP": "rp_obs_time"}
PREFIX = {"G": "g_transit", "BP": "bp", "RP": "rp"}
BAND_TYPES = {
    **{name: F64 for name in TIME.values()},
    **{
        f"{prefix}_{name}": F64
        for prefix in PREFIX.values()
        for name in ("flux", "flux_error", "flux_over_error", "mag")
    },
    **{f"variability_flag_{band.lower()}_reject": BOOL for band in BANDS},
}
WIDE_TYPES = {
    "source_id": LONG, "transit_id": LONG, **BAND_TYPES, "rejected_by_photometry": BOOL,
    **{f"{band.lower()}_other_flags": LONG for band in BANDS},
}  # fmt: skip
RAW_TYPES = {"source_id": LONG, "transit_id": LONG, **BAND_TYPES, **FLAG_TYPES}
OPTIONAL = {
    "source_id",
    "flux_error",
    *FLAG_TYPES,
    *(name for name in WIDE_TYPES if name.endswith(("_error", "_flags"))),
}
OPTIONAL -= {"flux_over_error", *(f"{prefix}_flux_over_error" for prefix in PREFIX.values())}


def read_datalink(answer: bytes) -> pa.Table:
    """Every measured flux in a DataLink zip of CSV files, columns EPOCHS, in the order of the files and bands.

    A source without a product has no file: an empty zip gives no rows. Raises Retryable where the answer is no zip or a
    file of it is broken, BadQuestion where a file has none of the layouts above.
    """
    parts = []
    for header, files in _by_header(_members(answer)).items():
        source_id = None if b"source_id" in header.split(b",") else _ids_by_row(files)
        parts.append(_epochs(b"".join([header, b"\n", *(rows for _, rows in files)]), source_id))
    return pa.concat_tables([EPOCHS.empty_table(), *parts]).combine_chunks()


def read_cdn(body: bytes, wanted: NDArray[np.int64] | None = None) -> pa.Table:
    """Every measured flux in a file of Gaia's CDN (gzipped ECSV in the raw layout), columns EPOCHS.

    `wanted` keeps the sources with these ids only; the others' arrays are not even parsed. A file unpacks to some
    80 MB, of which no more than a block is held at a time. Raises Retryable for a file that is not whole.
    """
    parts = [EPOCHS.empty_table()]
    try:
        for block in _blocks(body):
            if wanted is not None:
                block = block.filter(pc.is_in(block["source_id"], pa.array(wanted)))
            if block.num_rows:
                parts.append(_stack(with_flags(transits(block, RAW_TYPES))))
    except (OSError, EOFError, zlib.error, pa.ArrowInvalid) as error:
        raise Retryable(f"A file of Gaia's CDN cannot be unpacked: {error}.") from None
    return pa.concat_tables(parts).combine_chunks()


def _blocks(body: bytes) -> Iterator[pa.Table]:
    """The rows of a CDN file, a block at a time, cells as text but for source_id."""
    start = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(body, BLOCK)  # 16: gzip's own header
    header, rows = _split_header(start)
    if not rows:  # a file about a range of the sky without a source
        gzip.decompress(body)
        return
    names = header.decode().split(",")
    kinds = _kinds(names, RAW_TYPES, "raw", as_text=True)
    skipped = 1 + start.count(b"\n", 0, _below_comments(start))
    options = pacsv.ReadOptions(use_threads=False, block_size=BLOCK, column_names=names, skip_rows=skipped)
    unpacked = pa.CompressedInputStream(pa.BufferReader(body), "gzip")
    with pacsv.open_csv(unpacked, options, None, conversion(kinds)) as reader:
        for batch in reader:
            yield pa.Table.from_batches([batch])


def _members(answer: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and content of the product's files in a zip."""
    try:
        with zipfile.ZipFile(io.BytesIO(answer)) as archive:
            for name in archive.namelist():
                if name.rpartition("/")[2].startswith(PRODUCT) and name.lower().endswith(".csv"):
                    yield name, archive.read(name)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise Retryable(f"Gaia's DataLink answered {len(answer):,} bytes that are no whole zip: {error}.") from None


def _by_header(files: Iterator[tuple[str, bytes]]) -> dict[bytes, list[tuple[str, bytes]]]:
    """Files with the same columns together, as (name, lines below the header): parsed as one, they are fast."""
    groups: dict[bytes, list[tuple[str, bytes]]] = {}
    for name, content in files:
        header, rows = _split_header(content)
        groups.setdefault(header, []).append((name, rows))
    return groups


def _split_header(text: bytes) -> tuple[bytes, bytes]:
    """The header line in lower case and the lines below it, each ended by a line feed, without comments before."""
    if b"\r" in text[:100_000]:
        text = text.replace(b"\r\n", b"\n")
    start = _below_comments(text)
    end = text.find(b"\n", start)
    header, rows = (text[start:end], text[end + 1 :]) if end >= 0 else (text[start:], b"")
    rows = rows if rows.endswith(b"\n") or not rows else rows + b"\n"
    return header.replace(b'"', b"").replace(b" ", b"").lower(), rows


def _below_comments(text: bytes) -> int:
    """Where the header line begins."""
    comments = _COMMENTS.match(text)
    return comments.end() if comments else 0


def _ids_by_row(files: Sequence[tuple[str, bytes]]) -> NDArray[np.int64]:
    """The source of every row of all files, (rows,), from the files' names."""
    ids = np.array([_id_of(name) for name, _ in files], np.int64)
    return np.repeat(ids, [rows.count(b"\n") for _, rows in files])


def _id_of(name: str) -> int:
    """The source_id in a file's name, as in "EPOCH_PHOTOMETRY-Gaia DR3 5937083312263887616.csv"; else BadQuestion."""
    found = re.search(r"(\d+)\.[A-Za-z]+$", name)
    if found is None:
        raise BadQuestion(f"Gaia's DataLink sent the file {name!r}, which names its source neither inside nor outside.")
    return int(found[1])


def _epochs(body: bytes, source_id: NDArray[np.int64] | None) -> pa.Table:
    """EPOCHS of one CSV document in any layout; `source_id` (rows,) where it has no such column."""
    try:
        return _by_layout(body, source_id)
    except pa.ArrowInvalid as error:
        raise Retryable(f"Gaia's epoch photometry cannot be read: {error}.") from None


def _by_layout(body: bytes, source_id: NDArray[np.int64] | None) -> pa.Table:
    names = body[: body.index(b"\n")].decode().split(",")
    if {"band", "time"} <= set(names):
        return _long(_with_ids(_table(body, names, LONG_TYPES, "long"), source_id))
    first_row = body[body.index(b"\n") + 1 :][:100_000].partition(b"\n")[0]
    if re.search(rb"[\[({]", first_row):
        table = _table(body, names, RAW_TYPES, "raw", as_text=True)
        return _stack(with_flags(transits(_with_ids(table, source_id), RAW_TYPES)))
    return _stack(_with_ids(_table(body, names, WIDE_TYPES, "wide"), source_id))


def _table(
    body: bytes, names: Sequence[str], types: Mapping[str, pa.DataType], layout: str, as_text: bool = False
) -> pa.Table:
    """The columns of `types` that the document has; as text, but for source_id, where its cells are arrays."""
    kinds = _kinds(names, types, layout, as_text)
    if body.endswith(b"\n") and body.index(b"\n") == len(body) - 1:
        return pa.schema(list(kinds.items())).empty_table()
    return pacsv.read_csv(pa.py_buffer(body), pacsv.ReadOptions(use_threads=False), None, conversion(kinds))


def _kinds(
    names: Sequence[str], types: Mapping[str, pa.DataType], layout: str, as_text: bool
) -> dict[str, pa.DataType]:
    """The types to read: of the columns of `types` that are there; BadQuestion where one that must be is not."""
    missing = [name for name in types if name not in names and name not in OPTIONAL]
    if missing:
        raise BadQuestion(
            f"Gaia's epoch photometry has another layout than any known ({layout} comes nearest): it lacks "
            f"{len(missing)} columns, first {missing[0]!r}; it has {', '.join(names)[:300]}."
        )
    present = {name: kind for name, kind in types.items() if name in names}
    return {name: pa.string() if as_text and name != "source_id" else kind for name, kind in present.items()}


def _with_ids(table: pa.Table, source_id: NDArray[np.int64] | None) -> pa.Table:
    return table if source_id is None else table.append_column("source_id", pa.array(source_id))


def _stack(table: pa.Table) -> pa.Table:
    """EPOCHS of transits in the wide form: first all G, then BP, then RP; a null flux is no epoch."""
    parts = []
    for code, band in enumerate(BANDS):
        prefix, short = PREFIX[band], band.lower()
        rejected = f"{short}_rejected" if f"{short}_rejected" in table.column_names else "rejected_by_photometry"
        named = {
            "source_id": "source_id",
            "transit_id": "transit_id",
            "time": TIME[band],
            **{name: f"{prefix}_{name}" for name in ("flux", "flux_error", "flux_over_error", "mag")},
            "rejected_by_photometry": rejected,
            "rejected_by_variability": f"variability_flag_{short}_reject",
            "other_flags": f"{short}_other_flags",
        }
        columns = {name: table[column] for name, column in named.items() if column in table.column_names}
        parts.append(_complete(pa.table(columns), np.full(table.num_rows, code, np.int8)))
    return pa.concat_tables(parts)


def _long(table: pa.Table) -> pa.Table:
    code = pc.index_in(table["band"], pa.array(BANDS))
    if code.null_count:
        word = table["band"].filter(pc.is_null(code))[0].as_py()
        raise BadQuestion(f"Gaia's epoch photometry is in a band {word!r}; known are {', '.join(BANDS)}.")
    return _complete(table.drop_columns("band"), code.to_numpy().astype(np.int8))


def _complete(table: pa.Table, code: NDArray[np.int8]) -> pa.Table:
    """One band's or all bands' rows with the columns of EPOCHS; rows without a flux are left out."""
    n = table.num_rows
    ratio = table["flux_over_error"]
    if "flux_error" in table.column_names:
        ratio = pc.coalesce(ratio, pc.divide(table["flux"], table["flux_error"]))
    flags = table["other_flags"] if "other_flags" in table.column_names else pa.array(np.zeros(n, np.int64))
    columns = {
        **{name: table[name] for name in ("source_id", "transit_id", "time", "flux", "mag")},
        "band": pa.array(code),
        "flux_over_error": ratio,
        **{name: pc.fill_null(table[name], False) for name in ("rejected_by_photometry", "rejected_by_variability")},
        "other_flags": pc.fill_null(pc.cast(flags, LONG), 0),
    }
    rows = pa.table([columns[field.name] for field in EPOCHS], schema=EPOCHS)
    return rows.filter(pc.is_valid(rows["flux"]))
