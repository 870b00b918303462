"""Features of every source, from its clean light curves or from its mean photometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.bands import read_bands
from lakehouse.delta.store import Lake
from lakehouse.lineage import chain_hashes, find_outdated, fingerprint
from lakehouse.run import Run, StageResult
from schemas import TABLES
from tasks.features import FeatureConfig, colour_columns, colour_definitions, compile_all, definitions, feature_columns
from tasks.stages.featurize.chunk import FEATURES, colour_chunk, featurize_chunk
from tasks.stages.featurize.families import Families, group_by_families
from tasks.stages.featurize.null_counts import count_nulls
from tasks.stages.incremental import Increment, Work, run_incrementally
from tasks.stages.inputs import complete_config, hash_inputs

SOURCE, CLEAN = TABLES["core_sample__source"], TABLES["core_sample__epoch"]


def featurize_sources(run: Run, config: FeatureConfig) -> StageResult:
    """Compute the features of the sources whose input is new, of others those whose definition is; one commit."""
    lake = Lake(run.lake)
    names, config = read_bands(lake, run.dataset).names, complete_config(config, lake, run.dataset)
    sources, has_epochs = _read_sources(lake, run.dataset)
    sources = _with_hashes(lake, run.dataset, sources, config, has_epochs)
    source_id, expected = (sources[name].to_numpy() for name in ("source_id", "input_hash"))
    todo = sources.filter(pa.array(find_outdated(lake, FEATURES, run.dataset, source_id, expected)))
    if not has_epochs:
        tables = run_incrementally(run, _of_photometry(run, names, config, todo)) if todo.num_rows else ()
        return StageResult("featurize", todo.num_rows, sources.num_rows, tables)
    groups = group_by_families(lake, run.dataset, config, todo)
    tables = run_incrementally(run, _of_curves(run, names, config, groups)) if todo.num_rows else ()
    tables += count_nulls(lake, run, config, names, state=fingerprint(np.sort(expected)))
    return StageResult("featurize", todo.num_rows, sources.num_rows, tables, _notes(groups))


def _read_sources(lake: Lake, dataset: str) -> tuple[pa.Table, bool]:
    """source_id, tile and hash of everything that can have features, and whether it has light curves."""
    columns = ["source_id", "tile", "content_hash", "n_epoch"]
    sources = lake.read(SOURCE, columns=columns, where={"dataset": dataset})
    if not pc.any(pc.greater(sources["n_epoch"], 0)).as_py():
        return sources.select(columns[:3]).rename_columns({"content_hash": "hash"}), False
    rows = lake.read(CLEAN, columns=["source_id", "tile", "input_hash"], where={"dataset": dataset})
    rows = rows.filter(pc.is_in(rows["source_id"], value_set=sources["source_id"].combine_chunks()))
    first = np.unique(rows["source_id"].to_numpy(), return_index=True)[1]
    return rows.take(pa.array(first)).rename_columns({"input_hash": "hash"}), True


def _with_hashes(lake: Lake, dataset: str, sources: pa.Table, config: FeatureConfig, has_epochs: bool) -> pa.Table:
    """The sources with curve_hash, of what is measured and the settings, and input_hash, of the definitions too."""
    hashes, names = sources["hash"].to_numpy(), read_bands(lake, dataset).names
    if config.inputs:
        hashes = hashes ^ hash_inputs(lake, dataset, sources["source_id"].to_numpy())
    common = replace(config, second_period=False) if has_epochs else "colours"  # the definitions say the rest
    curve_hash = chain_hashes(hashes, f"features of {common} {names}")
    input_hash = chain_hashes(curve_hash, definitions(config) if has_epochs else colour_definitions(config))
    columns = {"curve_hash": curve_hash, "input_hash": input_hash}
    return pa.table({name: sources[name] for name in ("source_id", "tile")} | columns)


def _of_photometry(run: Run, names: tuple[str, ...], config: FeatureConfig, todo: pa.Table) -> Increment:
    """What is to be done for magnitudes and colours of these sources."""
    spec = FEATURES.bind(colour_columns(names, config))
    return Increment("featurize", colour_chunk, [Work(todo, (names, config))], run.chunk_objects, (spec,))


def _of_curves(
    run: Run, names: tuple[str, ...], config: FeatureConfig, groups: Mapping[Families, pa.Table]
) -> Increment:
    """What is to be done for features of light curves: of each group of sources the families that it needs."""
    compile_all(config)
    spec = FEATURES.bind(feature_columns(names, config))
    work = [Work(sources, (names, config, families)) for families, sources in groups.items()]
    return Increment("featurize", featurize_chunk, work, run.chunk_objects, (spec,))


def _notes(groups: Mapping[Families, pa.Table]) -> tuple[str, ...]:
    """Which sources had some families computed anew and not all."""
    return tuple(
        f"{sources.num_rows:,} objects: only {', '.join(families) or 'what is gone'} anew"
        for families, sources in groups.items()
        if families is not None
    )
