"""Files of source ids, in any format of tables. An id is a whole number of 19 digits and never passes a float."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from schemas import BadInput
from schemas.files import parquet_schema
from schemas.formats.opening import open_table
from schemas.values import is_text
from tasks.folder.columns import read_columns

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
    """The ids in `path`, a file in any of schemas.formats, told by its ending; what is masked or says nothing is none.

    Raises BadInput, in one sentence, where the file is missing or unreadable, has no column of ID_COLUMNS, holds
    ids as floats (their last digits are lost), text that is no number, or numbers that are no ids.
    """
    path = Path(path)
    if not path.is_file():
        raise BadInput(f"There is no file of source ids at {path}.")
    file = open_table(path.parent, path.name)
    schema = parquet_schema(file)
    column = _choose_column(path, schema.names)
    _require_digits(path, column, schema.field(column).type)
    numbers = _whole(path, column, read_columns(file, ids={"id": column})["id"])
    ids, count = np.unique(numbers.drop_null().to_numpy(), return_counts=True)
    if ids.size == 0:
        raise BadInput(f"{path}: column {column!r} holds no id in {len(numbers):,} rows.")
    if ids[0] <= 0:
        raise BadInput(
            f"{path}: {int(np.sum(ids <= 0)):,} values of {column!r} are not above 0, the first is {ids[0]}."
        )
    return SourceIds(ids, column.strip().lower(), ids[count > 1], len(numbers))


def _require_digits(path: Path, column: str, kind: pa.DataType) -> None:
    """BadInput unless the column holds whole numbers or text."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        raise BadInput(
            f"{path}: column {column!r} is {kind}, but a source_id has up to 19 digits and a float keeps 15 of them: "
            "write the ids as whole numbers or as text."
        )
    if pa.types.is_nested(kind):
        raise BadInput(f"{path}: column {column!r} holds arrays, one id per row is needed.")
    if not (is_text(kind) or pa.types.is_integer(kind)):
        raise BadInput(f"{path}: column {column!r} is {kind}, but ids are whole numbers or text.")


def _whole(path: Path, column: str, words: pa.ChunkedArray) -> pa.ChunkedArray:
    """The ids as int64, or BadInput: a number that is written as 4.1e18 or 12.0 is refused, not rounded."""
    try:
        return pc.cast(words, pa.int64())
    except pa.ArrowException as error:
        raise BadInput(
            f"{path}: column {column!r} holds something that is no source_id ({str(error).splitlines()[0]}): write "
            "every id with all its digits, or leave it empty."
        ) from None


def _choose_column(path: Path, names: list[str]) -> str:
    found = {name.strip().lower(): name for name in reversed(names)}
    chosen = next((found[name] for name in ID_COLUMNS if name in found), None)
    if chosen is None:
        raise BadInput(
            f"{path} has neither column {' nor '.join(ID_COLUMNS)}; it has {', '.join(names)}: rename the ids' one."
        )
    return chosen
