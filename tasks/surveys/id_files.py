"""Files of source ids: Parquet, CSV, FITS or VOTable. An id is a whole number of 19 digits and never passes a float."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from schemas import BadInput

# The first that the file has, whatever the case of its letters.
ID_COLUMNS = ("source_id", "dr3_source_id", "dr2_source_id")


@dataclass(frozen=True, eq=False)
class SourceIds:
    """The ids of a file: `ids` (S,) ascending and different, `repeated` (K,) those that stood there more than once.

    `column` is the name of their column, which tells their release; `n_row` counts all rows, those without an id too.
    """

    ids: NDArray[np.int64]
    column: str
    repeated: NDArray[np.int64]
    n_row: int


def read_ids(path: Path | str) -> SourceIds:
    """The ids in `path`, told by its ending: .parquet, .csv, .fits, .vot or .xml (CSV and FITS also with .gz).

    Raises BadInput, in one sentence, where the file is missing or unreadable, has no column of ID_COLUMNS, holds
    ids as floats (their last digits are lost), text that is no number, or numbers that are no ids.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"There is no file of source ids at {path}.")
    read = next((reader for ends, reader in _READERS.items() if path.name.lower().endswith(ends)), None)
    if read is None:
        endings = ", ".join(end for ends in _READERS for end in ends)
        raise BadInput(f"{path} is no file of source ids that can be read: its name must end in one of {endings}.")
    try:
        column, values = read(path)
    except BadInput:
        raise
    except Exception as error:  # whatever a broken file makes a reader of four formats raise
        raise BadInput(f"{path} cannot be read as its name says: {_first_line(error)}.") from None
    numbers = _whole(path, column, values)
    ids, count = np.unique(numbers.drop_null().to_numpy(), return_counts=True)
    if ids.size == 0:
        raise BadInput(f"{path}: column {column!r} holds no id in {len(numbers):,} rows.")
    if ids[0] <= 0:
        raise BadInput(
            f"{path}: {int(np.sum(ids <= 0)):,} values of {column!r} are not above 0, the first is {ids[0]}."
        )
    return SourceIds(ids, column.lower(), ids[count > 1], len(numbers))


def _whole(path: Path, column: str, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The values as int64, or BadInput: whole numbers and digits only."""
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        raise BadInput(
            f"{path}: column {column!r} is {kind}, but a source_id has up to 19 digits and a float keeps 15 of them: "
            "write the ids as whole numbers or as text."
        )
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    if not (is_text or pa.types.is_integer(kind)):
        raise BadInput(f"{path}: column {column!r} is {kind}, but ids are whole numbers or text.")
    try:
        return pc.cast(values, pa.int64())
    except pa.ArrowException as error:
        raise BadInput(
            f"{path}: column {column!r} holds something that is no source_id ({_first_line(error)}): write every id "
            "with all its digits, or leave it empty."
        ) from None


def _choose_column(path: Path, names: list[str]) -> str:
    found = {name.strip().lower(): name for name in reversed(names)}
    chosen = next((found[name] for name in ID_COLUMNS if name in found), None)
    if chosen is None:
        raise BadInput(
            f"{path} has neither column {' nor '.join(ID_COLUMNS)}; it has {', '.join(names)}: rename the ids' one."
        )
    return chosen


def _parquet(path: Path) -> tuple[str, pa.ChunkedArray]:
    column = _choose_column(path, pq.read_schema(path).names)
    return column, pq.read_table(path, columns=[column])[column]


def _csv(path: Path) -> tuple[str, pa.ChunkedArray]:
    """As text first: a number that is written as 4.1e18 or 12.0 is to be refused, not rounded."""
    with pacsv.open_csv(path) as reader:
        column = _choose_column(path, reader.schema.names)
    options = pacsv.ConvertOptions(
        include_columns=[column], column_types={column: pa.string()}, strings_can_be_null=True
    )
    values = pacsv.read_csv(path, convert_options=options)[column]
    return column, pc.utf8_trim_whitespace(values)


def _fits(path: Path) -> tuple[str, pa.ChunkedArray]:
    from astropy.table import Table

    return _of_astropy(path, Table.read(path, format="fits"))


def _votable(path: Path) -> tuple[str, pa.ChunkedArray]:
    from astropy.io.votable import parse_single_table

    return _of_astropy(path, parse_single_table(path).to_table(use_names_over_ids=True))


def _of_astropy(path: Path, table: Any) -> tuple[str, pa.ChunkedArray]:
    column = _choose_column(path, table.colnames)
    values = np.ma.masked_array(table[column])
    data, mask = np.ma.getdata(values), np.ma.getmaskarray(values)
    if data.ndim != 1:
        raise BadInput(f"{path}: column {column!r} holds arrays, one id per row is needed.")
    if data.dtype.kind in "SOU":  # bytes of FITS, str of VOTable
        words = [None if hidden else _word(value) for value, hidden in zip(data.tolist(), mask.tolist(), strict=True)]
        return column, pa.chunked_array([pa.array(words, pa.string())])
    return column, pa.chunked_array([pa.array(data.astype(data.dtype.newbyteorder("=")), mask=mask)])


def _word(value: bytes | str) -> str | None:
    text = (value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)).strip()
    return text or None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(". ")


_Reader = Callable[[Path], tuple[str, pa.ChunkedArray]]
_READERS: dict[tuple[str, ...], _Reader] = {
    (".parquet", ".pq"): _parquet,
    (".csv", ".csv.gz"): _csv,
    (".fits", ".fit", ".fits.gz"): _fits,
    (".vot", ".votable", ".xml"): _votable,
}
