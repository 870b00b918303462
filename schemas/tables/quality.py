"""What was left out, and why."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec
from schemas.tables.epoch import SURVEY

CORE_CUT__LEDGER = TableSpec(
    name="core_cut__ledger",
    version=1,
    doc="How many epochs each cut removed from each light curve; no row where it removed none.",
    columns=(
        DATASET, TILE, SOURCE_ID, SURVEY,
        Column("cut", pa.string(), "Name of the cut.", ucd="meta.id"),
        Column("n_removed", pa.int32(), "Epochs it removed, of those the cuts before it had kept.",
               ucd="meta.number;obs", range=(1, None)),
    ),
    key=("dataset", "source_id", "survey", "cut"),
)  # fmt: skip

CORE_QUARANTINE__ROW = TableSpec(
    name="core_quarantine__row",
    version=1,
    doc="Rows that failed validation, with the reason; they are in no other table.",
    columns=(
        DATASET,
        Column("run_id", pa.string(), "Run that refused the row.", ucd="meta.id"),
        Column("table", pa.string(), "Table or file the row was meant for.", ucd="meta.id;meta.table"),
        Column("key", pa.string(), "Its key, as text.", ucd="meta.id"),
        Column("column", pa.string(), "Column that failed.", ucd="meta.id"),
        Column("check", pa.string(), "Check that it failed.", ucd="meta.note"),
        Column("value", pa.string(), "The value that failed, as text.", ucd="meta.note", nullable=True),
        Column("source_id", pa.int64(), "Source of the row, where it is known.", ucd="meta.id", nullable=True),
    ),
    key=("dataset", "table", "key", "column", "check"),
    partition=("dataset",),
)  # fmt: skip
