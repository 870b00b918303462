"""What columns of bands and classes are called where their own names would not do."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, TableSpec

CORE_DATASET__NAME = TableSpec(
    name="core_dataset__name",
    version=1,
    doc="Bands and classes whose columns have another name than they, because one of the lake differs from theirs in "
    "case alone.",
    columns=(
        DATASET,
        Column("kind", pa.string(), "What it is the name of: band or class.", ucd="meta.code"),
        Column("name", pa.string(), "The name that the archive or folder gives.", ucd="meta.id"),
        Column("column_name", pa.string(), "The name that stands in columns: of a band everywhere in the lake, of a "
               "class behind prob_.", ucd="meta.id"),
    ),
    key=("dataset", "kind", "name"),
    partition=("dataset",),
)  # fmt: skip
