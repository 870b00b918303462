"""Text in columns between blanks, under a line with their names, which may be a comment (# or ###)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from schemas.errors import BadInput
from schemas.formats.format import Format
from schemas.values import is_number

CHUNK_ROWS = 65_536


def read(path: Path) -> pa.RecordBatchReader:
    """The rows of a file in pieces, as text; BadInput where no line names its columns."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        head = [line for _, line in zip(range(1000), lines, strict=False)]
    place = _find_header(head, path)
    names = head[place].lstrip("#").split()
    schema = pa.schema([(name, pa.string()) for name in names])
    return pa.RecordBatchReader.from_batches(schema, _texts(path, place + 1, names))


def _find_header(head: list[str], path: Path) -> int:
    """The line above the first row: the last comment, else the first line."""
    first = next((k for k, line in enumerate(head) if line.strip() and not line.startswith("#")), len(head))
    n_row = len(head[first].split()) if first < len(head) else 0
    above = [k for k in range(first) if len(head[k].lstrip("#").split()) in (n_row, *([] if n_row else [1]))]
    place = above[-1] if above else first
    if place == len(head) or any(map(is_number, head[place].lstrip("#").split())):
        raise BadInput(f"{path} names no columns: put their names in a line above the rows.")
    return place


def _texts(path: Path, n_head: int, names: list[str]) -> Iterator[pa.RecordBatch]:
    import pandas as pd

    chunks = pd.read_csv(
        path, sep=r"\s+", skiprows=n_head, header=None, names=names, dtype=str, keep_default_na=False,
        comment="#", chunksize=CHUNK_ROWS,
    )  # fmt: skip
    for chunk in chunks:
        yield pa.RecordBatch.from_arrays([pa.array(chunk[name], pa.string()) for name in names], names)


FORMAT = Format("text in columns", (".txt", ".dat"), read)
