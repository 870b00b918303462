"""Door: bring the sample and its photometry into the lake, from the embedded sky or from a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from prefect import task

from lakehouse import ids
from lakehouse.keys import duplicated
from lakehouse.lineage import fingerprint, outdated, stage_key
from lakehouse.manifest import last_fingerprint
from lakehouse.quarantine import validate
from lakehouse.run import Run, Stage
from lakehouse.stage import publish, stage_rows
from lakehouse.store import Lake
from schemas import TABLES, BadInput, TableSpec
from schemas.dataset import Band, DatasetSpec
from tasks.archives import local
from tasks.fanout import may_pass, progress
from tasks.lightcurves.batch import LightCurveBatch, concatenate
from tasks.replica import sky
from tasks.replica.sky.bands import SYSTEMS, WAVELENGTH_NM

SOURCE, RAW, BAND, QUARANTINE = (
    TABLES[name] for name in ("core_sample__source", "raw_sample__epoch", "core_dataset__band", "core_quarantine__row")
)
BESIDE = {
    "photometry": TABLES["core_sample__photometry"],
    "class_labels": TABLES["label_sample__class"],
    "parameter_labels": TABLES["label_sample__parameter"],
    "truth": TABLES["label_truth__source"],
}
FOLDER_VERSION = 1  # raise it when a folder is read otherwise than before: lakes then take it in anew
SKY_VERSION = 1  # raise it when the sky changes: lakes then take it in anew
SKY_CHUNK = 2048
FOLDER_CHUNK = 2000


@dataclass(frozen=True, eq=False)
class Haul:
    """Some whole objects as an archive gave them.

    `sources` (S rows) has source_id, object_id, ra, dec; `epochs` all their epochs, in the same order; `beside` the
    tables of BESIDE that belong to them, by source_id; `rejected` what the reader refused, by object_id.
    """

    sources: pa.Table
    epochs: LightCurveBatch
    beside: dict[str, pa.Table] = field(default_factory=dict)
    rejected: pa.Table | None = None


@dataclass(frozen=True, eq=False)
class Archive:
    """An opened archive: its bands, a fingerprint of all it would give, how many objects, and the hauls."""

    bands: tuple[Band, ...]
    fingerprint: str
    n_objects: int
    hauls: Iterator[Haul]
    is_gaia: bool = False
    has_epochs: bool = True
    notes: Sequence[str] = ()


@task(name="acquire", task_run_name="acquire-{run.dataset}", retries=1, retry_condition_fn=may_pass)
def acquire(run: Run, source: Any, limit: int | None) -> Stage:
    """Read the archive where it changed; only new and changed light curves are written, the sample itself last."""
    lake = Lake(run.lake)
    archive = ARCHIVES[source.kind](source, run.dataset, limit)
    inputs = {f"archive of {run.dataset}": archive.fingerprint}
    if lake.exists(SOURCE) and last_fingerprint(lake, *inputs) == archive.fingerprint:
        total = lake.count(SOURCE, dataset=run.dataset)
        return Stage("acquire", 0, total, notes=("input unchanged",), inputs=inputs)

    _refuse_twins(lake, [band.name for band in archive.bands], BAND, "name", "band")
    key = stage_key(lake, RAW, "acquire", run.dataset, archive.fingerprint)
    rows: dict[str, list[pa.Table]] = {name: [] for name in (*BESIDE, "source", "rejected")}
    changed: list[NDArray[np.int64]] = []
    lake.create(RAW)
    with progress("acquire", archive.n_objects) as advance:
        for part, haul in enumerate(archive.hauls):
            changed.append(_receive(run, lake, archive, haul, key, part, rows))
            advance(haul.sources.num_rows)
    fresh = np.concatenate(changed) if changed else np.empty(0, np.int64)
    tables = [publish(lake, run.run_id, RAW, key, None, fresh, run.dataset, "acquire")] if archive.has_epochs else []
    tables += _commit(run, lake, archive, rows)
    counts = {"quarantined": lake.count(QUARANTINE, dataset=run.dataset)}
    total = lake.count(SOURCE, dataset=run.dataset)
    return Stage("acquire", fresh.size, total, tuple(tables), tuple(archive.notes), counts, inputs=inputs)


def _receive(
    run: Run, lake: Lake, archive: Archive, haul: Haul, key: str, part: int, rows: dict[str, list[pa.Table]]
) -> NDArray[np.int64]:
    """Stage the new and changed light curves of a haul, keep its small tables, and say whose they are."""
    table, batch = haul.sources, haul.epochs
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
    for name, beside in haul.beside.items():
        rows[name].append(_placed(run.dataset, beside, source_id, tile))
    if haul.rejected is not None and haul.rejected.num_rows:
        rows["rejected"].append(haul.rejected)
    new = outdated(lake, SOURCE if not archive.has_epochs else RAW, run.dataset, source_id, hashes, "content_hash")
    if archive.has_epochs and new.any():
        stage_rows(run.lake, RAW, _epoch_rows(run, archive, batch, tile, hashes, new), key, part)
    return source_id[new]


def _epoch_rows(
    run: Run, archive: Archive, batch: LightCurveBatch, tile: NDArray[np.int32], hashes: NDArray[np.int64],
    new: NDArray[np.bool_],
) -> pa.Table:  # fmt: skip
    """Rows of raw_sample__epoch of the `new` sources: one for each survey that has seen them."""
    surveys = np.array([band.survey for band in archive.bands])
    tables = []
    for survey in dict.fromkeys(surveys.tolist()):
        seen = batch.keep((surveys == survey)[batch.band])
        index = np.flatnonzero(new & (seen.n_epoch > 0))
        epochs = seen.select(index).sorted_by_time().to_arrow()
        identity = _identity(run.dataset, batch.source_id[index], tile[index])
        names = [name for name in epochs.column_names if name != "source_id"]
        one = pa.array([survey]).take(pa.array(np.zeros(index.size, np.int64)))
        columns = {name: epochs[name] for name in names}
        tables.append(pa.table({**identity, "survey": one, "content_hash": hashes[index], **columns}))
    return pa.concat_tables(tables)


def _identity(dataset: str, source_id: NDArray[np.int64], tile: NDArray[np.int32]) -> dict[str, Any]:
    name = pa.array([dataset]).take(pa.array(np.zeros(source_id.size, np.int64)))
    return {"dataset": name, "tile": tile, "source_id": source_id}


def _placed(dataset: str, table: pa.Table, source_id: NDArray[np.int64], tile: NDArray[np.int32]) -> pa.Table:
    """`table`, which goes by source_id, with the dataset and the tile of each row."""
    order = np.argsort(source_id)
    own = table["source_id"].to_numpy()
    place = order[np.searchsorted(source_id[order], own)]
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
    classes = {name for table in rows["class_labels"] for name in table["class"].unique().to_pylist()}
    _refuse_twins(lake, sorted(classes), BESIDE["class_labels"], "class", "class")
    tables = {BAND: pa.Table.from_pylist(bands, schema=BAND.arrow())}
    rejected = [_refused(run, table) for table in rows["rejected"]]
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


def _refused(run: Run, table: pa.Table) -> pa.Table:
    """Rows that a reader refused, as rows of the quarantine."""
    source_id = ids.source_ids(run.dataset, pc.fill_null(table["object_id"], ""))
    both = _identity(run.dataset, source_id, np.zeros(source_id.size, np.int32))
    run_id = pa.array([run.run_id]).take(pa.array(np.zeros(source_id.size, np.int64)))
    known = pa.array(source_id, mask=np.asarray(table["object_id"].is_null()))
    columns = {name: table[name] for name in ("table", "key", "column", "check", "value")}
    return pa.table({"dataset": both["dataset"], "run_id": run_id, **columns, "source_id": known}).cast(
        QUARANTINE.arrow()
    )


def sky_archive(source: Any, dataset: str, limit: int | None) -> Archive:
    """The embedded sky: labels as the archives would publish them, and the truth for evaluation."""
    n = min(source.n_objects, limit or source.n_objects)
    surveys = [(survey, name) for survey, names in sky.SURVEYS.items() for name in names]
    bands = tuple(
        Band.model_validate({"name": name, "survey": survey, "system": SYSTEMS[survey], "wavelength_nm": wavelength})
        for (survey, name), wavelength in zip(surveys, WAVELENGTH_NM, strict=True)
    )

    def hauls() -> Iterator[Haul]:
        for start in range(0, n, SKY_CHUNK):
            part = sky.generate(source.n_objects, source.seed, start, min(n, start + SKY_CHUNK))
            order = pc.sort_indices(part.sources, [("source_id", "ascending")])
            sources = part.sources.take(order).select(["source_id", "object_id", "ra", "dec"])
            every = concatenate([*part.epochs.values()])
            epochs = every.select(np.argsort(every.source_id, kind="stable")).merged()
            beside = {name: getattr(part, name) for name in ("class_labels", "parameter_labels", "truth")}
            beside["parameter_labels"] = _with(beside["parameter_labels"], "is_reference", False)
            yield Haul(sources, _all_of(sources["source_id"].to_numpy(), epochs), beside)

    mark = fingerprint("sky", SKY_VERSION, source.n_objects, source.seed, n)
    return Archive(bands, mark, n, hauls(), is_gaia=True)


def _all_of(source_id: NDArray[np.int64], epochs: LightCurveBatch) -> LightCurveBatch:
    """`epochs` with an empty light curve for each of the sorted `source_id` (S,) that it has none of."""
    counts = np.zeros(source_id.size, np.int64)
    counts[np.searchsorted(source_id, epochs.source_id)] = epochs.n_epoch
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return LightCurveBatch(source_id, offsets, epochs.time, epochs.mag, epochs.mag_err, epochs.band, epochs.flags,
                           epochs.bands)  # fmt: skip


def folder_archive(source: Any, dataset: str, limit: int | None, need_labels: bool = True) -> Archive:
    """A folder of light curves or of mean photometry; without `need_labels` only ids and positions are looked at."""
    folder, spec = source.folder, source.spec
    objects = local.read_objects(folder, spec, need_labels)
    table = objects.table.slice(0, limit) if limit else objects.table
    mark = fingerprint("folder", FOLDER_VERSION, local.fingerprint(folder), spec.model_dump_json(), limit)
    bands = tuple(band.model_copy(update={"survey": band.survey or dataset}) for band in spec.bands)
    if not spec.has_light_curves:
        hauls = iter([_photometry_haul(spec, dataset, objects, table)])
        return Archive(bands, mark, table.num_rows, hauls, has_epochs=False, notes=objects.notes)
    reader = local.read_epochs(folder, spec, table["object_id"].to_pylist(), FOLDER_CHUNK)
    hauls = _curve_hauls(spec, dataset, objects, table, reader)
    return Archive(bands, mark, table.num_rows, hauls, notes=[*objects.notes, *reader.notes])


def _curve_hauls(
    spec: DatasetSpec, dataset: str, objects: local.Objects, table: pa.Table, reader: Iterator[local.EpochChunk]
) -> Iterator[Haul]:
    """Hauls of a folder of light curves: objects without a usable epoch are in the quarantine alone."""
    source_id = ids.source_ids(dataset, table["object_id"])
    beside = _labels(spec, dataset, objects)
    refused = objects.rejected
    for chunk in reader:
        place = chunk.batch.source_id
        sources = table.take(pa.array(place)).add_column(0, "source_id", pa.array(source_id[place]))
        batch = replace(chunk.batch, source_id=source_id[place])
        mine = {name: _of(rows, batch.source_id) for name, rows in beside.items()}
        yield Haul(sources, batch, mine, pa.concat_tables([refused, chunk.rejected]))
        refused = refused.slice(0, 0)


def _photometry_haul(spec: DatasetSpec, dataset: str, objects: local.Objects, table: pa.Table) -> Haul:
    """The objects of a folder of mean photometry that have any; magnitudes stand in as epochs for the content hash."""
    assert objects.photometry is not None, "a folder without light curves has mean photometry"
    source_id = ids.source_ids(dataset, table["object_id"])
    mags = _by_source(dataset, objects.photometry).filter(
        pc.is_in(objects.photometry["object_id"], value_set=table["object_id"].combine_chunks())
    )
    code = pc.index_in(mags["band"], value_set=pa.array(spec.band_names)).to_numpy().astype(np.int8)
    measured = LightCurveBatch.from_epochs(
        mags["source_id"].to_numpy(), np.zeros(code.size), mags["mag"].to_numpy(),
        pc.fill_null(mags["mag_err"], np.nan).to_numpy(), code, np.zeros(code.size, np.int32), spec.band_names,
    )  # fmt: skip
    order = np.argsort(source_id)
    kept = order[np.searchsorted(source_id[order], measured.source_id)]
    sources = table.add_column(0, "source_id", pa.array(source_id)).take(pa.array(kept))
    beside = {"photometry": mags, **_labels(spec, dataset, objects)}
    mine = {name: _of(rows, measured.source_id) for name, rows in beside.items()}
    return Haul(sources, measured, mine, objects.rejected)


def _labels(spec: DatasetSpec, dataset: str, objects: local.Objects) -> dict[str, pa.Table]:
    """The label tables by source_id. What the mapping lists as a reference is marked so, and never learnt."""
    parameters = _by_source(dataset, objects.parameter_labels)
    learnt = [f"{p.quantity} of {p.origin}" for p in spec.parameters]
    name = pc.binary_join_element_wise(parameters["quantity"], parameters["origin"], " of ")
    is_reference = pc.invert(pc.is_in(name, value_set=pa.array(learnt, pa.string())))
    return {
        "class_labels": _by_source(dataset, objects.class_labels),
        "parameter_labels": parameters.append_column("is_reference", is_reference),
    }


def _of(rows: pa.Table, source_id: NDArray[np.int64]) -> pa.Table:
    """The rows of these sources."""
    return rows.filter(pc.is_in(rows["source_id"], value_set=pa.array(source_id)))


def _with(table: pa.Table, name: str, value: bool) -> pa.Table:
    return table.append_column(name, pa.array(np.full(table.num_rows, value)))


def _by_source(dataset: str, table: pa.Table) -> pa.Table:
    """A table that goes by object_id, by source_id instead; an own label is nobody's photometry unless it says so."""
    source_id = ids.source_ids(dataset, table["object_id"])
    table = table.drop_columns("object_id").add_column(0, "source_id", pa.array(source_id))
    if "class" in table.column_names:
        table = table.append_column("score", pa.nulls(table.num_rows, pa.float32()))
        table = table.append_column("is_photometric", pa.array(np.zeros(table.num_rows, bool)))
    return table


ARCHIVES: dict[str, Callable[[Any, str, int | None], Archive]] = {"sky": sky_archive, "folder": folder_archive}
