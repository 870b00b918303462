"""Parquet: read where it lies, unless columns are structs (nested light curves), which become the columns they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from schemas.formats.format import Format
from schemas.formats.nested import is_flat

BATCH_ROWS = 65_536
NESTED_ROWS = 1_024  # a row may hold a light curve of thousands of epochs


def is_flat_file(path: Path) -> bool:
    """True where no column is a struct or a list of structs."""
    import pyarrow.parquet as pq

    return is_flat(pq.read_schema(path))


def read(path: Path) -> pa.RecordBatchReader:
    """The rows of a Parquet file in pieces."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(path)
    has_lists = any(pa.types.is_nested(field.type) for field in schema)
    return pa.RecordBatchReader.from_batches(schema, _batches(path, NESTED_ROWS if has_lists else BATCH_ROWS))


def _batches(path: Path, n_row: int) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False) as file:
        yield from file.iter_batches(n_row)


FORMAT = Format("Parquet", (".parquet", ".pq", ".parq"), read, is_in_place=is_flat_file)
