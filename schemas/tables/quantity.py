"""The quantities that datasets describe themselves."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, TableSpec

CORE_DATASET__QUANTITY = TableSpec(
    name="core_dataset__quantity",
    version=1,
    doc="Quantities that the dataset.toml of a folder describes; those that every dataset knows are not repeated here.",
    columns=(
        DATASET,
        Column("quantity", pa.string(), "Name of the quantity, as in the label tables.", ucd="meta.id"),
        Column("unit", pa.string(), "Its unit (VOUnit); empty for a pure number.", ucd="meta.unit"),
        Column("ucd", pa.string(), "Its UCD1+.", ucd="meta.ucd"),
        Column("is_log", pa.bool_(), "True where it is learnt as its log10.", ucd="meta.code"),
        Column("doc", pa.string(), "What it is.", ucd="meta.note"),
    ),
    key=("dataset", "quantity"),
    partition=("dataset",),
)  # fmt: skip
