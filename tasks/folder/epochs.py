"""Light curves of a folder, in chunks of whole objects, whatever the order and the size of the file.

DuckDB joins and sorts the rows, on disk where they do not fit in memory; the sorted stream is cut into chunks here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import BadInput
from schemas.dataset import DAYS_PER_UNIT, DatasetSpec
from schemas.errors import Guard
from schemas.rejections import join_reports, number_repeats, reject
from tasks.folder.checks import as_text
from tasks.folder.inspection import Contents, inspect
from tasks.folder.rows import NO_FLUX, UPPER_LIMIT, connect_sorter, epoch_query, unequal_lengths
from tasks.folder.sentinels import is_no_error, is_no_time
from tasks.folder.timescale import days, in_range
from tasks.lightcurves.batch import LightCurveBatch, offsets_of
from tasks.lightcurves.photometry import MAG_RANGE

ROWS_PER_BATCH = 262_144  # of the sorted stream; 7 MB
ROWS = pa.schema([
    ("place", pa.int32()), ("time", pa.float64()), ("mag", pa.float32()), ("mag_err", pa.float32()),
    ("band", pa.int16()), ("flags", pa.int32()),
])  # fmt: skip
CHECKS = (  # in this order; a row is reported for the first that it fails
    ("band", "unknown_band"), ("time", "finite"), ("time", "range"), ("time", "sentinel"), ("mag", "upper_limit"),
    ("mag", "flux"), ("mag", "finite"), ("mag", "range"), ("mag", "sentinel"), ("mag_err", "finite"),
    ("mag_err", "positive"), ("mag_err", "sentinel"),
)  # fmt: skip


@dataclass(frozen=True)
class EpochChunk:
    """Some objects of a folder with all their usable epochs.

    object_ids (S,) are the ids of the batch's objects; batch.source_id (S,) are their places in the ids asked for.
    Objects without a usable epoch are not in the batch (which may be empty) but in `rejected`, as no_epochs.
    """

    object_ids: tuple[str, ...]
    batch: LightCurveBatch
    rejected: pa.Table


class EpochReader(Iterator[EpochChunk]):
    """Chunks of a folder in the order of the ids asked for; `notes` and `contents` are known before the first."""

    def __init__(self, contents: Contents, chunks: Iterator[EpochChunk]):
        self.contents, self.notes, self._chunks = contents, list(contents.notes), chunks

    def __next__(self) -> EpochChunk:
        return next(self._chunks)


def read_epochs(
    folder: Path | str,
    spec: DatasetSpec,
    object_ids: Sequence[str],
    chunk_objects: int,
    *,
    memory_limit: str = "1GiB",
    threads: int | None = None,
    scratch: Path | str | None = None,
    guard: Guard = nullcontext,
) -> EpochReader:
    """Epochs of `object_ids` (all different), `chunk_objects` of them at a time, sorted by object and time.

    Times are days (MJD where the zero is known) or phases; mag_err is NaN in bands that quote none; a flag that
    is not 0 becomes BAD_QUALITY. Unusable rows are in the chunks' `rejected`. DuckDB sorts within `memory_limit` and
    goes on in a folder under `scratch` (default: the system's) beyond. The file is looked at before the first chunk:
    raises BadInput, in one sentence, where it is missing, empty, not what `spec` declares, or unusable as a whole; each
    reason inside `guard`, behind which nothing is to be read if there is one.
    """
    if not spec.has_light_curves:
        raise BadInput(f"{folder} is declared as mean photometry: it has no light curves to read.")
    if len(set(object_ids)) != len(object_ids):
        raise ValueError("read_epochs: object_ids holds an id twice.")
    if chunk_objects < 1:
        raise ValueError(f"read_epochs: chunk_objects is {chunk_objects}, it must be at least 1.")
    setting = {"memory_limit": memory_limit, **({} if threads is None else {"threads": threads})}
    contents = inspect(Path(folder), spec, setting, scratch, guard)
    ids = pa.array(object_ids, pa.string())
    return EpochReader(contents, _chunks(contents, ids, chunk_objects, setting, scratch))


def _chunks(
    contents: Contents, ids: pa.Array, size: int, setting: dict[str, Any], scratch: Path | str | None
) -> Iterator[EpochChunk]:
    loose = contents.loose  # rows that belong to no object: reported once, with the first chunk
    with TemporaryDirectory(prefix="argelander-", dir=scratch) as spill, closing(connect_sorter(spill, setting)) as con:
        broken = unequal_lengths(con, contents.file, contents.layout, ids)
        for start, rows in _cut(_sort_rows(con, contents, ids), len(ids), size):
            wanted = np.arange(start, min(start + size, len(ids)))
            yield _chunk(rows, wanted, ids, contents, [loose, *_of(broken, ids, wanted)])
            loose = loose.slice(0, 0)


def _sort_rows(con: duckdb.DuckDBPyConnection, contents: Contents, ids: pa.Array) -> Iterator[pa.RecordBatch]:
    """Stream of the wanted rows, sorted by every column: the result does not depend on the order of the file.

    Raises BadInput for a broken page of the file, and where there is no room on disk to sort it.
    """
    con.register("wanted", pa.table({"id": ids, "place": pa.array(np.arange(len(ids), dtype=np.int32))}))
    query, values = epoch_query(contents.file, contents.layout, contents.band_values)
    statement = f"""
        SELECT {", ".join(ROWS.names)} FROM ({query}) AS epoch JOIN wanted USING (id)
        ORDER BY place, time, band, mag, mag_err, flags"""
    try:
        yield from con.execute(statement, values).to_arrow_reader(ROWS_PER_BATCH)
    except (duckdb.Error, pa.ArrowException, OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(". ")
        raise BadInput(f"{contents.file} cannot be read and sorted ({reason}): check it and the free disk.") from None


def _cut(rows: Iterator[pa.RecordBatch], n_objects: int, size: int) -> Iterator[tuple[int, pa.Table]]:
    """(first place, its rows) of each chunk of `size` objects, the empty ones too, from a stream sorted by place."""
    start = 0
    held: list[pa.RecordBatch] = []
    for batch in rows:
        place = batch.column("place").to_numpy()
        while place.size and place[-1] >= start + size:
            end = int(np.searchsorted(place, start + size))
            yield start, pa.Table.from_batches([*held, batch.slice(0, end)], ROWS)
            start, held, batch, place = start + size, [], batch.slice(end), place[end:]
        held.append(batch)
    while start < n_objects:
        yield start, pa.Table.from_batches(held, ROWS)
        start, held = start + size, []


def _chunk(
    rows: pa.Table, wanted: NDArray[np.int64], ids: pa.Array, contents: Contents, reports: list[pa.Table]
) -> EpochChunk:
    spec = contents.spec
    columns = {name: rows[name].to_numpy() for name in rows.column_names}
    if spec.phase_end is not None:
        first_cycle = ~(columns["time"] >= spec.phase_end)
        columns = {name: value[first_cycle] for name, value in columns.items()}
    raw_time, columns["time"] = columns["time"], days(columns["time"], spec)
    known = (columns["band"] >= 0) & (columns["band"] < len(spec.bands))
    quoted = known & contents.bands.quotes[np.where(known, columns["band"], 0)]
    columns["mag_err"] = np.where(quoted, columns["mag_err"], np.float32(np.nan))
    failed = _first_failure({**columns, "raw_time": raw_time, "quoted": quoted}, contents)
    good = failed < 0
    place = columns["place"][good]
    present, count = np.unique(place, return_counts=True)
    batch = LightCurveBatch(
        source_id=present,
        offsets=offsets_of(count),
        bands=spec.band_names,
        **{name: columns[name][good] for name in ("time", "mag", "mag_err", "band", "flags")},
    )
    # Only JD among MJD can change the order: every other scale grows with the raw value.
    batch = batch.sort_by_time() if spec.mixed_jd else batch
    reports += [
        *_failures({**columns, "time": raw_time}, failed, ids, contents),
        _without_epochs(columns["place"], present, wanted, ids, contents),
    ]
    return EpochChunk(tuple(ids.take(pa.array(present)).to_pylist()), batch, join_reports(*reports))


def _first_failure(columns: dict[str, NDArray], contents: Contents) -> NDArray[np.int8]:
    """Index into CHECKS of the first check that each row (N,) fails, -1 where it passes all.

    `raw_time` is the time as it is in the file, `quoted` is true in bands that quote errors: elsewhere NaN is none.
    """
    spec, (low, _, high) = contents.spec, contents.quantiles
    band, time, mag, err, quoted = (columns[name] for name in ("band", "time", "mag", "mag_err", "quoted"))
    known = (band >= 0) & (band < len(spec.bands))
    no_time = np.zeros(time.size, bool)
    if spec.kind == "time":
        no_time = is_no_time(columns["raw_time"], low, high, DAYS_PER_UNIT[spec.time_unit])
    return np.select(
        [
            ~known,
            ~np.isfinite(time),
            ~in_range(time, spec, contents.median_day),
            no_time,
            columns["flags"] == UPPER_LIMIT,
            columns["flags"] == NO_FLUX,
            ~np.isfinite(mag),
            (mag <= contents.bands.mag_low[np.where(known, band, 0)]) | (mag >= MAG_RANGE[1]),
            np.isin(mag, contents.sentinels),
            quoted & ~np.isfinite(err),
            quoted & (err <= 0),
            quoted & is_no_error(err),
        ],
        list(range(len(CHECKS))),
        -1,
    ).astype(np.int8)


def _failures(
    columns: dict[str, NDArray], failed: NDArray[np.int8], ids: pa.Array, contents: Contents
) -> Iterator[pa.Table]:
    """Reports of the rows that failed; the key of a row is "<object id> <band> <raw time>"."""
    bad = np.flatnonzero(failed >= 0)
    if bad.size == 0:
        return
    object_id = ids.take(pa.array(columns["place"][bad]))
    code = columns["band"][bad]
    band = pa.array(contents.band_values, pa.string()).take(pa.array(code, mask=code < 0))
    time = as_text(columns["time"][bad])
    key = number_repeats(pc.binary_join_element_wise(object_id, pc.fill_null(band, "null"), time, " "))
    for index, (role, check) in enumerate(CHECKS):
        rows = np.flatnonzero(failed[bad] == index)
        if rows.size:
            value = band if role == "band" else as_text(columns[role][bad])
            yield reject(
                contents.file.name,
                object_id.take(pa.array(rows)),
                contents.column(role),
                check,
                value.take(pa.array(rows)),
                key.take(pa.array(rows)),
            )


def _without_epochs(
    place: NDArray, present: NDArray, wanted: NDArray[np.int64], ids: pa.Array, contents: Contents
) -> pa.Table:
    """Reports of the objects that end without an epoch; the value is how many rows of theirs were refused."""
    missing = np.setdiff1d(wanted, present)
    n_row = np.bincount(place - wanted[0], minlength=wanted.size)[missing - wanted[0]]
    object_id = ids.take(pa.array(missing))
    return reject(contents.file.name, object_id, contents.column("time"), "no_epochs", as_text(n_row))


def _of(report: pa.Table, ids: pa.Array, wanted: NDArray[np.int64]) -> list[pa.Table]:
    """The rows of a report that belong to the objects at `wanted`."""
    if report.num_rows == 0:
        return []
    return [report.filter(pc.is_in(report["object_id"], ids.take(pa.array(wanted))))]
