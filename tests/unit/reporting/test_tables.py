"""Tables: the right number in the right cell."""

import numpy as np
import pyarrow as pa

from tasks.reporting.data import as_records
from tasks.reporting.tables import (
    MOST_LINES,
    class_table,
    cut_table,
    headline,
    metric_table,
    overall,
    plain_table,
    quarantine_table,
    timing_table,
)
from tests.unit.reporting.report_sample import CLASSES, metric, metrics, quarantine


def texts(table):
    return [[cell.text for cell in line.cells] for line in table.lines]


ROWS = [
    metric("class", "lstm", "oof", "macro_f1", 0.80, 0.02, 90, False),
    metric("class", "forest", "oof", "macro_f1", 0.70, 0.02, 100, False, note="few members"),
    metric("class", "chosen_one", "oof", "macro_f1", 0.75, 0.02, 100, True),
    metric("class", "chosen_one", "oof", "log_loss", 0.5, 0.02, 100, True),
    metric("class", "lstm", "oof", "log_loss", 0.6, 0.02, 90, False),
    metric("class", "chosen_one", "truth", "macro_f1", 0.60, 0.02, 100, True),
    metric("class", "chosen_one", "oof", "f1", 0.9, 0.02, 40, True, "RRab"),
    metric("class", "lstm", "oof", "f1", 0.95, 0.02, 40, False, "RRab"),
]


def test_metric_table():
    table = metric_table(overall(ROWS, "class", ("oof", "test")), "class")
    assert [cell.text for cell in table.header] == ["Recipe", "n", "Macro F1 ↑", "Log loss ↓", "Note"]
    assert texts(table) == [
        ["chosen_one", "100", "0.750 [0.73, 0.77]", "0.500 [0.48, 0.52]", ""],
        ["lstm", "90", "0.800 [0.78, 0.82]", "0.600 [0.58, 0.62]", ""],
        ["forest", "100", "0.700 [0.68, 0.72]", "–", "few members"],
    ]
    assert [line.is_chosen for line in table.lines] == [True, False, False]
    best = [(line.cells[0].text, i) for line in table.lines for i, cell in enumerate(line.cells) if cell.is_best]
    assert best == [("chosen_one", 3), ("lstm", 2)]


def test_a_recipe_of_which_nothing_was_measured_has_no_line_but_a_reason():
    left_out = metric(
        "class", "mean", "oof", "macro_f1", float("nan"), 0.0, 0, False, note="Left out: no two are better."
    )
    table = metric_table(overall([*ROWS, left_out], "class", ("oof", "test")), "class")
    assert texts(table) == texts(metric_table(overall(ROWS, "class", ("oof", "test")), "class"))
    assert table.caption.endswith("n = 100. mean: Left out: no two are better.")


def test_two_splits_are_told_apart():
    table = metric_table(overall(ROWS, "class", ("oof", "truth")), "class")
    assert [row[:2] for row in texts(table)] == [
        ["chosen_one", "out of fold"],
        ["lstm", "out of fold"],
        ["forest", "out of fold"],
        ["chosen_one", "against the truth"],
    ]


def test_headline_prefers_macro_f1_and_skips_nan():
    rows = [*ROWS, metric("class", "broken", "oof", "macro_f1", float("nan"), 0.1, 5, False)]
    first = headline(overall(rows, "class", ("oof",)))
    assert [row["recipe"] for row in first] == ["chosen_one", "lstm", "forest"]
    assert headline([]) == []


def test_class_table():
    table = class_table(ROWS, "class", "oof", {"RRab": "#123456"})
    assert [cell.text for cell in table.header] == ["Class", "n", "chosen_one", "lstm"]
    assert texts(table) == [["RRab", "40", "0.900 [0.88, 0.92]", "0.950 [0.93, 0.97]"]]
    assert table.lines[0].cells[0].colour == "#123456"
    assert [cell.is_best for cell in table.lines[0].cells] == [False, False, False, True]
    assert class_table(ROWS, "teff_k", "oof", {}) is None


def test_class_table_lists_every_class_in_order():
    records = as_records(metrics(np.random.default_rng(0), CLASSES, 100))
    colours = dict.fromkeys(reversed(CLASSES), "#000000")
    assert [row[0] for row in texts(class_table(records, "class", "oof", colours))] == list(reversed(CLASSES))


def test_quarantine_is_counted_by_reason():
    assert texts(quarantine_table(quarantine())) == [
        ["raw_sample__epoch", "mag_err", "finite", "45", "sky-0/ztf: NaN"],
        ["core_sample__source", "dec", "range", "12", "sky-0: -93.2"],
    ]


def test_quarantine_of_many_reasons_is_cut_short():
    rows = [{"table": "t", "column": f"c{i}", "check": "x", "key": "k", "value": None} for i in range(100)]
    table = quarantine_table(rows)
    assert len(table.lines) == MOST_LINES
    assert "commonest of 100 reasons" in table.caption


def test_cut_and_timing_tables():
    cuts = [{"cut": "flagged", "survey": "ztf", "n_removed": 25, "n_before": 1000}]
    assert texts(cut_table(cuts)) == [["flagged", "ztf", "1,000", "25", "2.5 %"]]
    stages = [{"stage": "clean", "seconds": 2.0, "rows": 500}, {"stage": "plan", "seconds": 1.0, "rows": None}]
    assert texts(timing_table(stages)) == [
        ["clean", "2.00 s", "500", "250"],
        ["plan", "1.00 s", "–", "–"],
        ["All stages", "3.00 s", "", ""],
    ]


def test_plain_table_takes_arrow_or_rows():
    rows = [{"name": "a", "rows": 1200}, {"name": "b", "rows": None}]
    expected = [["a", "1,200"], ["b", "–"]]
    assert texts(plain_table(rows, "")) == texts(plain_table(pa.Table.from_pylist(rows), "")) == expected
    assert plain_table([], "") is None
