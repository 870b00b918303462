"""A table declaration as a pandera schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pandera.pandas as pandera

from schemas.column import Column

if TYPE_CHECKING:
    from schemas.table import TableSpec


def dataframe_schema(spec: TableSpec) -> pandera.DataFrameSchema:
    """Pandera schema of the scalar columns of `spec`, with its ranges and its key as unique.

    Types are pyarrow-backed, so that int64 ids never pass through a float.
    """
    scalars = [c for c in spec.columns if not (c.is_family or c.is_list)]
    return pandera.DataFrameSchema(
        {column.name: _column_schema(column) for column in scalars},
        unique=list(spec.key),
        report_duplicates="exclude_first",
        strict="filter",
        name=spec.name,
    )


def _column_schema(column: Column) -> pandera.Column:
    low, high = column.range or (None, None)
    checks = []
    if low is not None:
        checks.append(pandera.Check.ge(low))
    if high is not None:
        checks.append(pandera.Check.le(high))
    return pandera.Column(pd.ArrowDtype(column.type), checks, nullable=column.nullable)
