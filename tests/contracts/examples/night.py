"""The table of nights: when a survey could observe."""

import pyarrow as pa

from schemas.column import Column
from schemas.table import DATASET, TableSpec

CORE_SURVEY__NIGHT = TableSpec(
    name="core_survey__night",
    version=1,
    doc="Nights of a survey, and how good each was.",
    columns=(
        DATASET,
        Column("night_mjd", pa.int32(), "Night, by the MJD of its noon.", "d", "time.epoch"),
        Column("seeing_arcsec", pa.float32(), "Median seeing.", "arcsec", "instr.obsty.seeing", True, (0, 20)),
    ),
    key=("dataset", "night_mjd"),
    partition=("dataset",),
)
