"""What the report says of a catalogue, gathered from the lake."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.bands import read_bands
from lakehouse.delta.store import Lake
from lakehouse.manifest import RunManifest
from lakehouse.models import ModelPlace, read_card, read_current
from lakehouse.run import Run
from schemas import TABLES
from schemas.arrays import floats
from tasks.learning.targets import Classification, target_from_json
from tasks.reporting.data import (
    ClassCounts,
    ClassPeriods,
    Command,
    FoldedCurve,
    HeldOutClasses,
    HeldOutQuantity,
    ReportData,
    SkyPositions,
)
from tasks.reporting.notation import plural
from tasks.stages.inputs import read_light_curves
from tasks.stages.publish.held_out import read_held_out

METRIC = "score_model__metric"
SYNTHETIC = "A synthetic sky: these stars are simulated, and none of them was observed."
UNSCORED = {  # sentences on rows without scores, by the reason that the catalogue gives
    "no_epoch": "The cuts left no epoch of {}: no class and no quantity is given.",
    "no_model": "No model has been trained, so {} have no class and no quantity.",
}
PER_CLASS = 2  # folded curves of each class: the surest and the least sure
MOST_CLASSES = 12
SHOWN_BANDS = 4


def gather_findings(
    run: Run,
    lake: Lake,
    rows: pa.Table,
    manifest: RunManifest,
    place: ModelPlace | None = None,
    is_synthetic: bool = False,
) -> ReportData:
    """Everything the report shows of the catalogue `rows` of the run's dataset, which the models of `place` scored."""
    where = {"dataset": run.dataset}
    dataset_bands = read_bands(lake, run.dataset)
    place = place or ModelPlace(run.lake, run.dataset)
    models = read_current(place.lake, place.dataset)
    cards = {target: read_card(place.lake, place.dataset, target, model) for target, model in models.items()}
    quarantine = _read(lake, "core_quarantine__row", where)
    classed = rows.filter(rows["class_pred"].is_valid())  # a source without an epoch has no class and is not drawn
    has_class = classed.num_rows > 0
    predicted = classed["class_pred"].to_numpy(zero_copy_only=False) if has_class else None
    held = read_held_out(place, cards)
    return ReportData(
        title=f"Catalogue of {run.dataset}",
        dataset=run.dataset,
        run_id=run.run_id,
        created=datetime.now(UTC),
        code_version=manifest.code_version,
        n_objects=rows.num_rows,
        n_epochs=int(pc.sum(lake.read(TABLES["core_sample__source"], ["n_epoch"], where)["n_epoch"]).as_py() or 0),
        bands=dataset_bands.names,
        n_quarantined=quarantine.num_rows if quarantine is not None else 0,
        about=SYNTHETIC if is_synthetic else "",
        notes=(*_unscored(rows), *(card["note"] for card in cards.values() if card["note"])),
        sky=_sky(classed if has_class else rows, predicted),
        counts=_counts(lake, where, predicted, cards),
        held_out=next((each for each in held if isinstance(each, HeldOutClasses)), None),
        quantities=tuple(each for each in held if isinstance(each, HeldOutQuantity)),
        metrics=_read_metrics(run, place),
        curves=_curves(run, lake, classed, cards, dataset_bands.names) if has_class else (),
        periods=_periods(classed if has_class else rows, predicted),
        cuts=_cuts(lake, where),
        quarantine=quarantine,
        timings=[{"stage": s["name"], "seconds": s.get("seconds"), "rows": s.get("done", 0)} for s in manifest.stages],
        inputs=manifest.inputs,
        tables=[
            {"table": name, "version": lake.version(name), "rows": rows}
            for name, rows in lake.rows_of(run.dataset).items()
        ],
        models=[_describe_model(target, card) for target, card in cards.items()],
        settings=manifest.settings,
        hardware=manifest.hardware,
        commands=_commands(run, has_class),
    )


def _describe_model(target: str, card: dict[str, Any]) -> dict[str, Any]:
    """A row of the report's table of models."""
    choice = card.get("choice", {})
    of_choice = {"runner_up": choice.get("runner_up"), "margin": choice.get("margin"), "error": choice.get("spread")}
    return {"target": target, "recipe": card["recipe"]["name"], **of_choice, "model_id": card["model_id"]}


def _read_metrics(run: Run, place: ModelPlace) -> pa.Table | None:
    """How good the models are, as measured where they were trained, and what was measured of the dataset itself."""
    places = dict.fromkeys([(place.lake, place.dataset), (run.lake, run.dataset)])
    found = [_read(Lake(lake), METRIC, {"dataset": dataset}) for lake, dataset in places]
    tables = [table for table in found if table is not None]
    return pa.concat_tables(tables, promote_options="default") if tables else None


def _read(lake: Lake, name: str, where: dict[str, Any]) -> pa.Table | None:
    return lake.read(TABLES[name], where=where) if lake.exists(name) else None


def _unscored(rows: pa.Table) -> list[str]:
    """What a reader must know about the rows without scores, a sentence for each reason."""
    counts = rows["unscored_reason"].drop_null().value_counts().to_pylist()
    return [f"{UNSCORED[each['values']].format(plural(each['counts'], 'object'))}" for each in counts]


def _periods(rows: pa.Table, predicted: NDArray | None) -> ClassPeriods | None:
    period = floats(rows["period_day"])
    if not np.isfinite(period).any():
        return None
    return ClassPeriods(period, np.full(rows.num_rows, "all objects") if predicted is None else predicted)


def _sky(rows: pa.Table, predicted: NDArray | None) -> SkyPositions | None:
    ra, dec = floats(rows["ra"]), floats(rows["dec"])
    return SkyPositions(ra, dec, predicted) if np.isfinite(ra).any() else None


def _counts(
    lake: Lake, where: dict[str, Any], predicted: NDArray | None, cards: dict[str, dict[str, Any]]
) -> ClassCounts | None:
    if predicted is None:
        return None
    classes = _classes(cards)
    labels = lake.read(TABLES["label_sample__class"], ["class"], where)["class"]
    found = dict(zip(*np.unique(labels.to_numpy(zero_copy_only=False).astype(str), return_counts=True), strict=True))
    given = dict(zip(*np.unique(predicted.astype(str), return_counts=True), strict=True))
    return ClassCounts(classes, *(np.array([n.get(c, 0) for c in classes]) for n in (given, found)))


def _classes(cards: dict[str, dict[str, Any]]) -> tuple[str, ...]:
    """The classes that the models tell apart."""
    return tuple(name for card in cards.values() for name in card["classes"])


def _curves(
    run: Run, lake: Lake, rows: pa.Table, cards: dict[str, dict[str, Any]], names: tuple[str, ...]
) -> tuple[FoldedCurve, ...]:
    """The surest and the least sure source of each class, folded at the period found."""
    if not lake.exists("core_sample__epoch") or not lake.count("core_sample__epoch", dataset=run.dataset):
        return ()
    labels = lake.read(TABLES["label_sample__class"], ["source_id", "class"], {"dataset": run.dataset})
    label = dict(zip(labels["source_id"].to_pylist(), labels["class"].to_pylist(), strict=True))
    predicted = rows["class_pred"].to_numpy(zero_copy_only=False).astype(str)
    proba = _probability_of(predicted, rows, cards)
    chosen: list[int] = []
    classes, counts = np.unique(predicted, return_counts=True)
    for name in classes[np.argsort(-counts)][:MOST_CLASSES]:
        mine = np.flatnonzero(predicted == name)
        mine = mine[np.argsort(-proba[mine])]
        chosen += [*mine[: PER_CLASS // 2], *mine[-(PER_CLASS // 2) :]] if mine.size >= PER_CLASS else [*mine]
    index = np.array(sorted(set(chosen), key=chosen.index))
    picked = rows.take(pa.array(index))
    source_id = picked["source_id"].to_numpy()
    order = np.argsort(source_id)
    batch = read_light_curves(run, source_id[order])
    place = np.argsort(order)
    return tuple(
        _curve(row, float(proba[index[i]]), label.get(row["source_id"]), batch.select([place[i]]), names)
        for i, row in enumerate(picked.to_pylist())
    )


def _probability_of(predicted: NDArray, rows: pa.Table, cards: dict[str, dict[str, Any]]) -> NDArray[np.float64]:
    """Probability (S,) of the predicted class of each row."""
    found = np.full(rows.num_rows, np.nan)
    parts = (part for card in cards.values() for part in target_from_json(card["bound_target"]).parts)
    for part in parts:
        if isinstance(part, Classification):
            for name, column in part.probabilities.items():
                found = np.where(predicted == name, floats(rows[column]), found)
    return found


def _curve(row: dict[str, Any], proba: float, label: str | None, one: Any, names: tuple[str, ...]) -> FoldedCurve:
    period = row["period_day"]
    counts = np.bincount(one.band, minlength=len(names))
    shown = np.sort(np.argsort(-counts, kind="stable")[:SHOWN_BANDS])
    one = one.keep(np.isin(one.band, shown[counts[shown] > 0]))
    if period:
        phase = one.time / period % 1
    else:  # a folded dataset has phases for times; otherwise no period was found
        phase = one.time % 1 if np.ptp(one.time) <= 2 else np.full(one.time.size, np.nan)
    return FoldedCurve(
        row["object_id"],
        row["class_pred"],
        proba,
        label,
        period,
        phase,
        one.mag,
        one.mag_err,
        one.band,
        names,
        "out of fold" if row["is_training"] else "",
    )


def _cuts(lake: Lake, where: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Epochs that each cut removed, by survey, in the order of the cuts."""
    raw = _read(lake, "raw_sample__epoch", where)
    if raw is None or not raw.num_rows:
        return None
    from tasks.surveys.cuts import list_cuts

    n_epoch = pa.table({"survey": raw["survey"], "n": pc.list_value_length(raw["time"])})
    before = {r["survey"]: r["n_sum"] for r in n_epoch.group_by("survey").aggregate([("n", "sum")]).to_pylist()}
    ledger = (
        lake.read(TABLES["core_cut__ledger"], where=where).group_by(["cut", "survey"]).aggregate([("n_removed", "sum")])
    )
    removed = {(r["cut"], r["survey"]): r["n_removed_sum"] for r in ledger.to_pylist()}
    rows = []
    for survey, n in before.items():
        for cut in list_cuts():
            gone = removed.get((cut, survey), 0)
            rows.append({"cut": cut, "survey": survey, "n_removed": gone, "n_before": n})
            n -= gone
    return rows


def _commands(run: Run, has_class: bool) -> tuple[Command, ...]:
    """What a reader can type next."""
    lake = f"--lake {shlex.quote(run.lake)}"
    what = "class_pred, count(*) AS n" if has_class else "count(*) AS n"
    group = " GROUP BY class_pred ORDER BY n DESC" if has_class else ""
    sql = f"SELECT {what} FROM out__catalogue WHERE dataset = '{run.dataset}'{group}"
    return (
        Command(f'argelander query "{sql}" {lake}', "ask the catalogue"),
        Command(f"argelander describe out__catalogue {lake}", "its columns, units and meaning"),
    )
