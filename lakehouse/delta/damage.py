"""One sentence, whose advice works, where a table's files are cut, garbled or gone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from lakehouse.disk import refuse_full_disk
from schemas import BadInput

# Where it is not there, everything is acquired anew: of a folder, or from the stored answers of the archives.
SAMPLE = "core_sample__source"


@contextmanager
def explain_damage(folder: Path) -> Iterator[None]:
    """Turns what readers say of a damaged table in `folder` into BadInput; other errors pass."""
    from deltalake.exceptions import DeltaError

    try:
        with refuse_full_disk(folder.name):
            yield
    except (DeltaError, pa.ArrowException, OSError) as error:
        if "FieldRef" in str(error):  # of the question, not of the table
            raise
        raise damage(folder, error) from error


def damage(folder: Path, error: BaseException) -> BadInput:
    """The sentence about a table in `folder` that cannot be read because of `error`."""
    reason = str(error).strip().splitlines()[0].rstrip(". ")[:200]
    folders = " and ".join(str(folder.with_name(name)) for name in dict.fromkeys((folder.name, SAMPLE)))
    return BadInput(
        f"{folder.name} is damaged ({reason}): put back a copy of {folder}, or remove {folders} and run the refresh "
        "again, which makes them anew without asking an archive again."
    )


def read_guarded(folder: Path, batches: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same batches of a table in `folder`; BadInput where one turns out damaged."""

    def guarded() -> Iterator[pa.RecordBatch]:
        with explain_damage(folder):
            yield from batches

    return pa.RecordBatchReader.from_batches(batches.schema, guarded())
