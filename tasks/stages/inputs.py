"""Examples for training and scoring, read from the lake by source."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.bands import bands
from lakehouse.delta.store import Lake
from lakehouse.lineage import among
from lakehouse.run import Run
from schemas import TABLES, TableSpec
from tasks.features import INPUTS
from tasks.learning.data import Examples, examples_from_table
from tasks.lightcurves.batch import LightCurveBatch

CLEAN, FEATURES, GAIA, TIC = (
    TABLES[name] for name in ("core_sample__epoch", "feature_sample__source", "core_gaia__source", "core_tic__source")
)
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


def read_inputs(lake: Lake, dataset: str) -> tuple[str, ...]:
    """What the dataset holds of its objects beside their light curves: all that features take, or nothing."""
    return INPUTS if lake.exists(GAIA) and lake.count(GAIA, dataset=dataset) else ()


def read_objects(run: Run, source_id: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """What Gaia and the TIC say of these sources, (S,) each in their order, NaN where they say nothing."""
    lake = Lake(run.lake)
    found = {name: np.full(source_id.size, np.nan) for name in INPUTS}
    where = among(source_id) & (pc.field("dataset") == run.dataset)
    for spec, names in _said(lake).items():
        rows = lake.read(spec, columns=["source_id", *names], where=where)
        place = pc.index_in(pa.array(source_id), value_set=rows["source_id"].combine_chunks())
        found |= {name: rows[name].cast(pa.float64()).take(place).to_numpy() for name in names}
    return found


def object_hashes(lake: Lake, dataset: str, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """A hash of what Gaia and the TIC say of each source, (S,): another value, another hash."""
    order, hashes = np.argsort(source_id), np.zeros(source_id.size, np.uint64)
    ordered = source_id[order]
    for spec, names in _said(lake).items():
        for rows in lake.scan(spec, columns=["source_id", *names], where={"dataset": dataset}):
            known = rows["source_id"].to_numpy()
            place = order[np.minimum(np.searchsorted(ordered, known), order.size - 1)]
            mine = source_id[place] == known
            of_row = pd.util.hash_pandas_object(rows.select(names).to_pandas(), index=False).to_numpy()
            with np.errstate(over="ignore"):
                hashes[place[mine]] = hashes[place[mine]] * np.uint64(0x9E3779B97F4A7C15) + of_row[mine]
    return hashes.view(np.int64)


def _said(lake: Lake) -> dict[TableSpec, list[str]]:
    """The inputs of features that each table of the lake has."""
    held = {spec: lake.dataset(spec).schema.names for spec in (GAIA, TIC) if lake.exists(spec)}
    return {spec: [name for name in INPUTS if name in names] for spec, names in held.items()}


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
