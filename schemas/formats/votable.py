"""VOTable, read whole by astropy: its first table."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from schemas.formats.astropy_tables import read_astropy
from schemas.formats.format import MAX_WHOLE_BYTES, Format


def read(file: Path | BinaryIO) -> pa.RecordBatchReader:
    """The rows of the first table of a VOTable, by the names of its fields."""
    from astropy.io.votable import parse

    table = parse(file).get_first_table().to_table(use_names_over_ids=True)
    return read_astropy(table)


FORMAT = Format("VOTable", (".vot", ".votable", ".xml", ".vot.gz"), read, MAX_WHOLE_BYTES)
