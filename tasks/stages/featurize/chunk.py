"""What a worker does for a chunk of sources: reads what is measured of them and stages rows of features."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.delta.store import Lake
from schemas import TABLES
from schemas.arrays import align, align_all
from tasks.features import FEATURES as FAMILIES
from tasks.features import (
    FeatureConfig,
    colour_columns,
    colour_definitions,
    compute_colours,
    compute_features,
    definitions,
    feature_columns,
)
from tasks.stages.featurize.families import Families
from tasks.stages.incremental import ChunkJob
from tasks.stages.inputs import read_inputs, read_light_curves

FEATURES, PHOTOMETRY = TABLES["feature_sample__source"], TABLES["core_sample__photometry"]


def featurize_chunk(job: ChunkJob, names: tuple[str, ...], config: FeatureConfig, families: Families) -> None:
    """In a worker: features of these sources' light curves, left for the commit; only `families`, the others copied."""
    curves = read_light_curves(job.run, job.source_id)
    values = read_inputs(job.run, job.source_id) if config.inputs else None
    if families is None:
        features = compute_features(curves, config, values)
    else:
        kept = _read_stored(job, feature_columns_of(names, config, set(FAMILIES) - set(families)))
        needs = {name for family in families for name in FAMILIES[family].needs} & set(kept.column_names)
        features = compute_features(curves, config, values, families, {name: kept[name].to_numpy() for name in needs})
        for name in kept.column_names:
            features = features.append_column(name, kept[name])
    job.stage(FEATURES.bind(feature_columns(names, config)), _rows(job, definitions(config), features))


def feature_columns_of(names: tuple[str, ...], config: FeatureConfig, families: set[str]) -> list[str]:
    """Names of the columns of these families."""
    return [column.name for column in feature_columns(names, config, families)]


def _read_stored(job: ChunkJob, columns: list[str]) -> pa.Table:
    """The columns as they are in the table, in the order of the sources."""
    rows = Lake(job.run.lake).read(FEATURES, columns=["source_id", *columns], where=job.where)
    return rows.take(pa.array(align_all(job.source_id, rows["source_id"].to_numpy(), FEATURES.name))).select(columns)


def colour_chunk(job: ChunkJob, names: tuple[str, ...], config: FeatureConfig) -> None:
    """In a worker: magnitudes and colours of these sources' mean photometry, left for the commit."""
    photometry = Lake(job.run.lake).read(PHOTOMETRY, columns=["source_id", "band", "mag"], where=job.where)
    values = read_inputs(job.run, job.source_id) if config.inputs else None
    features = compute_colours(spread_magnitudes(photometry, job.source_id, names), names, config, values)
    job.stage(FEATURES.bind(colour_columns(names, config)), _rows(job, colour_definitions(config), features))


def spread_magnitudes(rows: pa.Table, source_id: NDArray[np.int64], names: tuple[str, ...]) -> NDArray[np.float64]:
    """Mean magnitude of each source in each band, (S, B) mag, NaN where there is none, from rows of long photometry."""
    result = np.full((source_id.size, len(names)), np.nan)
    source = align(rows["source_id"].to_numpy(), source_id)
    band = pc.index_in(rows["band"], value_set=pa.array(names)).to_numpy()
    result[source, band] = rows["mag"].to_numpy()
    return result


def _rows(job: ChunkJob, made_of: str, features: pa.Table) -> pa.Table:
    """Rows of the table: who and of what, (S,), with their features."""
    n = job.sources.num_rows
    same = {"dataset": pa.repeat(job.run.dataset, n), "definitions": pa.repeat(made_of, n)}
    own = {name: job.sources[name] for name in job.sources.column_names}
    columns = {name: features[name] for name in features.column_names if name != "source_id"}
    return pa.table({**same, **own, **columns})
