"""The values of catalogues that a folder declares as inputs of models, by object."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from schemas.dataset import DatasetSpec
from schemas.rejections import reject
from schemas.tables.input import CATALOGUE_VALUES
from tasks.folder.checks import as_text
from tasks.folder.columns import as_floats

ROLE = "inputs.{}"  # of a column in the mapping, by the name of the value


def input_roles(spec: DatasetSpec) -> dict[str, str]:
    """The columns with inputs by role."""
    return {ROLE.format(name): column for name, column in spec.inputs.items()}


def read_inputs(raw: pa.Table, ids: pa.Array, spec: DatasetSpec, table: str) -> tuple[pa.Table, list[pa.Table]]:
    """object_id and every declared input, null where there is none; and reports of those that are out of range.

    `raw` has a column for each role, a row for each of the (S,) objects `ids`; `table` names the file in the reports.
    """
    columns: dict[str, pa.Array] = {"object_id": ids}
    refused = []
    for name, own in spec.inputs.items():
        declared, value = CATALOGUE_VALUES[name], as_floats(raw[ROLE.format(name)])
        low, high = (
            edge if edge is not None else limit
            for edge, limit in zip(declared.range or (None, None), (-np.inf, np.inf), strict=True)
        )
        given = ~np.isnan(value)
        good = np.isfinite(value) & (value >= low) & (value <= high)
        outside = given & ~good
        columns[name] = pa.array(value.astype(declared.type.to_pandas_dtype()), declared.type, mask=~good)
        refused.append(reject(table, ids.filter(pa.array(outside)), own, "range", as_text(value[outside])))
    return pa.table(columns), refused
