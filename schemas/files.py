"""What a file of a folder says of itself: its columns and their types, and the values of columns that have few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from schemas.errors import BadInput


def column_names(file: Path) -> list[str]:
    """Names of the columns of a Parquet file; raises BadInput where it is missing or is none."""
    return parquet_schema(file).names


def parquet_schema(file: Path) -> pa.Schema:
    """Arrow schema of a Parquet file; raises BadInput where it is missing or is none."""
    import pyarrow.parquet as pq

    if not file.is_file():
        raise BadInput(f"There is no {file.name} in {file.parent}: a dataset is a folder with that file in it.")
    try:
        return pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from None


def unreadable(file: Path, error: Exception) -> BadInput:
    """The one sentence for a file that is no Parquet, or is damaged."""
    reason = str(error).strip().splitlines()[0].rstrip(". ")
    return BadInput(f"{file} cannot be read as Parquet ({reason}): write it again.")


def find_few_values(file: Path, columns: Sequence[str], most: int) -> dict[str, tuple[str, ...]]:
    """The different values, as sorted text, of each of `columns` that has at most `most`; a null is no value.

    The file may be huge: it is read piece by piece, and no longer once every column has too many. Raises BadInput
    where it is damaged.
    """
    found: dict[str, set[str]] = {name: set() for name in columns}
    try:
        for batch in _batches(file, columns):
            for name in (name for name, values in found.items() if len(values) <= most):
                found[name] |= _values(batch.column(name))
            if all(len(values) > most for values in found.values()):
                break
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from None
    return {name: tuple(sorted(values)) for name, values in found.items() if len(values) <= most}


def value_type(kind: pa.DataType) -> pa.DataType:
    """The type of one value: of a list's items, of a dictionary's words."""
    if is_list(kind) or pa.types.is_dictionary(kind):
        return value_type(kind.value_type)
    return kind


def is_list(kind: pa.DataType) -> bool:
    """True for a column with a list in each row."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _batches(file: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    # Fields, not names: a dot in a column's name is no path into a struct.
    return iter(ds.dataset(file).scanner(columns={name: pc.field(name) for name in columns}).to_batches())


def _values(column: pa.Array) -> set[str]:
    import pyarrow.compute as pc

    while is_list(column.type):
        column = column.flatten()
    once = pc.unique(column)
    once = once.dictionary_decode() if pa.types.is_dictionary(once.type) else once
    return {value for value in pc.cast(once, pa.string()).to_pylist() if value is not None}
