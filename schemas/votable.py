"""A table declaration as VOTable metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from astropy.io.votable.tree import VOTableFile
from astropy.table import Table

if TYPE_CHECKING:
    from schemas.table import TableSpec


def votable(spec: TableSpec, table: pa.Table) -> VOTableFile:
    """VOTableFile, without rows, of the scalar columns of `table` in the order of `spec`; times must be text."""
    columns = Table(meta={"name": spec.name, "description": spec.doc})
    longest = longest_text(table)
    for column in spec.columns:
        if not column.is_family and not column.is_list and column.name in table.column_names:
            kind = str if column.name in longest else table.schema.field(column.name).type.to_pandas_dtype()
            columns[column.name] = np.empty(0, kind)
    file = VOTableFile.from_table(columns)
    resource = file.get_first_table()
    resource.name, resource.description = spec.name, spec.doc
    for field in resource.fields:
        declared = spec.columns_by_name[field.name]
        field.description, field.ucd = declared.doc, declared.ucd or None
        field.unit = declared.unit or None
        if field.name in longest:
            field.arraysize = f"{longest[field.name]}*"
    return file


def longest_text(table: pa.Table) -> dict[str, int]:
    """Characters of the longest value of each text column, at least 1."""
    text = [field.name for field in table.schema if pa.types.is_string(field.type)]
    return {name: pc.max(pc.utf8_length(table[name])).as_py() or 1 for name in text}
