"""A table declaration as VOTable metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from astropy.io.votable.tree import VOTableFile
from astropy.table import Column as TableColumn
from astropy.table import MaskedColumn, Table

if TYPE_CHECKING:
    from schemas.table import TableSpec


def votable(spec: TableSpec, table: pa.Table) -> VOTableFile:
    """VOTableFile of the scalar columns of `table` in the order of `spec`; nulls become masked values."""
    result = Table(meta={"name": spec.name, "description": spec.doc})
    for column in spec.columns:
        if column.is_family or column.is_list or column.name not in table.column_names:
            continue
        result[column.name] = _astropy_column(table[column.name])
    file = VOTableFile.from_table(result)
    resource = file.get_first_table()
    resource.name, resource.description = spec.name, spec.doc
    for field in resource.fields:
        declared = spec.columns_by_name[field.name]
        field.description, field.ucd = declared.doc, declared.ucd or None
        field.unit = declared.unit or None
    return file


def _astropy_column(values: pa.ChunkedArray) -> TableColumn:
    mask = np.asarray(values.is_null())
    if pa.types.is_timestamp(values.type):
        values = values.cast(pa.string())
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        data = np.asarray(values.fill_null("").to_pylist() or [""], dtype=str)[: len(values)]
    elif pa.types.is_boolean(values.type):
        data = np.asarray(values.fill_null(False))
    else:
        data = np.asarray(values.fill_null(0))
    return MaskedColumn(data, mask=mask) if mask.any() else TableColumn(data)
