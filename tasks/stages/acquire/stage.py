"""Bring the sample and its photometry into the lake, from the surveys' archives or from a folder."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse import ids
from lakehouse.delta.keys import duplicated
from lakehouse.delta.staging import commit_staged, stage_rows
from lakehouse.delta.store import Lake
from lakehouse.lineage import outdated, stage_key
from lakehouse.manifest import last_fingerprint
from lakehouse.quantities import OWN as QUANTITY
from lakehouse.quantities import quantity_rows
from lakehouse.quarantine import validate
from lakehouse.run import Run, StageResult
from schemas import TABLES, BadInput, TableSpec
from schemas.arrays import align_all
from schemas.inputs import ArchiveSource, FolderSource
from tasks.folder import local
from tasks.lightcurves.batch import LightCurveBatch, offsets_of
from tasks.stages.acquire.archive import BESIDE, Archive, ObjectChunk
from tasks.stages.acquire.folder import folder_archive
from tasks.stages.acquire.surveys import survey_archive
from tasks.stages.fanout import progress

SOURCE, RAW, BAND, QUARANTINE = (
    TABLES[name] for name in ("core_sample__source", "raw_sample__epoch", "core_dataset__band", "core_quarantine__row")
)


def acquire_sources(run: Run, source: ArchiveSource | FolderSource, limit: int | None) -> StageResult:
    """Read the archive where it changed; only new and changed light curves are written, the sample itself last."""
    if isinstance(source, FolderSource):
        archive = folder_archive(source, run.dataset, limit)
    else:
        archive = survey_archive(run, source, limit)
    try:
        stage = _take_in(run, Lake(run.lake), archive)
    except BaseException:
        archive.close()
        raise
    return stage


def _take_in(run: Run, lake: Lake, archive: Archive) -> StageResult:
    inputs = {f"archive of {run.dataset}": archive.fingerprint}
    if lake.exists(SOURCE) and last_fingerprint(lake, *inputs) == archive.fingerprint:
        total = lake.count(SOURCE, dataset=run.dataset)
        return StageResult("acquire", 0, total, archive.close(), notes=("input unchanged",), inputs=inputs)

    _refuse_twins(lake, [band.name for band in archive.bands], BAND, "name", "band")
    lake.create(RAW)  # before the key, of which its version is a part: a run that dies on the way finds its own parts
    key = stage_key(lake, RAW, "acquire", run.dataset, archive.fingerprint)
    rows: dict[str, list[pa.Table]] = {name: [] for name in (*BESIDE, "source", "rejected")}
    changed: list[NDArray[np.int64]] = []
    with progress("acquire", archive.n_objects) as advance:
        for part, chunk in enumerate(archive.object_chunks):
            changed.append(_receive(run, lake, archive, chunk, key, part, rows))
            advance(chunk.sources.num_rows)
    fresh = np.concatenate(changed) if changed else np.empty(0, np.int64)
    tables = (
        [commit_staged(lake, run.run_id, RAW, key, None, fresh, run.dataset, "acquire")] if archive.has_epochs else []
    )
    tables += [*_commit(run, lake, archive, rows), *archive.close()]
    counts = {"quarantined": lake.count(QUARANTINE, dataset=run.dataset)}
    total = lake.count(SOURCE, dataset=run.dataset)
    return StageResult("acquire", fresh.size, total, tuple(tables), tuple(archive.notes), counts, inputs=inputs)


def _receive(
    run: Run, lake: Lake, archive: Archive, chunk: ObjectChunk, key: str, part: int, rows: dict[str, list[pa.Table]]
) -> NDArray[np.int64]:
    """Stage the new and changed light curves of a chunk, keep its small tables, and say whose they are."""
    table, batch = chunk.sources, chunk.epochs
    source_id = table["source_id"].to_numpy()
    ra, dec = (table[name].to_numpy(zero_copy_only=False).astype(float) for name in ("ra", "dec"))
    tile = ids.tiles(source_id, ra, dec, archive.is_gaia, lake.tile_order)
    # The position decides the tile, so a source that moved is a changed source.
    placed = [f"{name} {where}" for name, *where in zip(table["object_id"].to_pylist(), ra, dec, strict=True)]
    hashes = local.content_hash(batch, placed)
    sources = {
        **_identity(run.dataset, source_id, tile), "object_id": table["object_id"], "ra": ra, "dec": dec,
        "n_epoch": batch.n_epoch.astype(np.int32) * archive.has_epochs, "content_hash": hashes,
    }  # fmt: skip
    rows["source"].append(pa.table(sources))
    for name, beside in chunk.beside.items():
        rows[name].append(_placed(run.dataset, beside, source_id, tile))
    if chunk.rejected is not None and chunk.rejected.num_rows:
        rows["rejected"].append(chunk.rejected)
    new = outdated(lake, SOURCE if not archive.has_epochs else RAW, run.dataset, source_id, hashes, "content_hash")
    if archive.has_epochs and new.any():
        stage_rows(run.lake, RAW, _epoch_rows(run, archive, chunk, tile, hashes, new), key, part)
    return source_id[new]


def _epoch_rows(
    run: Run,
    archive: Archive,
    chunk: ObjectChunk,
    tile: NDArray[np.int32],
    hashes: NDArray[np.int64],
    new: NDArray[np.bool_],
) -> pa.Table:
    """Rows of raw_sample__epoch of the `new` sources: one for each object of a survey that has seen them."""
    batch = chunk.epochs
    names = np.array([band.survey for band in archive.bands])
    surveys, survey_of_band = np.unique(names, return_inverse=True)
    row, survey = batch.row, survey_of_band[batch.band]
    objid = np.zeros(row.size, np.int64) if chunk.objid is None else chunk.objid
    wanted = np.flatnonzero(new[row])
    order = wanted[np.lexsort((batch.time[wanted], objid[wanted], survey[wanted], row[wanted]))]
    differs = [np.diff(value[order]) != 0 for value in (row, survey, objid)]
    first = np.flatnonzero(np.concatenate([[order.size > 0], np.logical_or.reduce(differs)])[: order.size])
    lead = order[first]
    curves = LightCurveBatch(
        batch.source_id[row[lead]], offsets_of(np.diff(np.append(first, order.size))), batch.time[order],
        batch.mag[order], batch.mag_err[order], batch.band[order], batch.flags[order], batch.bands,
    )  # fmt: skip
    epochs = curves.to_arrow()
    return pa.table({
        **_identity(run.dataset, curves.source_id, tile[row[lead]]),
        "survey": pa.array(surveys).take(pa.array(survey[lead])), "objid": objid[lead],
        "content_hash": hashes[row[lead]],
        **{name: epochs[name] for name in epochs.column_names if name != "source_id"},
    })  # fmt: skip


def _identity(dataset: str, source_id: NDArray[np.int64], tile: NDArray[np.int32]) -> dict[str, Any]:
    return {"dataset": pa.repeat(dataset, source_id.size), "tile": tile, "source_id": source_id}


def _placed(dataset: str, table: pa.Table, source_id: NDArray[np.int64], tile: NDArray[np.int32]) -> pa.Table:
    """`table`, which goes by source_id, with the dataset and the tile of each row."""
    own = table["source_id"].to_numpy()
    place = align_all(own, source_id, SOURCE.name)
    rest = {name: table[name] for name in table.column_names if name != "source_id"}
    return pa.table({**_identity(dataset, own, tile[place]), **rest})


def _commit(run: Run, lake: Lake, archive: Archive, rows: dict[str, list[pa.Table]]) -> list[Any]:
    """Validate and commit the small tables of the dataset, each whole; the sample itself comes last."""
    partition = {"dataset": run.dataset}
    if not rows["source"]:
        raise BadInput(f"{run.dataset}: the archive gave no object: nothing to do.")
    bands = [
        {"dataset": run.dataset, "band": i, "name": band.name, "survey": band.survey, "system": band.system,
         "wavelength_nm": band.wavelength_nm} for i, band in enumerate(archive.bands)
    ]  # fmt: skip
    classes = {name for table in rows["label_sample__class"] for name in table["class"].unique().to_pylist()}
    _refuse_twins(lake, sorted(classes), BESIDE["label_sample__class"], "class", "class")
    tables = {BAND: pa.Table.from_pylist(bands, schema=BAND.arrow())}
    if archive.quantities or lake.exists(QUANTITY):
        tables[QUANTITY] = quantity_rows(run.dataset, archive.quantities)
    rejected = [_refused(run, table, archive.is_gaia) for table in rows["rejected"]]
    for spec, parts in (*((spec, rows[name]) for name, spec in BESIDE.items()), (SOURCE, rows["source"])):
        whole = pa.concat_tables(parts, promote_options="default") if parts else spec.empty()
        good, bad = validate(spec, whole, run.dataset, run.run_id)
        tables[spec] = good
        rejected.append(bad)
    quarantine = pa.concat_tables(rejected)
    first = pa.array(~duplicated(quarantine, QUARANTINE.key))
    tables = {QUARANTINE: quarantine.filter(first), **tables}
    return [lake.overwrite(run.run_id, spec, table, partition, stage="acquire") for spec, table in tables.items()]


def _refuse_twins(lake: Lake, names: Iterable[str], spec: TableSpec, column: str, what: str) -> None:
    """BadInput where two names, here or of another dataset in the lake, differ only in case: so would their columns."""
    known = lake.read(spec, columns=[column])[column].unique().to_pylist() if lake.exists(spec) else []
    first: dict[str, str] = {}
    for name in [*known, *names]:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            raise BadInput(f"The {what} names {other!r} and {name!r} differ only in case, and so would their columns: "
                           "rename one in the dataset.toml, or use a lake of its own (--lake).")  # fmt: skip


def _refused(run: Run, table: pa.Table, is_gaia: bool) -> pa.Table:
    """Rows that a reader refused, as rows of the quarantine."""
    if is_gaia:
        source_id = pc.fill_null(table["object_id"], "0").cast(pa.int64()).to_numpy()
    else:
        source_id = ids.source_ids(run.dataset, pc.fill_null(table["object_id"], ""))
    both = _identity(run.dataset, source_id, np.zeros(source_id.size, np.int32))
    run_id = pa.repeat(run.run_id, source_id.size)
    known = pa.array(source_id, mask=np.asarray(table["object_id"].is_null()))
    columns = {name: table[name] for name in ("table", "key", "column", "check", "value")}
    return pa.table({"dataset": both["dataset"], "run_id": run_id, **columns, "source_id": known}).cast(
        QUARANTINE.arrow()
    )
