"""ECSV, read whole by astropy."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from schemas.formats.astropy_tables import read_astropy
from schemas.formats.format import MAX_WHOLE_BYTES, Format


def read(path: Path) -> pa.RecordBatchReader:
    """The rows of a file in this format."""
    from astropy.table import Table

    return read_astropy(Table.read(path, format="ascii.ecsv"))


FORMAT = Format("ECSV", (".ecsv", ".ecsv.gz"), read, MAX_WHOLE_BYTES)
