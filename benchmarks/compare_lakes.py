"""Do two lakes hold the same catalogues, and where do they differ?

Of each column of the catalogue, the features, the metrics and other tables: the rows that differ, and by how much. Run
ids, times, hashes and names of models are left out: they say who wrote a row, not what is in it.

python -m benchmarks.compare_lakes ONE OTHER [table ...]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.delta.store import Lake

TABLES = (
    "core_sample__source", "raw_sample__epoch", "core_sample__epoch", "core_cut__ledger", "core_quarantine__row",
    "label_sample__class", "label_sample__parameter", "feature_sample__source", "out__catalogue", "score_model__metric",
)  # fmt: skip
KEYS = ("dataset", "source_id", "survey", "objid", "cut", "origin", "quantity", "target", "recipe", "split", "metric",
        "class", "table", "key", "column", "check")  # fmt: skip
NOT_COMPARED = {"run_id", "scored_at", "model_id", "feature_hash", "input_hash", "curve_hash", "content_hash",
                "definitions"}  # fmt: skip


def differences(one: Lake, other: Lake, name: str) -> Iterator[str]:
    """A line for each way in which a table differs between the lakes, or one that says that it does not."""
    if one.exists(name) != other.exists(name):
        yield f"{name}: in one lake alone"
        return
    if not one.exists(name):
        return
    tables = [_sorted(lake.read(name)) for lake in (one, other)]
    first, second = tables
    if set(first.column_names) != set(second.column_names):
        yield f"{name}: columns in one alone: {sorted(set(first.column_names) ^ set(second.column_names))}"
    keys = [column for column in KEYS if column in first.column_names and column not in NOT_COMPARED]
    if first.num_rows != second.num_rows or not all(first[key].equals(second[key]) for key in keys):
        yield f"{name}: {first.num_rows:,} and {second.num_rows:,} rows, whose keys differ"
        return
    common = [c for c in first.column_names if c in second.column_names and c not in NOT_COMPARED]
    found = [line for column in common if (line := _difference(column, first[column], second[column]))]
    yield from (f"{name}.{line}" for line in found)
    if not found:
        yield f"{name}: {first.num_rows:,} rows, {len(common)} columns: the same"


def _sorted(table: pa.Table) -> pa.Table:
    keys = [(column, "ascending") for column in KEYS if column in table.column_names]
    return table.sort_by(keys)


def _difference(name: str, one: pa.ChunkedArray, other: pa.ChunkedArray) -> str:
    """How a column differs; nothing where it does not. NaN equals NaN."""
    if one.equals(other):
        return ""
    if pa.types.is_list(one.type):
        if not pc.list_value_length(one).equals(pc.list_value_length(other)):
            return f"{name}: lists of other lengths"
        one, other = pc.list_flatten(one), pc.list_flatten(other)
    if not pa.types.is_floating(one.type):
        n = int(pc.sum(pc.fill_null(pc.not_equal(one, other), True)).as_py() or 0)
        return f"{name}: {n:,} of {len(one):,} differ" if n else ""
    a, b = (pc.fill_null(each.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False) for each in (one, other))
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if not differs.any():
        return ""
    one_null = int(np.count_nonzero(np.isnan(a) != np.isnan(b)))
    relative = np.abs(a - b)[differs] / np.maximum(np.abs(a), 1e-300)[differs]
    largest = np.nanmax(relative, initial=0.0)
    return (
        f"{name}: {int(differs.sum()):,} of {a.size:,} differ, relative {largest:.1e} at most, {one_null:,} null in one"
    )


def main() -> None:
    """Print what differs; exit with 1 where anything does. Without two lakes there is nothing to compare."""
    if len(sys.argv) < 3:
        print(__doc__)
        return
    one, other = (Lake(path) for path in sys.argv[1:3])
    lines = [line for name in sys.argv[3:] or TABLES for line in differences(one, other, name)]
    print("\n".join(lines))
    sys.exit(any(not line.endswith(": the same") for line in lines))


if __name__ == "__main__":
    main()
