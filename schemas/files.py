"""What a file of a folder says of itself: its columns and their types, and the values of columns that have few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

from schemas.errors import BadInput
from schemas.sql import match_only
from schemas.values import find_mask, is_list, is_nothing, is_number, is_text, read_words, value_type

FIRST = 1000  # rows that are looked at for numbers in text
SPELLINGS = 4  # of one word, with blanks around it or without, that a column is looked through for


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
    """The different words, sorted, of each of `columns` that has at most `most`; what says nothing is no word.

    The file may be huge: it is read piece by piece, and no longer once every column has too many. Raises BadInput
    where it is damaged.
    """
    limit = SPELLINGS * most
    found: dict[str, pa.Array] = {name: pa.nulls(0) for name in columns}
    try:
        for piece in _pieces(file, columns):
            for name in (name for name, values in found.items() if len(values) <= limit):
                found[name] = _join_once(found[name], piece[name])
            if all(len(values) > limit for values in found.values()):
                break
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from None
    words = {name: _words(values) for name, values in found.items() if len(values) <= limit}
    return {name: tuple(sorted(each)) for name, each in words.items() if len(each) <= most}


def find_varying(file: Path, key: str, columns: Sequence[str]) -> list[str]:
    """Those of `columns` that have two values in rows with the same value of `key`, or lists in their rows.

    All others say something of the star, not of the epoch. Raises BadInput where the file is damaged.
    """
    import duckdb

    schema = parquet_schema(file)
    place = {name: f"c{schema.names.index(name)}" for name in (key, *columns)}
    single = [name for name in columns if not is_list(schema.field(name).type)]
    if not single or schema.names.count(key) != 1 or is_list(schema.field(key).type):
        return list(columns)
    cells = ", ".join(f"c{k}" for k in range(len(schema.names)))
    differ = ", ".join(f"min({place[name]}) <> max({place[name]}) AS {place[name]}" for name in single)
    vary = ", ".join(f"coalesce(bool_or({place[name]}), false)" for name in single)
    stars = f"SELECT {differ} FROM read_parquet(?, hive_partitioning = false) AS file({cells}) GROUP BY {place[key]}"
    try:
        with duckdb.connect() as con:
            found = con.execute(f"SELECT {vary} FROM ({stars})", [match_only(file)]).fetchall()[0]
    except duckdb.Error as error:
        raise unreadable(file, error) from None
    constant = {name for name, varies in zip(single, found, strict=True) if not varies}
    return [name for name in columns if name not in constant]


def holds_numbers(file: Path, column: str) -> bool:
    """False for a column of text of whose first words most are no numbers, as in 12:30:45.1."""
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    schema = parquet_schema(file)
    if schema.names.count(column) > 1:
        return True  # which of them is meant is asked where the column is read
    if not is_text(value_type(schema.field(column).type)):
        return True
    try:
        cells = ds.dataset(file).head(FIRST, columns={"cell": pc.field(column)})["cell"].combine_chunks()
    except (pa.ArrowException, OSError) as error:
        raise unreadable(file, error) from None
    words = [word for word in read_words(cells) if word is not None and not is_nothing(word)]
    return sum(map(is_number, words)) * 2 >= len(words)


def _pieces(file: Path, columns: Sequence[str]) -> Iterator[dict[str, pa.Array]]:
    """The values of the columns, piece by piece, without those that are masked."""
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    data = ds.dataset(file)
    masks = {name: mask for name in columns if (mask := find_mask(name, data.schema))}
    wanted = {f"value {name}": name for name in columns} | {f"mask {name}": mask for name, mask in masks.items()}
    # Fields, not names: a dot in a column's name is no path into a struct.
    for batch in data.scanner(columns={role: pc.field(name) for role, name in wanted.items()}).to_batches():
        values = {name: _flatten(batch.column(f"value {name}")) for name in columns}
        for name in masks:
            hidden = pc.fill_null(_flatten(batch.column(f"mask {name}")), False)
            values[name] = values[name].filter(pc.invert(hidden)) if len(hidden) == len(values[name]) else values[name]
        yield values


def _flatten(column: pa.Array) -> pa.Array:
    while is_list(column.type):
        column = column.flatten()
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _join_once(known: pa.Array, more: pa.Array) -> pa.Array:
    """The different values of both; `known` may be of no type yet."""
    import pyarrow.compute as pc

    return pc.unique(pa.concat_arrays([known.cast(more.type), pc.unique(more)]))


def _words(values: pa.Array) -> set[str]:
    return {word for word in read_words(values) if word is not None and not is_nothing(word)}
