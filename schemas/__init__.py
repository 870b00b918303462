"""What a table is. Imports nothing of ours."""

from schemas.column import Column
from schemas.errors import BadInput
from schemas.table import DATASET, SOURCE_ID, TILE, TableSpec
from schemas.tables import TABLES

__all__ = ["DATASET", "SOURCE_ID", "TABLES", "TILE", "BadInput", "Column", "TableSpec"]
