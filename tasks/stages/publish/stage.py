"""Release the catalogue as files that any tool opens, with a report that says how good it is."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.column_names import NAME
from lakehouse.delta.store import Lake
from lakehouse.disk import read_json
from lakehouse.lineage import fingerprint
from lakehouse.manifest import RUN_FOLDER, RunManifest
from lakehouse.models import ModelPlace, read_card, read_current
from lakehouse.releases.latest import renew_latest
from lakehouse.releases.release import write_release
from lakehouse.run import Run, StageResult
from schemas import TABLES, BadInput, Column, TableSpec
from schemas.arrays import align_all
from tasks.learning.targets import target_from_json
from tasks.reporting.page import render
from tasks.stages.publish.findings import gather_findings

CATALOGUE, FEATURES, METRIC, TRUTH = (
    TABLES[name] for name in ("out__catalogue", "feature_sample__source", "score_model__metric", "label_truth__source")
)
RELEASED = ("score_model__metric", "core_cut__ledger", "core_quarantine__row")  # beside the catalogue
TRUTH_NOTE = "Against the true values of the embedded sky, sources that trained no model."


def publish_release(
    run: Run, release: Path, manifest: RunManifest, place: ModelPlace | None = None, is_synthetic: bool = False
) -> StageResult:
    """Write a new release unless the newest one already holds this catalogue, which the models of `place` gave.

    Without a model it holds the features, too. The report of an `is_synthetic` sky says so.
    """
    lake, place = Lake(run.lake), place or ModelPlace(run.lake, run.dataset)
    if not lake.exists(CATALOGUE) or not lake.count(CATALOGUE, dataset=run.dataset):
        return StageResult("publish", 0, 0, notes=("no catalogue: nothing to release",))
    rows = lake.read(CATALOGUE, where={"dataset": run.dataset})
    # What was scored, and by which models, decides every value of the catalogue.
    models = sorted(set(rows["model_id"].to_pylist()))
    mark = fingerprint(rows["source_id"].to_numpy(), rows["feature_hash"].to_numpy(), models)
    inputs = {f"release of {run.dataset} in {release.resolve()}": mark}
    if held := find_release(lake, release, run.dataset, mark):
        renew_latest(held, run.dataset)
        return StageResult("publish", 0, rows.num_rows, notes=(f"release {held} is current",), inputs=inputs)

    measure_against_truth(run, lake, rows, place)
    tables = _released_tables(run, lake, rows)
    report = render(gather_findings(run, lake, rows, manifest, place, is_synthetic))
    folder = release / f"{run.dataset}-{run.run_id}"
    write_release(folder, tables, {**asdict(manifest), "catalogue": mark}, {"report.html": report})
    return StageResult("publish", rows.num_rows, rows.num_rows, notes=(f"release {folder}",), inputs=inputs)


def find_release(lake: Lake, release: Path, dataset: str, mark: str) -> Path | None:
    """The release of `dataset` in the folder `release` whose catalogue has this fingerprint, the newest of several."""
    held = sorted(path.parent for path in release.glob(f"{dataset}-[0-9]*/report.html"))
    return next((folder for folder in reversed(held) if _fingerprint_of(lake, folder, dataset) == mark), None)


def _fingerprint_of(lake: Lake, folder: Path, dataset: str) -> str | None:
    """Fingerprint of the catalogue of a release; of an older program's, the manifest of its run in the lake has it."""
    with suppress(FileNotFoundError, BadInput, KeyError):
        return read_json(folder / "manifest.json")["catalogue"]
    with suppress(FileNotFoundError, BadInput, KeyError):
        inputs = read_json(lake.path / RUN_FOLDER / f"{folder.name.removeprefix(f'{dataset}-')}.json")["inputs"]
        marks = (each["fingerprint"] for each in inputs if each["name"].startswith(f"release of {dataset} in "))
        return next(marks, None)
    return None


def _released_tables(run: Run, lake: Lake, rows: pa.Table) -> dict[str, tuple[TableSpec, pa.Table]]:
    """The tables of a release with their declarations: the catalogue `rows`, what they were measured by, and what was
    left out; the features as well where there is no model to read them.
    """
    where = {"dataset": run.dataset}
    found = {CATALOGUE.name: rows}
    if not any(rows["model_id"].to_pylist()) and lake.exists(FEATURES):
        found[FEATURES.name] = lake.read(FEATURES, where=where)
    found |= {name: lake.read(TABLES[name], where=where) for name in RELEASED if lake.exists(name)}
    specs = {name: bind_families(lake, TABLES[name], table) for name, table in found.items()}
    released = {name: (spec, found[name].select(spec.arrow().names)) for name, spec in specs.items()}
    names = lake.read(NAME, where=where) if lake.exists(NAME) else NAME.empty()
    return released | ({NAME.name: (_describe_names(names), names)} if names.num_rows else {})


def _describe_names(rows: pa.Table) -> TableSpec:
    """The declaration of the names of columns, with each of them in it: so they stand in the data dictionary."""
    each = (f"{row['kind']} {row['name']} is {row['column_name']}" for row in rows.to_pylist())
    return replace(NAME, doc=f"{NAME.doc} Here {', '.join(each)}.")


def bind_families(lake: Lake, declared: TableSpec, rows: pa.Table) -> TableSpec:
    """The declaration of a table with the columns of its families that hold anything, their units included."""
    own = [name for name in rows.column_names if name not in declared.columns_by_name]
    schema = lake.dataset(declared).schema
    columns = []
    for name in own:
        if rows[name].null_count == rows.num_rows:
            continue  # of another dataset in the same lake
        about = {key.decode(): value.decode() for key, value in (schema.field(name).metadata or {}).items()}
        columns.append(Column(name, rows[name].type, about.get("description", f"{name}."), about.get("unit", ""),
                              about.get("ucd", ""), nullable=True))  # fmt: skip
    return declared.bind(columns)


def measure_against_truth(run: Run, lake: Lake, rows: pa.Table, place: ModelPlace) -> None:
    """Where the dataset has a truth: metrics of the catalogue's sources that trained no model, merged into the lake."""
    if not lake.exists(TRUTH) or not lake.count(TRUTH, dataset=run.dataset):
        return
    held_out, truth = _with_truth(rows, lake.read(TRUTH, where={"dataset": run.dataset}))
    metrics: list[dict[str, Any]] = []
    for target, model_id in read_current(place.lake, place.dataset).items():
        card = read_card(place.lake, place.dataset, target, model_id)
        learnt = target_from_json(card["bound_target"])
        about = {"dataset": run.dataset, "recipe": card["recipe"]["name"], "model_id": model_id, "split": "truth",
                 "is_chosen": True}  # fmt: skip
        for part, measured in learnt.measure_catalogue(held_out, truth, TRUTH_NOTE).items():
            metrics += [{**metric.row(), **about, "target": part} for metric in measured]
    lake.merge(run.run_id, METRIC, pa.Table.from_pylist(metrics, schema=METRIC.arrow()), stage="publish")


def _with_truth(rows: pa.Table, truth: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Rows of the scored sources that trained no model and have a truth, and these values, in order of source_id."""
    twins = pc.drop_null(truth["duplicate_of"])  # one star, two ids: the other id may have trained
    truth = truth.filter(
        pc.invert(pc.or_(truth["duplicate_of"].is_valid(), pc.is_in(truth["source_id"], value_set=twins)))
    )
    held_out = rows.filter(pc.and_not(rows["unscored_reason"].is_null(), rows["is_training"])).sort_by("source_id")
    held_out = held_out.filter(pc.is_in(held_out["source_id"], value_set=truth["source_id"].combine_chunks()))
    place = align_all(held_out["source_id"].to_numpy(), truth["source_id"].to_numpy(), TRUTH.name)
    return held_out, truth.take(pa.array(place))
