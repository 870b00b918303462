"""Door: apply a lake's current models to a folder of light curves that stays outside the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lakehouse.bands import bands
from lakehouse.delta.store import Lake
from lakehouse.disk import room_for, whole_file
from lakehouse.models import read_current
from lakehouse.run import Run
from schemas import BadInput
from schemas.inputs import FolderSource
from tasks.features import FeatureConfig, compute_colours, compute_features, stale
from tasks.folder import local
from tasks.learning.catalogue import catalogue_values, columns_read
from tasks.learning.data import examples_from_table
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import apply_cuts
from tasks.stages.acquire.archive import ObjectChunk
from tasks.stages.acquire.folder import folder_archive
from tasks.stages.fanout import fan_out
from tasks.stages.featurize.chunk import COLOURS
from tasks.stages.featurize.stage import complete_config
from tasks.stages.score.models import scored_columns, scorers_of
from tasks.stages.score.stage import FEATURES, PERIOD
from tasks.surveys.cuts import CutConfig


def apply(run: Run, source: FolderSource, cuts: CutConfig, features: FeatureConfig, out: Path) -> tuple[int, int]:
    """Score the folder of `source` into the Parquet file `out`; returns how many objects, and how many had no epoch.

    The folder is cleaned and featurized as the lake's own light curves were; its labels are not looked at. Raises
    BadInput where the lake has no model of the dataset, the models have learnt from features of another definition, or
    the folder has a band that the dataset does not know.
    """
    models = read_current(run.lake, run.dataset)
    if not models:
        raise BadInput(f"The lake at {run.lake} has no model of {run.dataset}: train one with `argelander refresh`.")
    own = bands(Lake(run.lake), run.dataset)
    archive = folder_archive(source, run.dataset, None, need_labels=False)
    strange = [band.name for band in archive.bands if band.name not in own.names]
    if strange:
        raise BadInput(f"The folder has the band {strange[0]}, but the models of {run.dataset} read "
                       f"{', '.join(own.names)}: name the bands alike in the dataset.toml.")  # fmt: skip
    features = complete_config(features, Lake(run.lake), run.dataset)
    refuse_changed(Lake(run.lake), run.dataset, features)
    wanted = source.spec.has_light_curves
    with TemporaryDirectory(prefix=".score-", dir=run.lake) as scratch:
        jobs, sizes = [], []
        for i, chunk in enumerate(archive.object_chunks):
            for start in range(0, chunk.sources.num_rows, run.chunk_objects):
                path = Path(scratch) / f"{i}-{start}.parquet"
                with room_for("a chunk of the folder"):
                    pq.write_table(_chunk(chunk, slice(start, start + run.chunk_objects), own.names), path)
                jobs.append((run, models, own.names, cuts, features, str(path), wanted))
                sizes.append(min(run.chunk_objects, chunk.sources.num_rows - start))
        parts = fan_out(run.scheduler, score_file, jobs, "score", sizes, run.retries)
    scores = _with_unseen(pa.concat_tables(parts) if parts else None, archive_ids(source), run, models)
    with room_for(str(out)), whole_file(out) as draft:
        pq.write_table(scores, draft, compression="zstd")
    return scores.num_rows, scores.num_rows - sum(sizes)


def refuse_changed(lake: Lake, dataset: str, features: FeatureConfig) -> None:
    """BadInput where features have another definition now than in the lake, whose models have learnt from them."""
    made_of = lake.read(FEATURES, columns=["definitions"], where={"dataset": dataset})["definitions"].drop_null()
    known = [each for each in made_of.unique().to_pylist() if each != COLOURS]
    if changed := sorted({family for each in known for family in stale(each, features)}):
        raise BadInput(f"The definition of features has changed since the models of {dataset} were trained "
                       f"({', '.join(changed)}): run `argelander refresh` first.")  # fmt: skip


def archive_ids(source: FolderSource) -> pa.Table:
    """object_id of every object of the folder, in its order."""
    return local.read_objects(source.folder, source.spec, need_labels=False).table.select(["object_id"])


def _chunk(chunk: ObjectChunk, part: slice, names: tuple[str, ...]) -> pa.Table:
    """Some objects of a chunk as rows with list columns, their band codes those of the lake."""
    batch = chunk.epochs.select(part)
    code = np.array([names.index(name) for name in batch.bands], np.int8)
    rows = replace(batch, band=code[batch.band], bands=names).to_arrow()
    return rows.append_column("object_id", chunk.sources["object_id"].slice(part.start, len(batch)))


def score_file(
    run: Run, models: Mapping[str, str], names: tuple[str, ...], cuts: CutConfig, features: FeatureConfig, path: str,
    has_epochs: bool,
) -> pa.Table:  # fmt: skip
    """In a worker: clean, featurize and score one chunk; returns its scores, one row for each object."""
    rows = pq.read_table(path)
    batch = LightCurveBatch.from_arrow(rows, names)
    if has_epochs:
        batch = apply_cuts(batch, cuts)[0].sorted_by_time()
        table = compute_features(batch, features)
    else:
        mags = np.full((len(batch), len(names)), np.nan)
        mags[batch.row, batch.band] = batch.mag
        table = compute_colours(mags, names).add_column(0, "source_id", pa.array(batch.source_id))
    scorers = scorers_of(run, models)
    examples = examples_from_table(table, columns_read(scorers), batch if has_epochs else None)
    values = catalogue_values(scorers, [each.score(examples) for each in scorers])
    found = {column.name: table[column.name] for column in PERIOD if column.name in table.column_names}
    model_id = pa.repeat(" ".join(models.values()), len(batch))
    return pa.table({"object_id": rows["object_id"], **values, **found, "model_id": model_id})


def _with_unseen(scores: pa.Table | None, every: pa.Table, run: Run, models: Mapping[str, str]) -> pa.Table:
    """A row for every object of the folder, in its order; null scores where it had no usable epoch."""
    units = {column.name: column.field() for column in (*scored_columns(run, models), *PERIOD)}
    if scores is None:
        text = [pa.field(name, pa.string()) for name in ("object_id", "class_pred", "model_id")]
        scores = pa.schema([*text, *units.values()]).empty_table()
    place = pa.compute.index_in(every["object_id"], value_set=scores["object_id"].combine_chunks())
    columns = {name: scores[name].combine_chunks().take(place) for name in scores.column_names if name != "object_id"}
    fields = [units.get(name, pa.field(name, column.type)) for name, column in columns.items()]
    schema = pa.schema([pa.field("object_id", pa.string(), nullable=False), *fields])
    return pa.Table.from_arrays([every["object_id"].combine_chunks(), *columns.values()], schema=schema)
