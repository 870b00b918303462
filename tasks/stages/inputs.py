"""What stages read from the lake by source: light curves, catalogue values, features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.bands import read_bands
from lakehouse.column_names import BAND, read_column_names
from lakehouse.delta.filters import Where
from lakehouse.delta.store import Lake
from lakehouse.lineage import select_sources
from lakehouse.run import Run
from schemas import TABLES, TableSpec
from schemas.arrays import GOLDEN, align, align_all, floats
from tasks.features import INPUTS, FeatureConfig
from tasks.learning.data import Examples, examples_from_table
from tasks.lightcurves.batch import LightCurveBatch
from tasks.stages.archive import list_tables_beside

CLEAN, FEATURES, SOURCE, LEDGER = (
    TABLES[name] for name in ("core_sample__epoch", "feature_sample__source", "core_sample__source", "core_cut__ledger")
)
BESIDE = list_tables_beside()
CATALOGUES = tuple(  # with values that features take, in the order of all tables: hashes of older lakes depend on it
    spec
    for spec in TABLES.values()
    if spec.name in BESIDE and set(INPUTS) & spec.columns_by_name.keys() and not spec.name.startswith("label_")
)  # what labels tell, and the truth of a synthetic sky, is what is to be found out: no feature may read it
NOT_FEATURES = {column.name for column in FEATURES.columns}


def read_feature_names(lake: Lake, dataset: str) -> tuple[str, ...]:
    """Feature columns that hold anything for this dataset, in their order."""
    filled: set[str] = set()
    rows = lake.scan(FEATURES, where={"dataset": dataset})
    names = [name for name in rows.schema.names if name not in NOT_FEATURES]
    for batch in rows:
        filled |= {name for name in names if batch.column(name).null_count < batch.num_rows}
    return tuple(sorted(filled))


def read_light_curves(run: Run, source_id: NDArray[np.int64]) -> LightCurveBatch:
    """Clean light curves of these sources, all surveys of a source together, in the order of `source_id`."""
    lake = Lake(run.lake)
    rows = lake.read(CLEAN, where=select_sources(source_id) & (pc.field("dataset") == run.dataset))
    batch = LightCurveBatch.from_arrow(rows, read_bands(lake, run.dataset).names).merge_rows().sort_by_time()
    return batch.select(align_all(source_id, batch.source_id, CLEAN.name))


def count_epochs(lake: Lake, where: Where, source_id: NDArray[np.int64]) -> NDArray[np.int32] | None:
    """Epochs of each source that the cuts left, (S,): those received, less those in the ledger of cuts.

    `where` allows the rows of these sources. None where no epoch was received: the dataset is of mean photometry.
    """
    received = lake.read(SOURCE, columns=["source_id", "n_epoch"], where=where)
    place = align_all(source_id, received["source_id"].to_numpy(), SOURCE.name)
    n_epoch = received["n_epoch"].to_numpy()[place]
    if not n_epoch.any():
        return None
    cut = lake.read(LEDGER, columns=["source_id", "n_removed"], where=where)
    of = align(cut["source_id"].to_numpy(), source_id)
    removed = np.bincount(of[of >= 0], cut["n_removed"].to_numpy()[of >= 0], minlength=source_id.size)
    return (n_epoch - removed).astype(np.int32)


def list_inputs(lake: Lake, dataset: str) -> tuple[str, ...]:
    """Names of the catalogue values of the dataset's sources: all that features take, or none."""
    return INPUTS if _input_columns(lake, dataset) else ()


def complete_config(config: FeatureConfig, lake: Lake, dataset: str) -> FeatureConfig:
    """`config` with the surveys of the dataset and the catalogue values that the lake holds for it.

    Passbands have the names that their bands have in the lake.
    """
    observed, renamed = read_bands(lake, dataset), read_column_names(lake, dataset, BAND)
    names = {band: renamed.get(band, band) for band in config.passbands}
    return replace(
        config,
        passbands={names[band]: replace(each, name=names[band]) for band, each in config.passbands.items()},
        groups=observed.groups,
        surveys=tuple(dict.fromkeys(observed.surveys)),
        inputs=list_inputs(lake, dataset),
    )


def read_inputs(run: Run, source_id: NDArray[np.int64]) -> dict[str, NDArray[np.float64]]:
    """What catalogues give for these sources: every input of features, (S,) in their order, NaN where there is none."""
    lake = Lake(run.lake)
    values = {name: np.full(source_id.size, np.nan) for name in INPUTS}
    where = select_sources(source_id) & (pc.field("dataset") == run.dataset)
    for spec, names in _input_columns(lake, run.dataset).items():
        rows = lake.read(spec, columns=["source_id", *names], where=where)
        place = align(source_id, rows["source_id"].to_numpy())  # -1, of an absent source, is the NaN at the end
        values |= {name: np.append(floats(rows[name]), np.nan)[place] for name in names}
    return values


def hash_inputs(lake: Lake, dataset: str, source_id: NDArray[np.int64]) -> NDArray[np.int64]:
    """A hash of the catalogue values of each source, (S,): another value, another hash; 0 where there are none."""
    hashes = np.zeros(source_id.size, np.uint64)
    for spec, names in _input_columns(lake, dataset).items():
        for rows in lake.scan(spec, columns=["source_id", *names], where={"dataset": dataset}):
            place = align(rows["source_id"].to_numpy(), source_id)
            mine = place >= 0
            of_row = pd.util.hash_pandas_object(rows.select(names).to_pandas(), index=False).to_numpy()
            with np.errstate(over="ignore"):
                hashes[place[mine]] = hashes[place[mine]] * GOLDEN + of_row[mine]
    return hashes.view(np.int64)


def _input_columns(lake: Lake, dataset: str) -> dict[TableSpec, list[str]]:
    """The inputs of features that each table holds for the dataset."""
    held = [spec for spec in CATALOGUES if lake.exists(spec) and lake.count(spec, dataset=dataset)]
    return {spec: [name for name in INPUTS if name in lake.dataset(spec).schema.names] for spec in held}


def read_examples(run: Run, source_id: NDArray[np.int64], names: Sequence[str], with_curves: bool) -> Examples:
    """The features `names`, and light curves where asked for, of these sources in this order."""
    where = select_sources(source_id) & (pc.field("dataset") == run.dataset)
    rows = Lake(run.lake).read(FEATURES, columns=["source_id", *names], where=where)
    rows = rows.take(pa.array(align_all(source_id, rows["source_id"].to_numpy(), FEATURES.name)))
    return examples_from_table(rows, names, read_light_curves(run, source_id) if with_curves else None)
