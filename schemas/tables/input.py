"""Values of catalogues that a folder brings for its objects, to be read beside their light curves."""

import pyarrow as pa

from schemas.column import Column
from schemas.quantities import QUANTITIES
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec
from schemas.tables.survey import CORE_GAIA__SOURCE, CORE_TIC__SOURCE

VETTED_PERIOD = QUANTITIES["period_day"].column("Period that somebody has vetted.", nullable=True)
# Whatever the catalogues of our own surveys measure, in their units and ranges: so it means the same to a model.
CATALOGUE_VALUES: dict[str, Column] = {
    column.name: column
    for column in (*CORE_GAIA__SOURCE.columns, *CORE_TIC__SOURCE.columns, VETTED_PERIOD)
    if pa.types.is_floating(column.type) and column.nullable
}

CORE_SAMPLE__INPUT = TableSpec(
    name="core_sample__input",
    version=2,
    doc="Values of catalogues that a folder declares as inputs; null where the folder gives none for the source.",
    columns=(DATASET, TILE, SOURCE_ID, *CATALOGUE_VALUES.values()),
    key=("dataset", "source_id"),
)
