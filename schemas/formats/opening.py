"""A table of a folder as one flat Parquet file: the user's own where it is one, else a copy that is made once.

Copies lie in a folder of the process (schemas.formats.scratch), and go with it. They are made piece by piece.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import Any

import pyarrow as pa

from schemas.errors import BadInput
from schemas.formats import FORMATS, Format, format_of
from schemas.formats.files import WHOLE_FOLDER, is_parquet, stem_of, table_files
from schemas.formats.nested import flatten, flatten_schema
from schemas.formats.scratch import scratch_folder

FILE_NAME = "file_name"  # column of a table with one file for each star: the name of the file without its ending
GROUP_ROWS = 131_072  # of a copy that are written at once
Stamp = tuple[str, int, int]


class Table(PosixPath):
    """A table that is called by the path which the user knows, and opens as the Parquet file that was made of it."""

    parquet: Path

    @classmethod
    def of(cls, source: Path, parquet: Path) -> Table:
        """The table at `source`, whose rows are in the file `parquet`."""
        table = cls(source)
        table.parquet = parquet
        return table

    def __fspath__(self) -> str:
        return str(getattr(self, "parquet", self))


def open_table(folder: Path, name: str) -> Path:
    """The table `name` of `folder`: a path in messages, and to the Parquet reader a file with flat columns.

    A file that is missing gives its path. Raises BadInput where a file is unreadable, too large to be read whole, or
    in a format that is not known.
    """
    source = folder / name
    if not source.exists():
        return source
    files = table_files(folder, name)
    if not files:
        raise BadInput(f"{source} is a folder without a table: put the files of one there.")
    if source.is_file() and _is_flat_parquet(source):
        return source
    stamps = tuple((str(path), (at := path.stat()).st_size, at.st_mtime_ns) for path in files)
    return Table.of(source, _copy(str(source), name == WHOLE_FOLDER or _is_of_stars(source, files), stamps))


def _is_flat_parquet(path: Path) -> bool:
    known = format_of(path.name)
    if known is None and not is_parquet(path):
        endings = ", ".join(ending for each in FORMATS for ending in each.endings)
        raise BadInput(f"{path} is in no format that is known by its ending: there are {endings}.")
    try:
        return known is None or known.is_in_place(path)
    except (pa.ArrowException, OSError):
        return True  # the reader of Parquet has the sentence for it


def _is_of_stars(source: Path, files: list[Path]) -> bool:
    """Whether the files of a folder are those of single stars: not below folders of its own, nor in NAME.parquet."""
    return source.is_dir() and format_of(source.name) is None and all(path.parent == source for path in files)


@functools.lru_cache(maxsize=64)
def _copy(source: str, is_of_stars: bool, stamps: tuple[Stamp, ...]) -> Path:
    """The Parquet file with the rows of these files, of which a size and a time of change tell whether they changed."""
    paths = [Path(path) for path, _, _ in stamps]
    target = scratch_folder() / f"table-{_copy.cache_info().misses}.parquet"
    try:
        _write(paths, is_of_stars, target)
    except OSError as error:
        raise BadInput(f"{source} cannot be copied ({error}): check it and the free disk of {target.parent}.") from None
    return target


def _write(paths: list[Path], is_of_stars: bool, target: Path) -> None:
    import pyarrow.parquet as pq

    first = _schema(paths[0])
    schema = first if len(paths) == 1 else functools.reduce(_join, ((path, _schema(path)) for path in paths), first)
    if is_of_stars and FILE_NAME not in schema.names:
        schema = schema.append(pa.field(FILE_NAME, pa.string()))
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for rows in _groups(batch for path in paths for batch in _rows(path, schema)):
            writer.write_table(rows)


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    """The rows of `batches` in tables of about GROUP_ROWS."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(each.num_rows for each in held) >= GROUP_ROWS:
            yield pa.Table.from_batches(held)
            held = []
    if held:
        yield pa.Table.from_batches(held)


def _schema(path: Path) -> pa.Schema:
    with _read(path) as reader:
        return flatten_schema(reader.schema).remove_metadata()


def _rows(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The rows of a file with the columns of `schema`; its name fills the column for it."""
    with _read(path) as reader:
        for batch in _guarded(path, reader):
            rows = flatten(batch)
            columns: dict[str, Any] = dict(zip(rows.schema.names, rows.columns, strict=True))
            columns.setdefault(FILE_NAME, pa.repeat(pa.scalar(stem_of(path.name)), rows.num_rows))
            yield pa.RecordBatch.from_arrays([columns[f.name].cast(f.type) for f in schema], schema=schema)


def _read(path: Path) -> pa.RecordBatchReader:
    format_ = format_of(path.name) or FORMATS[0]
    if format_.exceeds(path):
        raise BadInput(
            f"{path} has {path.stat().st_size / 2**20:,.0f} MiB, and {format_.name} is read whole, up to "
            f"{(format_.max_bytes or 0) / 2**20:,.0f}: convert it to FITS, CSV or Parquet, as with "
            f'astropy: Table.read("{path.name}").write("{stem_of(path.name)}.fits").'
        )
    try:
        return format_.read(path)
    except BadInput:
        raise
    except Exception as error:  # whatever a broken file makes a reader raise
        raise _unreadable(path, format_, error) from None


def _guarded(path: Path, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    try:
        yield from reader
    except pa.ArrowException as error:
        raise _unreadable(path, format_of(path.name) or FORMATS[0], error) from None


def _unreadable(path: Path, format_: Format, error: Exception) -> BadInput:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")
    return BadInput(f"{path} cannot be read as {format_.name} ({reason}): write it again.")


def _join(known: pa.Schema, more: tuple[Path, pa.Schema]) -> pa.Schema:
    """The schema that holds the rows of both; BadInput where a file has other columns than those before it."""
    path, schema = more
    if set(schema.names) != set(known.names):
        odd = sorted(set(schema.names) ^ set(known.names))
        raise BadInput(
            f"{path} has other columns than the files before it ({', '.join(odd[:5])} in one alone): all files of a "
            "table must have the same (a table of its own is called objects or lightcurves)."
        )
    return pa.schema([_wider(field, schema.field(field.name)) for field in known])


def _wider(one: pa.Field, other: pa.Field) -> pa.Field:
    try:
        return pa.unify_schemas([pa.schema([one]), pa.schema([other])], promote_options="permissive").field(0)
    except pa.ArrowTypeError:
        return pa.field(one.name, pa.string())
