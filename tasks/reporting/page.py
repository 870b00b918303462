"""The one self-contained HTML page of a release: no script, nothing fetched from anywhere."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from tasks.reporting.data import ReportData, as_records
from tasks.reporting.notation import (
    IN_UNITS,
    count,
    interval,
    metric_label,
    plural,
    share,
    split_label,
    target_label,
    unit_of,
)
from tasks.reporting.palette import class_colours
from tasks.reporting.parts import Part, Section
from tasks.reporting.sections import HELD_OUT, sections
from tasks.reporting.tables import class_targets, headline, overall

_HERE = Path(__file__).parent


def render(data: ReportData) -> str:
    """The report as one HTML document.

    Works offline, in light and dark and on paper; every string of `data` is escaped. The page names the
    pieces that are absent. Raises KeyError where a table of `data` lacks a column that `ReportData` names.
    """
    colours = class_colours(class_names(data))
    environment = Environment(
        loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.get_template("report.html.j2")
    return template.render(
        data=data,
        sections=_number_parts(sections(data, colours)),
        facts=facts(data),
        findings=tuple(findings(data)),
        created=f"{data.created:%Y-%m-%d %H:%M %Z}".strip(),
    )


def _number_parts(chapters: tuple[Section, ...]) -> list[tuple[Section, list[tuple[int, Part]]]]:
    """Every chapter with its parts, each with its running number among the parts of its kind in the page."""
    running: Counter[str] = Counter()
    numbered = []
    for chapter in chapters:
        pairs = []
        for part in chapter.parts:
            running[part.kind] += 1
            pairs.append((running[part.kind], part))
        numbered.append((chapter, pairs))
    return numbered


def class_names(data: ReportData) -> list[str]:
    """Every class named anywhere in `data`, in the order of the counts, then of the classifier, then by name."""
    listed = [*(data.counts.classes if data.counts else ()), *(data.held_out.classes if data.held_out else ())]
    seen = {curve.class_pred for curve in data.curves}
    for part in (data.sky, data.periods):
        if part is not None and part.class_pred is not None:
            seen |= {str(name) for name in np.unique(np.asarray(part.class_pred, dtype=str))}
    seen |= {r["class"] for r in as_records(data.metrics) if r["class"] != "all"}
    return list(dict.fromkeys([*listed, *sorted(seen)]))


def facts(data: ReportData) -> tuple[tuple[str, str], ...]:
    """The key numbers of the header: (number, what it counts)."""
    found = [
        (count(data.n_objects), "object" if data.n_objects == 1 else "objects"),
        (count(data.n_epochs), "epoch" if data.n_epochs == 1 else "epochs"),
        (count(len(data.bands)), "band" if len(data.bands) == 1 else "bands"),
        (count(data.n_quarantined), "row in quarantine" if data.n_quarantined == 1 else "rows in quarantine"),
    ]
    records = as_records(data.metrics)
    for row in (r for target in class_targets(records) for r in _first_split(records, target) if r["is_chosen"]):
        what = metric_label(row["metric"]).rstrip(" ↑↓") + ", " + split_label(row["split"])
        found.append((f"{row['value']:.3f}", what))
    return tuple(found)


def findings(data: ReportData) -> Iterator[str]:
    """What a reader should take home, one sentence each."""
    if not data.n_objects:
        yield "The catalogue is empty: no object passed the sample, the cuts and validation."
    records = as_records(data.metrics)
    for target in dict.fromkeys(row["target"] for row in records):
        rows = _first_split(records, target)
        if rows:
            yield _verdict(target, rows)
    removed, before = _epochs_cut(data)
    if before:
        yield f"The cuts removed {plural(removed, 'epoch')} ({share(removed, before)} of those that came in)."


def _first_split(records: list[dict[str, Any]], target: str) -> list[dict[str, Any]]:
    """The headline metric of every recipe, in the first split of `HELD_OUT` that measured the chosen one."""
    for split in HELD_OUT:
        rows = headline(overall(records, target, (split,)))
        if any(row["is_chosen"] for row in rows):
            return rows
    return []


def _verdict(target: str, rows: list[dict[str, Any]]) -> str:
    """The chosen recipe's headline number, and that of the best other recipe on the same split."""
    chosen = next(row for row in rows if row["is_chosen"])
    metric = metric_label(chosen["metric"])
    unit = f" {unit_of(target)}" if chosen["metric"] in IN_UNITS and unit_of(target) else ""
    text = (
        f"{target_label(target)}: {chosen['recipe']} reaches {metric.rstrip(' ↑↓')} "
        f"{interval(chosen['value'], chosen['lo'], chosen['hi'])}{unit} on {plural(chosen['n'], 'object')} "
        f"({split_label(chosen['split'])})"
    )
    rivals = [row for row in rows if not row["is_chosen"]]
    if not rivals:
        return text + "; there is no other recipe to compare with."
    best = (max if metric.endswith("↑") else min)(rivals, key=lambda r: r["value"])
    return text + f"; the best other recipe, {best['recipe']}, {interval(best['value'], best['lo'], best['hi'])}{unit}."


def _epochs_cut(data: ReportData) -> tuple[int, int]:
    """Epochs removed by all cuts, and epochs that came in (the largest number before any cut, summed over surveys)."""
    rows = as_records(data.cuts)
    before: dict[str, int] = {}
    for row in rows:
        before[row["survey"]] = max(before.get(row["survey"], 0), row["n_before"] or 0)
    return sum(row["n_removed"] or 0 for row in rows), sum(before.values())
