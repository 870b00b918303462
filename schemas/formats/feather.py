"""Feather, which is Arrow's IPC format: a file or a stream of record batches."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from schemas.formats.format import Format


def read(path: Path) -> pa.RecordBatchReader:
    """The rows of a file in its own batches."""
    source = pa.memory_map(str(path))
    try:
        file = pa.ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source)
    batches = (file.get_batch(place) for place in range(file.num_record_batches))
    return pa.RecordBatchReader.from_batches(file.schema, batches)


FORMAT = Format("Feather", (".feather", ".arrow", ".ipc"), read)
