"""Features: one row per source, columns declared by the features themselves."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec

FEATURE_SAMPLE__SOURCE = TableSpec(
    name="feature_sample__source",
    version=2,
    doc="Features of each source; null where a feature is undefined.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("input_hash", pa.int64(), "Hash of the cleaned epochs, settings and definitions that made the row.",
               ucd="meta.checksum"),
        Column("curve_hash", pa.int64(), "Hash of the cleaned epochs and of the settings, whatever the features are.",
               ucd="meta.checksum", nullable=True),
        Column("definitions", pa.string(), "Families of features in the row, each with the version of its definition.",
               ucd="meta.version", nullable=True),
        Column("{feature}", pa.float32(), "A feature; its own file in tasks/features declares it.", nullable=True),
    ),
    key=("dataset", "source_id"),
)  # fmt: skip

FEATURE_SAMPLE__NULL = TableSpec(
    name="feature_sample__null",
    version=1,
    doc="How many objects of a dataset lack a feature, for each reason; a feature that none lacks has no row.",
    columns=(
        DATASET,
        Column("column", pa.string(), "Column of feature_sample__source.", ucd="meta.id"),
        Column("reason", pa.string(), "The first reason that holds.", ucd="meta.note"),
        Column("n", pa.int64(), "Objects.", ucd="meta.number", range=(1, None)),
        Column("n_total", pa.int64(), "Objects of the dataset that have features.", ucd="meta.number", range=(1, None)),
        Column("state", pa.string(), "Mark of the rows that were counted.", ucd="meta.checksum"),
    ),
    key=("dataset", "column", "reason"),
    partition=("dataset",),
)  # fmt: skip
