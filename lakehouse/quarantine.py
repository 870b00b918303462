"""Validation that goes on: bad rows are set aside with the reason, good rows are returned."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.delta.keys import find_duplicates
from lakehouse.delta.store import Lake
from schemas import TABLES, BadInput, TableSpec

if TYPE_CHECKING:
    import pandas as pd

REJECTED = TABLES["core_quarantine__row"]
UNIQUE = "unique key"
READABLE = {
    "not_nullable": "not null",
    "greater_than_or_equal_to": "not below",
    "less_than_or_equal_to": "not above",
}


def validate(spec: TableSpec, table: pa.Table, dataset: str, run_id: str) -> tuple[pa.Table, pa.Table]:
    """Splits `table` into the rows that satisfy `spec` and a `core_quarantine__row` table about those that do not.

    Scalar columns are checked for nulls, NaN where nulls are not allowed, ranges and a unique key; of rows with the
    same key the first stays. List columns are left to their readers. Raises BadInput where a whole column is missing
    or of another kind, which no row can answer for.
    """
    rows = _cast_columns(spec, table)
    failed = _failures(spec, rows)
    if not len(failed):
        return rows, REJECTED.empty()
    bad = np.zeros(rows.num_rows, bool)
    bad[failed["index"].to_numpy()] = True
    return rows.filter(pa.array(~bad)), _rejected_rows(spec, rows, failed, dataset, run_id)


def count_reasons(lake: Lake, dataset: str) -> dict[str, int]:
    """How many rows of a dataset are set aside, by the reason: "table.column: check"; the most frequent first."""
    if not lake.exists(REJECTED):
        return {}
    rows = lake.read(REJECTED, columns=["table", "column", "check"], where={"dataset": dataset})
    groups = rows.group_by(["table", "column", "check"]).aggregate([([], "count_all")])
    groups = groups.sort_by([("count_all", "descending"), ("table", "ascending"), ("column", "ascending")])
    return {f"{row['table']}.{row['column']}: {row['check']}": row["count_all"] for row in groups.to_pylist()}


def _cast_columns(spec: TableSpec, table: pa.Table) -> pa.Table:
    """The declared columns, cast; a NaN in a scalar column that may be null becomes null."""
    names, arrays = [], []
    for field in spec.arrow():
        if field.name not in table.column_names:
            if not field.nullable:
                raise BadInput(f"{spec.name}.{field.name}: the column is missing from the input; add it.")
            continue
        values = table[field.name]
        try:
            values = values if values.type == field.type else values.cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            reason = str(error).split("\n")[0]
            raise BadInput(f"{spec.name}.{field.name}: cannot be read as {field.type} ({reason}).") from error
        if pa.types.is_floating(field.type):
            values = pc.if_else(pc.is_nan(values), pa.scalar(None, field.type), values)
        names.append(field.name)
        arrays.append(values)
    return pa.table(arrays, names=names)


def _failures(spec: TableSpec, rows: pa.Table) -> pd.DataFrame:
    """(index, column, check) of each failure."""
    import pandas as pd
    from pandera.errors import SchemaErrors

    schema = spec.pandera()
    schema.unique = None  # found below: a thousand times faster than as failure cases, one for each key column
    scalars = [name for name in rows.column_names if name in schema.columns]
    schema = schema.remove_columns([name for name in schema.columns if name not in scalars])
    frame = rows.select(scalars).to_pandas(types_mapper=pd.ArrowDtype)
    found = [pd.DataFrame({"index": pd.Series(dtype="int64"), "column": "", "check": ""})]
    try:
        schema.validate(frame, lazy=True)
    except SchemaErrors as error:
        found.append(_row_failures(spec, error.failure_cases))
    twice = np.flatnonzero(find_duplicates(rows, spec.key))
    found.append(pd.DataFrame({"index": twice, "column": spec.key[-1], "check": UNIQUE}))
    return pd.concat(found, ignore_index=True).drop_duplicates()


def _row_failures(spec: TableSpec, cases: pd.DataFrame) -> pd.DataFrame:
    whole = cases[cases["index"].isna()]
    if len(whole):
        case = whole.iloc[0]
        name, check, found = case["column"], case["check"], case["failure_case"]
        raise BadInput(f"{spec.name}.{name}: the whole column fails {check} ({found}).")
    cases = cases[["index", "column", "check"]].copy()
    cases["index"] = cases["index"].astype("int64")
    cases["check"] = cases["check"].astype(str)
    for name, words in READABLE.items():
        cases["check"] = cases["check"].str.replace(name, words, regex=False)
    return cases


def _rejected_rows(spec: TableSpec, rows: pa.Table, failed: pd.DataFrame, dataset: str, run_id: str) -> pa.Table:
    index = failed["index"].to_numpy()
    n = len(index)
    bad = rows.take(pa.array(index))
    key = [name for name in spec.key if name != "dataset"]
    ids = bad["source_id"] if "source_id" in bad.column_names else pa.nulls(n, pa.int64())
    table = pa.table(
        {
            "dataset": pa.repeat(dataset, n),
            "run_id": pa.repeat(run_id, n),
            "table": pa.repeat(spec.name, n),
            "key": _join_key(bad, key, n),
            "column": pa.array(failed["column"].tolist(), pa.string()),
            "check": pa.array(failed["check"].tolist(), pa.string()),
            "value": _failed_values(bad, failed["column"].to_numpy()),
            "source_id": ids,
        },
        schema=REJECTED.arrow(),
    )
    return table.filter(pa.array(~find_duplicates(table, REJECTED.key)))


def _join_key(bad: pa.Table, key: list[str], n: int) -> pa.Array | pa.ChunkedArray:
    texts = [pc.fill_null(bad[name].cast(pa.string()), "null") for name in key]
    return pc.binary_join_element_wise(*texts, " ") if texts else pa.repeat("", n)


def _failed_values(bad: pa.Table, columns: np.ndarray) -> pa.Array:
    """Text of the value that failed, one for each failure."""
    result = np.full(len(columns), None, object)
    for name in np.unique(columns.astype(str)):
        mine = np.flatnonzero(columns == name)
        result[mine] = bad[name].take(pa.array(mine)).cast(pa.string()).to_pylist()
    return pa.array(result.tolist(), pa.string())
