"""Examples for training and scoring, read from the lake by source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.lineage import among
from lakehouse.run import Run
from lakehouse.sample import bands
from lakehouse.store import Lake
from schemas import TABLES
from tasks.learning.data import Examples, examples_from_table
from tasks.lightcurves.batch import LightCurveBatch

CLEAN, FEATURES = TABLES["core_sample__epoch"], TABLES["feature_sample__source"]
NOT_FEATURES = {column.name for column in FEATURES.columns}


def read_feature_names(lake: Lake, dataset: str) -> tuple[str, ...]:
    """Feature columns that hold anything for this dataset, in their order."""
    found: set[str] = set()
    rows = lake.scan(FEATURES, where={"dataset": dataset})
    names = [name for name in rows.schema.names if name not in NOT_FEATURES]
    for batch in rows:
        found |= {name for name in names if batch.column(name).null_count < batch.num_rows}
    return tuple(sorted(found))


def read_light_curves(run: Run, source_id: NDArray[np.int64]) -> LightCurveBatch:
    """Clean light curves of these sources, all surveys of a source together, in the order of `source_id`."""
    lake = Lake(run.lake)
    rows = lake.read(CLEAN, where=among(source_id) & (pc.field("dataset") == run.dataset))
    batch = LightCurveBatch.from_arrow(rows, bands(lake, run.dataset).names).merged().sorted_by_time()
    return batch.select(places(source_id, batch.source_id, CLEAN.name))


def read_examples(run: Run, source_id: NDArray[np.int64], names: Sequence[str], with_curves: bool) -> Examples:
    """The features `names`, and light curves where asked for, of these sources in this order."""
    where = among(source_id) & (pc.field("dataset") == run.dataset)
    rows = Lake(run.lake).read(FEATURES, columns=["source_id", *names], where=where)
    rows = rows.take(pa.array(places(source_id, rows["source_id"].to_numpy(), FEATURES.name)))
    return examples_from_table(rows, names, read_light_curves(run, source_id) if with_curves else None)


def places(source_id: NDArray[np.int64], known: NDArray[np.int64], table: str) -> NDArray[np.int64]:
    """Row of each source, (S,), in the sorted ids `known` of a table; ValueError where one is not there."""
    place = np.minimum(np.searchsorted(known, source_id), max(known.size - 1, 0))
    absent = np.count_nonzero(known[place] != source_id) if known.size else source_id.size
    if absent:
        raise ValueError(f"{table}: {absent:,} of {source_id.size:,} sources have no row; an earlier stage lost them.")
    return place
