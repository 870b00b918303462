"""Chapters of the report: which parts each has for given data, in which order, and what it says where it has none."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.reporting.palette import class_colours
from tasks.reporting.parts import Commands, Drawing, Listing, Remark, Table
from tasks.reporting.sections import (
    classifier_section,
    curve_section,
    provenance_section,
    quality_section,
    quantity_section,
    query_section,
    sections,
    timing_section,
    truth_section,
)
from tests.unit.reporting.report_sample import CLASSES, bare_report, metric

COLOURS = class_colours(CLASSES)
EMPTY = bare_report()
ROWS = [
    metric("class", "forest", "oof", "macro_f1", 0.8, 0.01, 90, True),
    metric("class", "forest", "oof", "f1", 0.7, 0.01, 20, True, "RRab"),
    metric("teff_k", "forest", "oof", "rmse", 200.0, 5.0, 90, True),
    metric("class", "forest", "truth", "macro_f1", 0.75, 0.01, 90, True),
]


def kinds(section):
    """Kinds of the parts of a section."""
    return [type(part) for part in section.parts]


def test_every_chapter_is_there_whatever_there_is():
    some = replace(EMPTY, timings=[{"stage": "clean", "seconds": 1.0, "rows": 5}], settings={"seed": 1})
    anchors = [section.anchor for section in sections(some, COLOURS)]
    assert anchors == [section.anchor for section in sections(EMPTY, {})]
    assert len(set(anchors)) == len(anchors) == 9
    assert all(section.parts and section.title and section.lead for section in sections(EMPTY, {}))


def test_without_anything_there_are_remarks_alone():
    assert {kind for section in sections(EMPTY, {}) for kind in kinds(section)} == {Remark}


def test_the_classifier_is_compared_confused_and_calibrated(report):
    section = classifier_section(report, ROWS, COLOURS)
    assert kinds(section) == [Drawing, Table, Drawing, Drawing, Table]
    assert "F1 of each class" in section.parts[-1].caption


def test_without_metrics_by_class_a_remark_says_so(report):
    section = classifier_section(report, ROWS[:1], COLOURS)
    assert section.parts[-1] == Remark("No metric was computed class by class.")


def test_quantities_are_compared_and_then_drawn(report):
    (teff, feh) = report.quantities
    section = quantity_section(replace(EMPTY, quantities=(feh, teff)), ROWS, COLOURS)
    captions = [part.caption.split(":")[0] for part in section.parts]
    assert captions == ["[Fe/H]"] + ["Effective temperature"] * 3
    assert kinds(section) == [Drawing, Drawing, Table, Drawing]


def test_a_quantity_that_was_measured_and_not_kept_is_still_compared():
    assert kinds(quantity_section(EMPTY, ROWS, COLOURS)) == [Drawing, Table]


def test_only_the_truth_is_in_its_chapter():
    section = truth_section(ROWS, COLOURS)
    assert kinds(section) == [Drawing, Table] and "against the truth" in section.parts[1].caption
    assert kinds(truth_section(ROWS[:3], COLOURS)) == [Remark]


def test_light_curves_come_before_their_periods(report):
    few = replace(report, curves=report.curves[:2])
    section = curve_section(few, COLOURS)
    assert section.parts[-1].caption.startswith("Periods found")
    assert len(section.parts) == 1 + len({curve.class_pred for curve in few.curves})


@pytest.mark.parametrize(("removed", "words"), [(5, "5 (5.0 %)"), (None, "– (–)"), (0, "0 (0.0 %)")])
def test_cuts_are_drawn_with_number_and_share(removed, words):
    cuts = [{"cut": "flagged", "survey": "ztf", "n_removed": removed, "n_before": 100}]
    drawn, table, remark = quality_section(replace(EMPTY, cuts=cuts)).parts
    assert f">{words}<" in drawn.svg and f"n = {removed or 0} epochs" in drawn.caption
    assert isinstance(table, Table) and "quarantine of this run is empty" in remark.text


def test_the_quarantine_is_a_table(report):
    parts = quality_section(replace(EMPTY, quarantine=report.quarantine)).parts
    assert [type(part) for part in parts] == [Remark, Table]


def test_stages_are_timed_in_their_order(report):
    drawn, table = timing_section(report).parts
    stages = [row["stage"] for row in report.timings]
    assert [line.cells[0].text for line in table.lines] == [*stages, "All stages"]
    assert [drawn.svg.index(f">{stage}<") for stage in stages] == sorted(
        drawn.svg.index(f">{stage}<") for stage in stages
    )


def test_provenance_lists_only_what_was_recorded(report):
    assert kinds(provenance_section(report)) == [Table, Table, Table, Listing, Listing]
    some = provenance_section(replace(EMPTY, settings={"seed": np.int64(3), "names": ("a", "é")}))
    (listing,) = some.parts
    assert '"seed": "3"' in listing.text and "é" in listing.text


def test_commands_are_shown_as_they_are_typed(report):
    (part,) = query_section(report).parts
    assert isinstance(part, Commands) and part.commands == report.commands


def test_whatever_has_metrics_of_classes_is_a_classifier_and_no_quantity():
    kind = [
        metric("kind", "forest", "oof", "macro_f1", 0.9, 0.01, 90, True),
        metric("kind", "forest", "oof", "f1", 0.8, 0.01, 20, True, "round"),
    ]
    section = classifier_section(EMPTY, [*ROWS, *kind], COLOURS)
    assert [part.caption.split(":")[0] for part in section.parts if isinstance(part, Table)][:2] == ["Class", "Kind"]
    assert kinds(quantity_section(EMPTY, kind, COLOURS)) == [Remark]


def test_the_coverage_and_the_abstention_curve_of_the_chosen_recipe_are_shown(report):
    measured = [
        *(metric("class", name, "test", f"{curve}:kept {kept:.1f}", 1 - 0.2 * kept, 0.02, 50, name == "forest")
          for name in ("forest", "majority") for curve in ("accuracy", "macro_f1") for kept in (0.5, 1.0)),
        metric("class", "forest", "test", "set_coverage", 0.9, 0.02, 50, True),
        metric("class", "forest", "test", "set_coverage:12.0 to 14.0 mag", 0.85, 0.02, 25, True),
        metric("class", "forest", "test", "set_coverage", 0.95, 0.02, 12, True, "RRab"),
        metric("class", "majority", "test", "set_coverage", 0.91, 0.02, 50, False),
        metric("teff_k", "forest", "test", "coverage", 0.68, 0.02, 50, True),
        metric("teff_k", "forest", "test", "coverage_95", 0.94, 0.02, 50, True),
        metric("teff_k", "forest", "test", "coverage_95", 0.97, 0.02, 15, True, "RRab"),
    ]  # fmt: skip
    section = classifier_section(report, [*ROWS, *measured], COLOURS)
    curve = next(part for part in section.parts if "surest" in part.caption)
    assert "macro F1 is 0.900 for the surest half and 0.800 for all" in curve.caption
    table = section.parts[-1]
    assert [line.cells[0].text for line in table.lines] == ["All", "RRab", "12.0 to 14.0 mag"]
    assert [line.cells[2].text[:5] for line in table.lines] == ["0.900", "0.950", "0.850"]
    compared = next(part for part in section.parts if isinstance(part, Table))
    assert not any(":" in cell.text for cell in compared.header)  # points of curves are no columns
    parts = quantity_section(EMPTY, [*ROWS, *measured], COLOURS).parts
    (held,) = (part for part in parts if "set or interval" in part.caption)
    shown = [[cell.text[:4] for cell in line.cells] for line in held.lines]
    assert shown == [["All", "50", "0.68", "0.94"], ["RRab", "15", "–", "0.97"]]
