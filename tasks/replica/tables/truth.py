"""The truth of the sky, for evaluation alone. No archive has it, and no query finds it."""

from __future__ import annotations

import pyarrow as pa

from schemas import TABLES
from tasks.replica.served import ARROW, ServedColumn, ServedTable
from tasks.replica.tables.held import Held
from tasks.replica.tables.patch import Patch

LABEL = TABLES["label_truth__source"]
_DATATYPE = {kind: name for name, kind in ARROW.items()}
HELD = Held(
    ServedTable(
        "truth",
        "truth",
        LABEL.doc,
        tuple(
            ServedColumn(column.name, _DATATYPE[column.type], column.unit or None, column.ucd or None, column.doc)
            for column in LABEL.columns
            if column.name not in ("dataset", "tile")  # which say where a lake keeps a row
        ),
    ),
    "truth",
    "source_id",
)


def rows(patch: Patch) -> pa.Table:
    """The truth of the sky's own sources."""
    return patch.sky.truth.select([column.name for column in HELD.table.columns])
