"""CSV and its kin, read by pyarrow block by block: commas, semicolons, bars or tabs; comment lines before the header.

Cells stay text, as they are written: what they say is read where all tables are (schemas.values), so an id keeps its
zeros and a magnitude such as ">16.1" its sign.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from schemas.errors import BadInput
from schemas.formats.format import Format

BLOCK_BYTES = 1 << 19  # some tens of blocks are read ahead
HEAD_BYTES = 1 << 20
SEPARATORS = ",;|\t"


@dataclass(frozen=True)
class Dialect:
    """How a file is written: its separator, the lines before the rows, and the names in its header."""

    separator: str
    n_head: int
    names: tuple[str, ...]


def read(path: Path) -> pa.RecordBatchReader:
    """The rows of a CSV file in pieces, as text."""
    dialect = read_dialect(path)
    schema = pa.schema([(name, pa.string()) for name in dialect.names])
    return pa.RecordBatchReader.from_batches(schema, _texts(path, dialect))


def read_dialect(path: Path) -> Dialect:
    """The dialect of a file; BadInput where no line names its columns."""
    with pa.input_stream(str(path), compression="detect") as stream:
        head = stream.read(HEAD_BYTES).decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    n_comment = next((k for k, line in enumerate(head) if line.strip() and not line.startswith("#")), len(head))
    if n_comment == len(head):
        raise BadInput(f"{path} holds nothing: a table needs a line with the names of its columns.")
    header = head[n_comment]
    separator = max(SEPARATORS, key=header.count)
    names = tuple(name.strip() for name in next(csv.reader([header], delimiter=separator)))
    if any(map(_is_number, names)):
        raise BadInput(f"{path}: its first line holds numbers ({header[:60]}): put the names of its columns there.")
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise BadInput(f"{path} has more than one column {twice!r}: give them names that differ.")
    return Dialect(separator, n_comment + 1, names)


def _texts(path: Path, dialect: Dialect) -> Iterator[pa.RecordBatch]:
    read_options = pacsv.ReadOptions(
        block_size=BLOCK_BYTES, skip_rows=dialect.n_head, column_names=list(dialect.names), use_threads=False
    )
    convert = pacsv.ConvertOptions(column_types=dict.fromkeys(dialect.names, pa.string()), strings_can_be_null=False)
    if not _has_rows(path, dialect.n_head):  # the reader refuses a header alone
        return
    with pacsv.open_csv(str(path), read_options, pacsv.ParseOptions(delimiter=dialect.separator), convert) as reader:
        yield from reader


def _has_rows(path: Path, n_head: int) -> bool:
    with pa.input_stream(str(path), compression="detect") as stream:
        lines = stream.read(HEAD_BYTES).splitlines()
    return any(line.strip() for line in lines[n_head:])


def _is_number(name: str) -> bool:
    try:
        float(name)
    except ValueError:
        return False
    return True


FORMAT = Format("CSV", (".csv", ".csv.gz", ".tsv", ".tsv.gz"), read)
