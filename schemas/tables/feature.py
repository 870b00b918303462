"""Features: one row per source, columns declared by the features themselves."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec

FEATURE_SAMPLE__SOURCE = TableSpec(
    name="feature_sample__source",
    version=1,
    doc="Features of each source; null where a feature is undefined.",
    columns=(
        DATASET, TILE, SOURCE_ID,
        Column("input_hash", pa.int64(), "Hash of the cleaned epochs and of the settings that made the row.",
               ucd="meta.checksum"),
        Column("{feature}", pa.float32(), "A feature; its own file in tasks/features declares it.", nullable=True),
    ),
    key=("dataset", "source_id"),
)  # fmt: skip
