"""Score a folder of light curves that stays outside the lake with the current models of a dataset of the lake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lakehouse.bands import Bands, read_bands
from lakehouse.delta.store import Lake
from lakehouse.disk import named_file, refuse_full_disk
from lakehouse.models import read_current
from lakehouse.run import Run
from schemas import TABLES
from schemas.arrays import align_all, floats
from schemas.inputs import FolderSource
from schemas.tables.catalogue import OF_CLASS
from tasks.features import INPUTS, FeatureConfig
from tasks.folder import local
from tasks.learning.light_curves import (
    NO_EPOCH,
    NOVELTY,
    PERIOD,
    REASON,
    Pipeline,
    rows_of_curves,
    rows_of_photometry,
)
from tasks.lightcurves.batch import LightCurveBatch
from tasks.stages.archive import Archive, ObjectChunk
from tasks.stages.fanout import fan_out
from tasks.stages.folder import folder_archive
from tasks.stages.inputs import complete_config
from tasks.stages.names import call_bands_apart
from tasks.stages.rows import epoch_rows, source_rows
from tasks.stages.score.lacks import Lacks, SourceContent
from tasks.stages.score.models import scored_columns, scorers_of
from tasks.stages.score.refusals import (
    refuse_changed,
    refuse_lacks,
    refuse_no_models,
    refuse_other_sky,
    refuse_strange_bands,
)
from tasks.surveys.cuts import CutConfig

INPUT = TABLES["core_sample__input"].name
BESIDE = (*OF_CLASS, NOVELTY)  # of every model, beside the columns of its target


def write_scores(
    run: Run, source: FolderSource, cuts: CutConfig, features: FeatureConfig, out: Path
) -> tuple[int, int]:
    """Score the folder of `source` into the Parquet file `out`; returns how many objects, and how many had no epoch
    that could be read and passed the cuts: those have null scores.

    The folder is cleaned and featurized as the lake's own light curves were; its labels are not looked at. Raises
    BadInput where the lake has no model of the dataset, the models have learnt from features of another definition, or
    the folder has a band that the dataset does not know, or lacks something that the models read.
    """
    lake, models = Lake(run.lake), read_current(run.lake, run.dataset)
    refuse_no_models(run, models)
    refuse_other_sky(run, models, source.is_synthetic)
    observed, features = read_bands(lake, run.dataset), complete_config(features, lake, run.dataset)
    archive = call_bands_apart(lake, run.dataset, folder_archive(source, run.dataset, None, need_labels=False))
    names = [band.name for band in archive.bands]
    refuse_strange_bands(run.dataset, names, observed)
    refuse_changed(lake, run.dataset, features)
    objects = local.read_objects(source.folder, source.spec, need_labels=False)
    refuse_lacks(run, models, Lacks.of(SourceContent.of(source, objects, names), observed, features))
    with TemporaryDirectory(prefix=".score-", dir=_beside(out)) as scratch:
        files = _write_chunks(run, archive, observed, Path(scratch))
        jobs = [(run, models, observed.names, cuts, features, str(path), archive.has_epochs) for path in files]
        parts = fan_out(run.scheduler, score_file, jobs, "score", list(files.values()), run.retries)
    scores = _with_unseen(
        pa.concat_tables(parts) if parts else None, objects.table["object_id"].combine_chunks(), run, models
    )
    with refuse_full_disk(str(out)), named_file(out) as draft:
        pq.write_table(scores, draft, compression="zstd")
    return scores.num_rows, scores.num_rows - scores[REASON.name].null_count


def _beside(out: Path) -> Path | None:
    """Where workers find the chunks: next to the scores, for the lake may be read-only; None for the system's place."""
    folder = out.resolve().parent
    return folder if out.is_file() or (folder.is_dir() and not out.exists()) else None


def _write_chunks(run: Run, archive: Archive, observed: Bands, scratch: Path) -> dict[Path, int]:
    """Write the folder as files of at most `run.chunk_objects` objects; returns each with how many it holds."""
    files: dict[Path, int] = {}
    for chunk in archive.object_chunks:
        rows = _chunk_rows(run.dataset, archive, chunk, observed)
        for start in range(0, chunk.sources.num_rows, run.chunk_objects):
            some = chunk.sources["source_id"].slice(start, run.chunk_objects)
            path = scratch / f"{len(files)}.parquet"
            with refuse_full_disk("a chunk of the folder"):
                pq.write_table(rows.filter(pc.is_in(rows["source_id"], value_set=some.combine_chunks())), path)
            files[path] = len(some)
    return files


def _chunk_rows(dataset: str, archive: Archive, chunk: ObjectChunk, observed: Bands) -> pa.Table:
    """Rows of raw_sample__epoch, their bands coded as in the lake, each with the object's id and inputs."""
    code = np.array([observed.names.index(name) for name in chunk.epochs.bands], np.int8)
    batch = replace(chunk.epochs, band=code[chunk.epochs.band], bands=observed.names)
    sources = source_rows(dataset, archive, chunk, tile_order=0)
    rows = epoch_rows(batch, chunk.objid, observed.surveys, sources, np.ones(len(batch), bool))
    beside = [
        chunk.sources.select(["source_id", "object_id"]),
        *(chunk.beside[n] for n in [INPUT] if n in chunk.beside),
    ]
    for table in beside:
        place = pa.array(align_all(rows["source_id"].to_numpy(), table["source_id"].to_numpy(), "the folder"))
        for name in table.column_names[1:]:
            rows = rows.append_column(name, table[name].take(place))
    return rows


def score_file(
    run: Run, models: Mapping[str, str], names: tuple[str, ...], cuts: CutConfig, features: FeatureConfig, path: str,
    has_epochs: bool,
) -> pa.Table:  # fmt: skip
    """In a worker: clean, featurize and score one chunk; returns its scores, one row for each object."""
    rows, scorers = pq.read_table(path), scorers_of(run, models)
    objects = LightCurveBatch.from_arrow(rows, names)
    first = np.sort(np.unique(objects.source_id, return_index=True)[1])
    inputs = {name: floats(rows[name])[first] for name in INPUTS if name in rows.column_names}
    pipeline = Pipeline(cuts, features, scorers)
    if has_epochs:
        survey = rows["survey"].combine_chunks().dictionary_encode().indices.to_numpy()
        scored = rows_of_curves(objects, survey, inputs, pipeline).table
    else:
        scored = rows_of_photometry(objects, inputs, pipeline).table
    columns = [column.name for column in (*scored_columns(run, models), *PERIOD)]
    scored = scored.select([*(column.name for column in BESIDE), REASON.name, *columns])
    scored = scored.add_column(0, "object_id", rows["object_id"].take(pa.array(first)))
    return scored.append_column("model_id", pa.repeat(" ".join(models.values()), scored.num_rows))


def _with_unseen(scores: pa.Table | None, every: pa.Array, run: Run, models: Mapping[str, str]) -> pa.Table:
    """A row for every object of the folder, in its order; null scores where it had no usable epoch."""
    units = {column.name: column.field() for column in (*BESIDE, *scored_columns(run, models), *PERIOD)}
    if scores is None:
        text = [pa.field(name, pa.string()) for name in ("object_id", REASON.name, "model_id")]
        scores = pa.schema([*text, *units.values()]).empty_table()
    place = pc.index_in(every, value_set=scores["object_id"].combine_chunks())
    columns = {name: scores[name].combine_chunks().take(place) for name in scores.column_names if name != "object_id"}
    columns[REASON.name] = pc.if_else(place.is_valid(), columns[REASON.name], NO_EPOCH)
    fields = [units.get(name, pa.field(name, column.type)) for name, column in columns.items()]
    schema = pa.schema([pa.field("object_id", pa.string(), nullable=False), *fields])
    return pa.Table.from_arrays([every, *columns.values()], schema=schema)
