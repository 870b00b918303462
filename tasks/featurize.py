"""Door: features of every source, from its clean light curves or from its mean photometry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from prefect import task

from lakehouse.lineage import among, chained, chunks, outdated, stage_key
from lakehouse.run import Run, Stage
from lakehouse.sample import bands
from lakehouse.stage import finished_parts, publish, stage_rows
from lakehouse.store import Lake
from schemas import TABLES
from tasks.examples import read_light_curves
from tasks.fanout import fan_out, may_pass
from tasks.features import (
    FEATURES_VERSION,
    FeatureConfig,
    colour_columns,
    compile_all,
    compute_colours,
    compute_features,
    feature_columns,
)

CLEAN, PHOTOMETRY, FEATURES = (
    TABLES[name] for name in ("core_sample__epoch", "core_sample__photometry", "feature_sample__source")
)


@task(name="featurize", task_run_name="featurize-{run.dataset}", retries=1, retry_condition_fn=may_pass)
def featurize(run: Run, config: FeatureConfig) -> Stage:
    """Compute the features of the sources whose input or definitions are new; one commit."""
    lake = Lake(run.lake)
    dataset_bands = bands(lake, run.dataset)
    config = replace(config, groups=dataset_bands.groups)
    names = dataset_bands.names
    source_id, tile, inputs, has_epochs = _inputs(lake, run.dataset)
    expected = chained(inputs, f"features {FEATURES_VERSION} {config if has_epochs else 'colours'} {names}")
    todo = np.flatnonzero(outdated(lake, FEATURES, run.dataset, source_id, expected))
    if not todo.size:
        return Stage("featurize", 0, len(source_id))

    key = stage_key(lake, FEATURES, "featurize", run.dataset, run.chunk_objects, np.sort(expected[todo]))
    parts = chunks(source_id[todo], tile[todo], run.chunk_objects)
    finished = finished_parts(run.lake, FEATURES, key)
    function = featurize_chunk if has_epochs else colour_chunk
    jobs = [(run, names, config, key, i, source_id[todo[part]], tile[todo[part]], expected[todo[part]])
            for i, part in enumerate(parts) if str(i) not in finished]  # fmt: skip
    if has_epochs and jobs:
        compile_all(config)
    fan_out(run.scheduler, function, jobs, "featurize", [job[5].size for job in jobs], run.retries)
    spec = FEATURES.bind(feature_columns(names, config) if has_epochs else colour_columns(names))
    table = publish(lake, run.run_id, spec, key, None, source_id[todo], run.dataset, "featurize")
    return Stage("featurize", todo.size, len(source_id), (table,))


def _inputs(lake: Lake, dataset: str) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64], bool]:
    """Source, tile and input hash of everything that can have features, and whether it has light curves."""
    columns = ["source_id", "tile", "content_hash", "n_epoch"]
    sources = lake.read(TABLES["core_sample__source"], columns=columns, where={"dataset": dataset})
    has_epochs = pc.any(pc.greater(sources["n_epoch"], 0)).as_py() or False
    if not has_epochs:
        return *(sources[name].to_numpy() for name in columns[:3]), False
    rows = lake.read(CLEAN, columns=["source_id", "tile", "input_hash"], where={"dataset": dataset})
    rows = rows.filter(pc.is_in(rows["source_id"], value_set=sources["source_id"].combine_chunks()))
    source_id, first = np.unique(rows["source_id"].to_numpy(), return_index=True)
    return source_id, rows["tile"].to_numpy()[first], rows["input_hash"].to_numpy()[first], True


def featurize_chunk(
    run: Run, names: tuple[str, ...], config: FeatureConfig, key: str, part: int,
    source_id: NDArray[np.int64], tile: NDArray[np.int32], expected: NDArray[np.int64],
) -> None:  # fmt: skip
    """In a worker: features of these sources' light curves, left for the commit."""
    features = compute_features(read_light_curves(run, source_id), config)
    stage_rows(run.lake, FEATURES.bind(feature_columns(names, config)),
               _rows(run.dataset, source_id, tile, expected, features), key, part)  # fmt: skip


def colour_chunk(
    run: Run, names: tuple[str, ...], config: FeatureConfig, key: str, part: int,
    source_id: NDArray[np.int64], tile: NDArray[np.int32], expected: NDArray[np.int64],
) -> None:  # fmt: skip
    """In a worker: magnitudes and colours of these sources' mean photometry, left for the commit."""
    where = among(source_id) & (pc.field("dataset") == run.dataset)
    rows = Lake(run.lake).read(PHOTOMETRY, columns=["source_id", "band", "mag"], where=where)
    features = compute_colours(magnitudes(rows, source_id, names), names)
    stage_rows(run.lake, FEATURES.bind(colour_columns(names)),
               _rows(run.dataset, source_id, tile, expected, features), key, part)  # fmt: skip


def magnitudes(rows: pa.Table, source_id: NDArray[np.int64], names: tuple[str, ...]) -> NDArray[np.float64]:
    """Mean magnitude of each source in each band, (S, B) mag, NaN where there is none, from rows of long photometry."""
    result = np.full((source_id.size, len(names)), np.nan)
    order = np.argsort(source_id)
    source = order[np.searchsorted(source_id[order], rows["source_id"].to_numpy())]
    band = pc.index_in(rows["band"], value_set=pa.array(names)).to_numpy()
    result[source, band] = rows["mag"].to_numpy()
    return result


def _rows(
    dataset: str, source_id: NDArray[np.int64], tile: NDArray[np.int32], expected: NDArray[np.int64], features: pa.Table
) -> pa.Table:
    identity = {
        "dataset": pa.array([dataset]).take(pa.array(np.zeros(source_id.size, np.int64))),
        "tile": tile, "source_id": source_id, "input_hash": expected,
    }  # fmt: skip
    return pa.table({**identity, **{name: features[name] for name in features.column_names if name != "source_id"}})
