"""A format from outside: a night's log, in which each line is "MJD: magnitude"."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from schemas.formats.format import Format


def read(path: Path) -> pa.RecordBatchReader:
    """The rows of a log."""
    cells = [line.split(": ") for line in path.read_text().splitlines()]
    table = pa.table({"mjd": [float(cell[0]) for cell in cells], "mag": [float(cell[1]) for cell in cells]})
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


FORMAT = Format("night log", (".log",), read)
