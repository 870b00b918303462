"""Features of every source, from its clean light curves or from its mean photometry."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.bands import bands
from lakehouse.delta.reference import TableRef
from lakehouse.delta.staging import commit_staged, finished_parts, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import among, chained, chunks, fingerprint, outdated, stage_key
from lakehouse.run import Run, StageResult
from schemas import TABLES
from tasks.features import FEATURES as FAMILIES
from tasks.features import (
    FeatureConfig,
    colour_columns,
    compile_all,
    compute_colours,
    compute_features,
    definitions,
    feature_columns,
    made,
    stale,
)
from tasks.features.nulls import null_reasons
from tasks.stages.fanout import fan_out
from tasks.stages.inputs import object_hashes, places, read_inputs, read_light_curves, read_objects

COLOURS = "colours:1"  # the definitions of a source without light curves

CLEAN, PHOTOMETRY, FEATURES, NULL = (
    TABLES[name] for name in
    ("core_sample__epoch", "core_sample__photometry", "feature_sample__source", "feature_sample__null")
)  # fmt: skip


def featurize_sources(run: Run, config: FeatureConfig) -> StageResult:
    """Compute the features of the sources whose input is new, of others those whose definition is; one commit."""
    lake = Lake(run.lake)
    dataset_bands = bands(lake, run.dataset)
    config = replace(config, groups=dataset_bands.groups, surveys=tuple(dict.fromkeys(dataset_bands.surveys)),
                     inputs=read_inputs(lake, run.dataset))  # fmt: skip
    names = dataset_bands.names
    source_id, tile, inputs, has_epochs = _inputs(lake, run.dataset)
    if has_epochs and config.inputs:
        inputs = inputs ^ object_hashes(lake, run.dataset, source_id)
    common = replace(config, second_period=False)  # that the definitions say
    curves = chained(inputs, f"features of {common if has_epochs else 'colours'} {names}")
    expected = chained(curves, definitions(config) if has_epochs else COLOURS)
    todo = np.flatnonzero(outdated(lake, FEATURES, run.dataset, source_id, expected))
    mark = fingerprint(np.sort(expected))
    if not todo.size:
        return StageResult(
            "featurize", 0, len(source_id), _count_nulls(lake, run, config, names, mark) if has_epochs else ()
        )

    key = stage_key(lake, FEATURES, "featurize", run.dataset, run.chunk_objects, np.sort(expected[todo]))
    work = (
        _work(lake, run.dataset, config, source_id[todo], curves[todo]) if has_epochs else {None: np.arange(todo.size)}
    )
    parts = [(families, todo[group[part]]) for families, group in work.items()
             for part in chunks(source_id[todo[group]], tile[todo[group]], run.chunk_objects)]  # fmt: skip
    finished = finished_parts(run.lake, FEATURES, key)
    jobs = [(run, names, config, key, i, pa.table({"tile": tile[part], "source_id": source_id[part],
             "input_hash": expected[part], "curve_hash": curves[part]}), families)
            for i, (families, part) in enumerate(parts) if str(i) not in finished]  # fmt: skip
    if has_epochs and jobs:
        compile_all(config)
    function = featurize_chunk if has_epochs else colour_chunk
    fan_out(run.scheduler, function, jobs, "featurize", [job[5].num_rows for job in jobs], run.retries)
    spec = FEATURES.bind(feature_columns(names, config) if has_epochs else colour_columns(names))
    table = commit_staged(lake, run.run_id, spec, key, None, source_id[todo], run.dataset, "featurize")
    notes = tuple(f"{len(group):,} objects: only {', '.join(families) or 'what is gone'} anew"
                  for families, group in work.items() if families is not None)  # fmt: skip
    counted = _count_nulls(lake, run, config, names, mark) if has_epochs else ()
    return StageResult("featurize", todo.size, len(source_id), (table, *counted), notes)


def _count_nulls(
    lake: Lake, run: Run, config: FeatureConfig, names: tuple[str, ...], mark: str
) -> tuple[TableRef, ...]:
    """Count the nulls of the dataset's features unless those of these rows, which `mark` stands for, are counted."""
    own = {"dataset": run.dataset}
    if lake.exists(NULL) and mark in lake.read(NULL, columns=["state"], where=own)["state"].to_pylist():
        return ()
    counts: Counter[tuple[str, str]] = Counter()
    columns, total = [column.name for column in feature_columns(names, config)], 0
    for batch in lake.scan(FEATURES, columns=columns, where=own):
        counts += null_reasons(pa.table(batch), made(config), names, config)
        total += batch.num_rows
    rows = [{**own, "column": column, "reason": reason, "n": n, "n_total": total, "state": mark}
            for (column, reason), n in counts.items()]  # fmt: skip
    return (lake.overwrite(run.run_id, NULL, pa.Table.from_pylist(rows, NULL.arrow()), own, stage="featurize"),)


def _work(
    lake: Lake, dataset: str, config: FeatureConfig, source_id: NDArray[np.int64], curves: NDArray[np.int64]
) -> dict[tuple[str, ...] | None, NDArray[np.int64]]:
    """Which of the sources need which families: None stands for all of them, of a source whose input is new."""
    everything = np.ones(source_id.size, bool)
    work: dict[tuple[str, ...] | None, NDArray[np.int64]] = {}
    if lake.exists(FEATURES) and "definitions" in lake.dataset(FEATURES).schema.names:
        order = np.argsort(source_id)
        stored: dict[str, list[NDArray[np.int64]]] = {}
        columns = ["source_id", "curve_hash", "definitions"]
        for rows in lake.scan(FEATURES, columns=columns, where={"dataset": dataset}):
            place = order[np.minimum(np.searchsorted(source_id[order], rows["source_id"]), order.size - 1)]
            same = source_id[place] == rows["source_id"].to_numpy()
            same &= pc.equal(rows["curve_hash"], curves[place]).fill_null(False).to_numpy(zero_copy_only=False)
            made_of = rows["definitions"].dictionary_encode()
            for k, text in enumerate(made_of.dictionary.to_pylist()):
                stored.setdefault(text, []).append(place[same & (made_of.indices.to_numpy(zero_copy_only=False) == k)])
        for text, places_ in sorted(stored.items()):
            if (group := np.sort(np.concatenate(places_))).size:
                families = stale(text, config)
                work[families] = np.sort(np.concatenate([work.get(families, group[:0]), group]))
                everything[group] = False
    rest = np.flatnonzero(everything)
    return ({None: rest} if rest.size else {}) | work


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
    run: Run, names: tuple[str, ...], config: FeatureConfig, key: str, part: int, rows: pa.Table,
    families: tuple[str, ...] | None,
) -> None:  # fmt: skip
    """In a worker: features of these sources' light curves, left for the commit; only `families`, the others copied."""
    source_id = rows["source_id"].to_numpy()
    curves = read_light_curves(run, source_id)
    objects = read_objects(run, source_id) if config.inputs else None
    if families is None:
        features = compute_features(curves, config, objects)
    else:
        kept = _stored(run, source_id, [c.name for c in feature_columns(names, config, set(FAMILIES) - set(families))])
        needs = {name for family in families for name in FAMILIES[family].needs} & set(kept.column_names)
        known = {name: kept[name].to_numpy() for name in needs}
        features = compute_features(curves, config, objects, families, known)
        for name in kept.column_names:
            features = features.append_column(name, kept[name])
    spec = FEATURES.bind(feature_columns(names, config))
    stage_rows(run.lake, spec, _rows(run.dataset, rows, definitions(config), features), key, part)


def _stored(run: Run, source_id: NDArray[np.int64], columns: list[str]) -> pa.Table:
    """The columns as they are in the table, in the order of the sources."""
    where = among(source_id) & (pc.field("dataset") == run.dataset)
    rows = Lake(run.lake).read(FEATURES, columns=["source_id", *columns], where=where)
    return rows.take(pa.array(places(source_id, rows["source_id"].to_numpy(), FEATURES.name))).select(columns)


def colour_chunk(
    run: Run, names: tuple[str, ...], config: FeatureConfig, key: str, part: int, rows: pa.Table, families: None,
) -> None:  # fmt: skip
    """In a worker: magnitudes and colours of these sources' mean photometry, left for the commit."""
    source_id = rows["source_id"].to_numpy()
    where = among(source_id) & (pc.field("dataset") == run.dataset)
    photometry = Lake(run.lake).read(PHOTOMETRY, columns=["source_id", "band", "mag"], where=where)
    features = compute_colours(magnitudes(photometry, source_id, names), names)
    spec = FEATURES.bind(colour_columns(names))
    stage_rows(run.lake, spec, _rows(run.dataset, rows, COLOURS, features), key, part)


def magnitudes(rows: pa.Table, source_id: NDArray[np.int64], names: tuple[str, ...]) -> NDArray[np.float64]:
    """Mean magnitude of each source in each band, (S, B) mag, NaN where there is none, from rows of long photometry."""
    result = np.full((source_id.size, len(names)), np.nan)
    order = np.argsort(source_id)
    source = order[np.searchsorted(source_id[order], rows["source_id"].to_numpy())]
    band = pc.index_in(rows["band"], value_set=pa.array(names)).to_numpy()
    result[source, band] = rows["mag"].to_numpy()
    return result


def _rows(dataset: str, rows: pa.Table, made_of: str, features: pa.Table) -> pa.Table:
    """Rows of the table: who and of what, (S,), with their features."""
    same = {"dataset": dataset, "definitions": made_of}
    repeated = {name: pa.array([text]).take(pa.array(np.zeros(rows.num_rows, np.int64))) for name, text in same.items()}
    columns = {name: features[name] for name in features.column_names if name != "source_id"}
    return pa.table({**repeated, **{name: rows[name] for name in rows.column_names}, **columns})
