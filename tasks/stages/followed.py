"""Labels and published folds that follow sources from earlier datasets."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.delta.keys import find_matches, sort_rows
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES, TableSpec
from schemas.arrays import align

SUCCESSOR, SAMPLE = TABLES["assn_sample__successor"], TABLES["core_sample__source"]
LABELS = tuple(TABLES[f"label_sample__{name}"] for name in ("class", "parameter", "fold"))


def carry_labels(run: Run, lake: Lake) -> tuple[TableRef, ...]:
    """Put beside the dataset's own labels those that follow from earlier datasets; nothing where all are there.

    Its own are those of its newest acquisition, and win where both have a label of one origin. An acquisition replaces
    all, so it ends with this.
    """
    if not lake.exists(SUCCESSOR) or not lake.count(SUCCESSOR, dataset=run.dataset):
        return ()
    links = lake.read(SUCCESSOR, where={"dataset": run.dataset, "is_carried": True})
    sample = lake.read(SAMPLE, ["source_id", "tile"], where={"dataset": run.dataset})
    done = (_carry(run, lake, spec, links, sample) for spec in LABELS if lake.exists(spec))
    return tuple(ref for ref in done if ref)


def _carry(run: Run, lake: Lake, spec: TableSpec, links: pa.Table, sample: pa.Table) -> TableRef | None:
    held = lake.read(spec, where={"dataset": run.dataset}).cast(spec.arrow())
    parts = [_read_own(lake, spec, run.dataset)]
    for earlier in links["earlier_dataset"].unique().to_pylist():
        rows = lake.read(spec, where={"dataset": earlier})
        followed = follow_rows(rows, links.filter(pc.equal(links["earlier_dataset"], earlier)), sample, run.dataset)
        followed = followed.select(held.schema.names).cast(held.schema)
        parts.append(followed.filter(pa.array(~find_matches(followed, pa.concat_tables(parts), spec.key))))
    whole = sort_rows(pa.concat_tables(parts), spec.key).combine_chunks()
    if whole.equals(held.combine_chunks()):
        return None
    return lake.overwrite(run.run_id, spec, whole, {"dataset": run.dataset}, stage="migrate")


def _read_own(lake: Lake, spec: TableSpec, dataset: str) -> pa.Table:
    """The rows of the dataset's newest acquisition."""
    made = (each for each in lake.versions(spec) if each.operation == f"overwrite dataset={dataset}")
    version = next((each.version for each in made if each.stage != "migrate"), None)
    if version is None:
        return spec.empty()
    return lake.read(spec, where={"dataset": dataset}, version=version).cast(spec.arrow())


def follow_rows(rows: pa.Table, links: pa.Table, sample: pa.Table, dataset: str) -> pa.Table:
    """The rows of earlier sources that `links` lead to sources of the `sample`, under these ids.

    `rows` has source_id, `links` earlier_id and source_id, each once, and `sample` source_id and tile.
    """
    place = align(rows["source_id"].to_numpy(), links["earlier_id"].to_numpy())
    rows, later = rows.filter(pa.array(place >= 0)), links["source_id"].to_numpy()[place[place >= 0]]
    place = align(later, sample["source_id"].to_numpy())
    is_there = place >= 0
    fresh = {
        "dataset": pa.repeat(dataset, int(is_there.sum())),
        "tile": sample["tile"].take(pa.array(place[is_there])),
        "source_id": later[is_there],
    }
    rows = rows.filter(pa.array(is_there))
    return pa.table({**{name: rows[name] for name in rows.column_names}, **fresh})
