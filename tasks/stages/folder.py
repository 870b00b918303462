"""A folder of light curves, or of mean photometry, as an archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse import ids
from lakehouse.lineage import fingerprint
from schemas.arrays import align_all
from schemas.dataset import DatasetSpec
from schemas.inputs import FolderSource
from tasks.folder import local
from tasks.lightcurves.batch import LightCurveBatch
from tasks.stages.archive import Archive, ObjectChunk

FOLDER_VERSION = 2  # raise it when a folder is read otherwise than before: lakes then take it in anew
FOLDER_CHUNK = 2000


def folder_archive(source: FolderSource, dataset: str, limit: int | None, need_labels: bool = True) -> Archive:
    """A folder of light curves or of mean photometry; without `need_labels` only ids and positions are looked at."""
    folder, spec = source.folder, source.spec
    objects = local.read_objects(folder, spec, need_labels)
    table = objects.table.slice(0, limit) if limit else objects.table
    mark = fingerprint(
        "folder", FOLDER_VERSION, local.fingerprint(folder, _tables(spec)), spec.model_dump_json(), limit
    )
    bands = tuple(band.model_copy(update={"survey": band.survey or dataset}) for band in spec.bands)
    if not spec.has_light_curves:
        object_chunks = iter([_photometry_chunk(spec, dataset, objects, table)])
        return Archive(
            bands,
            mark,
            table.num_rows,
            object_chunks,
            has_epochs=False,
            notes=objects.notes,
            quantities=spec.own_quantities,
        )
    reader = local.read_epochs(folder, spec, table["object_id"].to_pylist(), FOLDER_CHUNK)
    object_chunks = _curve_chunks(spec, dataset, objects, table, reader)
    notes = [*objects.notes, *reader.notes]
    return Archive(bands, mark, table.num_rows, object_chunks, notes=notes, quantities=spec.own_quantities)


def _tables(spec: DatasetSpec) -> list[str]:
    return [spec.objects.file, *([spec.lightcurves.file] if spec.has_light_curves else [])]


def _curve_chunks(
    spec: DatasetSpec, dataset: str, objects: local.Objects, table: pa.Table, reader: Iterator[local.EpochChunk]
) -> Iterator[ObjectChunk]:
    """Chunks of a folder of light curves: objects without a usable epoch are in the quarantine alone."""
    source_id = ids.source_ids(dataset, table["object_id"])
    beside = _beside(spec, dataset, objects)
    refused = objects.rejected
    for chunk in reader:
        place = chunk.batch.source_id
        sources = table.take(pa.array(place)).add_column(0, "source_id", pa.array(source_id[place]))
        batch = replace(chunk.batch, source_id=source_id[place])
        mine = {name: _of(rows, batch.source_id) for name, rows in beside.items()}
        yield ObjectChunk(sources, batch, mine, pa.concat_tables([refused, chunk.rejected]))
        refused = refused.slice(0, 0)


def _photometry_chunk(spec: DatasetSpec, dataset: str, objects: local.Objects, table: pa.Table) -> ObjectChunk:
    """The objects of a folder of mean photometry that have any; magnitudes stand in as epochs for the content hash."""
    assert objects.photometry is not None, "a folder without light curves has mean photometry"
    source_id = ids.source_ids(dataset, table["object_id"])
    mags = _by_source(dataset, objects.photometry).filter(
        pc.is_in(objects.photometry["object_id"], value_set=table["object_id"].combine_chunks())
    )
    code = pc.index_in(mags["band"], value_set=pa.array(spec.band_names)).to_numpy().astype(np.int8)
    measured = LightCurveBatch.from_epochs(
        mags["source_id"].to_numpy(),
        np.zeros(code.size),
        mags["mag"].to_numpy(),
        pc.fill_null(mags["mag_err"], np.nan).to_numpy(),
        code,
        np.zeros(code.size, np.int32),
        spec.band_names,
    )
    kept = align_all(measured.source_id, source_id, "objects")
    sources = table.add_column(0, "source_id", pa.array(source_id)).take(pa.array(kept))
    beside = {"core_sample__photometry": mags, **_beside(spec, dataset, objects)}
    mine = {name: _of(rows, measured.source_id) for name, rows in beside.items()}
    return ObjectChunk(sources, measured, mine, objects.rejected)


def _beside(spec: DatasetSpec, dataset: str, objects: local.Objects) -> dict[str, pa.Table]:
    """The tables beside the photometry by source_id: labels, and inputs and folds where the mapping declares any."""
    inputs = {"core_sample__input": _by_source(dataset, objects.inputs)} if spec.inputs else {}
    folds = {"label_sample__fold": _by_source(dataset, objects.folds)} if objects.folds.num_rows else {}
    return {**_labels(spec, dataset, objects), **inputs, **folds}


def _labels(spec: DatasetSpec, dataset: str, objects: local.Objects) -> dict[str, pa.Table]:
    """The label tables by source_id. What the mapping lists as a reference is marked so, and never learnt."""
    parameters = _by_source(dataset, objects.parameter_labels)
    learnt = [f"{p.quantity} of {p.origin}" for p in spec.parameters]
    name = pc.binary_join_element_wise(parameters["quantity"], parameters["origin"], " of ")
    is_reference = pc.invert(pc.is_in(name, value_set=pa.array(learnt, pa.string())))
    return {
        "label_sample__class": _by_source(dataset, objects.class_labels),
        "label_sample__parameter": parameters.append_column("is_reference", is_reference),
    }


def _of(rows: pa.Table, source_id: NDArray[np.int64]) -> pa.Table:
    """The rows of these sources."""
    return rows.filter(pc.is_in(rows["source_id"], value_set=pa.array(source_id)))


def _by_source(dataset: str, table: pa.Table) -> pa.Table:
    """A table with object_id, with source_id instead; a label counts as not photometric unless the folder says so."""
    source_id = ids.source_ids(dataset, table["object_id"])
    table = table.drop_columns("object_id").add_column(0, "source_id", pa.array(source_id))
    if "class" in table.column_names:
        table = table.append_column("score", pa.nulls(table.num_rows, pa.float32()))
        table = table.append_column("is_photometric", pa.array(np.zeros(table.num_rows, bool)))
    return table
