"""The chapters of the report, each a plain function of the data."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tasks.reporting.coverage import coverage_table
from tasks.reporting.data import ReportData, as_records
from tasks.reporting.figures.abstention import abstention_curves
from tasks.reporting.figures.bars import bars, contest
from tasks.reporting.figures.calibration import calibration_curve
from tasks.reporting.figures.classes import class_counts, confusion_matrix
from tasks.reporting.figures.folded import folded_pages
from tasks.reporting.figures.periods import period_histogram
from tasks.reporting.figures.quantities import quantity_figure
from tasks.reporting.figures.sky import sky_map
from tasks.reporting.notation import count, duration, plural, share
from tasks.reporting.parts import Commands, Listing, Part, Remark, Section
from tasks.reporting.tables import (
    class_table,
    class_targets,
    cut_table,
    headline,
    metric_table,
    overall,
    plain_table,
    quarantine_table,
    timing_table,
)

Colours = Mapping[str, str]
HELD_OUT = ("test", "oof")  # the part that no choice was made on speaks first


def sections(data: ReportData, colours: dict[str, str]) -> tuple[Section, ...]:
    """Every chapter in reading order; none is left out, one without content says so."""
    metrics = as_records(data.metrics)
    return (
        sample_section(data, colours),
        classifier_section(data, metrics, colours),
        quantity_section(data, metrics, colours),
        truth_section(metrics, colours),
        curve_section(data, colours),
        quality_section(data),
        timing_section(data),
        provenance_section(data),
        query_section(data),
    )


def sample_section(data: ReportData, colours: dict[str, str]) -> Section:
    """Where the objects are and what they were taken for."""
    lead = "Where the objects of this release are, and what they were taken for."
    return Section("sample", "The sample", lead, (sky_map(data.sky, colours), class_counts(data.counts, colours)))


def classifier_section(data: ReportData, metrics: Sequence[dict[str, Any]], colours: Colours) -> Section:
    """The chosen classifier against every other, what it confuses, and whether its probabilities hold."""
    lead = (
        "Measured on labelled objects that the model did not see: an object that helped to train is scored by "
        "a model of another fold."
    )
    targets = class_targets(metrics)
    parts = [part for target in targets for part in _comparison(metrics, target, HELD_OUT)]
    if not parts and data.held_out is None:
        remark = Remark("This dataset has no class labels, so no classifier was trained or measured.")
        return Section("classification", "Classification", lead, (remark,))
    parts += [confusion_matrix(data.held_out), calibration_curve(data.held_out)]
    curves = (abstention_curves(metrics, target, HELD_OUT[0]) for target in targets)
    parts += [curve for curve in curves if curve is not None]
    each = (
        table(metrics, target, split, colours)
        for target in targets for table in (class_table, coverage_table) for split in HELD_OUT
    )  # fmt: skip
    per_class = [table for table in each if table is not None]
    parts += per_class or [Remark("No metric was computed class by class.")]
    return Section("classification", "Classification", lead, tuple(parts))


def _comparison(metrics: Sequence[dict[str, Any]], target: str, splits: Sequence[str]) -> list[Part]:
    """Chart and table of the recipes of one target; empty where nothing was measured."""
    rows = overall(metrics, target, splits)
    if not rows:
        return []
    first = headline(rows)
    return [*([contest(target, first)] if first else []), metric_table(rows, target)]


def quantity_section(data: ReportData, metrics: Sequence[dict[str, Any]], colours: Colours) -> Section:
    """Each regressed quantity: recipes against each other, then predictions against labels."""
    lead = "Continuous quantities, measured on labelled objects that the model did not see."
    classes = class_targets(metrics)
    measured = [row["target"] for row in metrics if row["target"] not in classes and row["split"] in HELD_OUT]
    targets = list(dict.fromkeys([*(q.quantity for q in data.quantities), *measured]))
    parts: list[Part] = []
    for target in targets:
        parts += _comparison(metrics, target, HELD_OUT)
        parts += [quantity_figure(q) for q in data.quantities if q.quantity == target]
        held = (coverage_table(metrics, target, split, colours) for split in HELD_OUT)
        parts += [table for table in held if table is not None]
    if not parts:
        parts = [Remark("This dataset has no labels of a continuous quantity, so no regressor was trained.")]
    return Section("quantities", "Quantities", lead, tuple(parts))


def truth_section(metrics: Sequence[dict[str, Any]], colours: Colours) -> Section:
    """Metrics against the truth, which only a simulated sky has."""
    lead = "Labels can be wrong; where the true answer is known, this is how far the catalogue is from it."
    targets = list(dict.fromkeys(row["target"] for row in metrics if row["split"] == "truth"))
    parts: list[Part] = []
    for target in targets:
        parts += _comparison(metrics, target, ("truth",))
        per_class = class_table(metrics, target, "truth", colours)
        parts += [per_class] if per_class else []
    if not parts:
        parts = [Remark("The truth is known for a simulated sky only, so there is nothing to compare with.")]
    return Section("truth", "Against the truth", lead, tuple(parts))


def curve_section(data: ReportData, colours: dict[str, str]) -> Section:
    """Folded light curves per predicted class, then the periods."""
    lead = (
        "Each panel is one object, two cycles of its light curve, bright is up: in bold the probability of the class "
        "that it was given, on the right its label (red where it differs), then its name; below, its period. Where "
        "a panel has several bands, each is drawn relative to its median. Hollow points at an edge lie beyond it."
    )
    pages: tuple[Part, ...] = folded_pages(data.curves, colours)
    if not data.curves:
        pages = (Remark("This dataset has mean photometry only, or no object has a light curve, so none is drawn."),)
    return Section("curves", "Light curves", lead, (*pages, period_histogram(data.periods, colours)))


def quality_section(data: ReportData) -> Section:
    """Epochs that the cuts removed and rows that validation refused."""
    lead = "What was left out, and why."
    cuts = as_records(data.cuts)
    parts: list[Part] = []
    if cuts:
        removed = [row["n_removed"] or 0 for row in cuts]
        words = [f"{count(row['n_removed'])} ({share(row['n_removed'], row['n_before'])})" for row in cuts]
        alt = f"Bar chart of the epochs removed by {plural(len(cuts), 'cut')}."
        caption = f"Epochs removed by each cut. n = {plural(sum(removed), 'epoch')}."
        parts.append(bars("cuts", [f"{row['cut']} · {row['survey']}" for row in cuts], removed, words, alt, caption))
        parts.append(cut_table(cuts))
    else:
        parts.append(Remark("No light curve was cut: this dataset has none, or the ledger of cuts is empty."))
    if data.quarantine is not None and len(data.quarantine):
        parts.append(quarantine_table(data.quarantine))
    else:
        parts.append(Remark("No row failed validation: the quarantine of this run is empty."))
    return Section("quality", "Cuts and quarantine", lead, tuple(parts))


def timing_section(data: ReportData) -> Section:
    """How long each stage took."""
    lead = "How long each stage took, and on how many rows."
    rows = as_records(data.timings)
    if not rows:
        remark = Remark("No stage was timed.")
        return Section("timings", "Timings", lead, (remark,))
    seconds = [row["seconds"] for row in rows]
    alt = f"Bar chart of the seconds spent in {plural(len(rows), 'stage')}."
    caption = f"Time of each stage. n = {plural(len(rows), 'stage')}."
    chart = bars("timings", [str(r["stage"]) for r in rows], seconds, [duration(s) for s in seconds], alt, caption)
    return Section("timings", "Timings", lead, (chart, timing_table(rows)))


def provenance_section(data: ReportData) -> Section:
    """Inputs, tables, models and settings: what one needs to make the release again."""
    lead = "What went in and what came out, exact enough to make this release again."
    tables = (
        plain_table(data.inputs, "Inputs with their fingerprints."),
        plain_table(data.tables, "Tables of the lake that this release was written from."),
        plain_table(data.models, "Models that scored this release."),
    )
    parts: list[Part] = [table for table in tables if table is not None]
    if data.settings:
        parts.append(Listing("Settings of the run", _as_text(data.settings)))
    if data.hardware:
        parts.append(Listing("Hardware and software", _as_text(data.hardware)))
    return Section("provenance", "Provenance", lead, tuple(parts) or (Remark("No provenance was recorded."),))


def _as_text(tree: Mapping[str, Any]) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False, default=str)


def query_section(data: ReportData) -> Section:
    """Commands that read the catalogue."""
    lead = "The catalogue is a table of the lake; these commands read it."
    part: Part = Commands(data.commands) if data.commands else Remark("No command was recorded for this release.")
    return Section("query", "Use the catalogue", lead, (part,))
