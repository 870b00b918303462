"""How many objects lack each feature, and why."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES
from tasks.features import FeatureConfig, feature_columns, select_features
from tasks.features.nulls import null_reasons

FEATURES, NULL = TABLES["feature_sample__source"], TABLES["feature_sample__null"]


def count_nulls(
    lake: Lake, run: Run, config: FeatureConfig, names: tuple[str, ...], state: str
) -> tuple[TableRef, ...]:
    """Count the nulls of the dataset's features, unless those of these rows, which `state` stands for, are counted."""
    own = {"dataset": run.dataset}
    if lake.exists(NULL) and state in lake.read(NULL, columns=["state"], where=own)["state"].to_pylist():
        return ()
    counts: Counter[tuple[str, str]] = Counter()
    columns, total = [column.name for column in feature_columns(names, config)], 0
    for batch in lake.scan(FEATURES, columns=columns, where=own):
        counts += null_reasons(pa.table(batch), select_features(config), names, config)
        total += batch.num_rows
    rows = [
        {**own, "column": column, "reason": reason, "n": n, "n_total": total, "state": state}
        for (column, reason), n in counts.items()
    ]
    return (lake.overwrite(run.run_id, NULL, pa.Table.from_pylist(rows, NULL.arrow()), own, stage="featurize"),)
