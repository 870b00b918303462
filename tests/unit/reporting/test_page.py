"""The page as a whole: one file, nothing from outside, everything escaped, everything captioned."""

import re
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pyarrow as pa
import pytest

from tasks.reporting import ClassCounts, HeldOutClasses, ReportData, render
from tasks.reporting.page import facts, findings
from tests.unit.reporting.report_sample import SIXTEEN, bare_report, make_report, phase_only

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Reader(HTMLParser):
    """Collects ids, attributes, texts of captions, and checks that elements nest."""

    def __init__(self, page):
        super().__init__(convert_charrefs=True)
        self.open, self.ids, self.attributes, self.captions, self.tags = [], [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        if tag in {"figcaption", "caption"}:
            self.captions.append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "figcaption" in self.open or "caption" in self.open:
            self.captions[-1] += data


@pytest.fixture(scope="module")
def reader(page):
    return Reader(page)


def outside_addresses(reader):
    """Every address in the page that is neither inside it nor data in it."""
    linked = [value for _, name, value in reader.attributes if name in {"src", "href", "xlink:href", "action", "data"}]
    return [value for value in linked if not value.startswith(("#", "data:"))]


def test_page_is_well_nested_with_unique_ids(reader):
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))


def test_nothing_comes_from_outside(page, reader):
    assert outside_addresses(reader) == []
    assert "script" not in reader.tags
    assert "iframe" not in reader.tags
    assert not re.findall(r"url\((?!#|\"?#)", page)
    assert "@import" not in page
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]
    assert set(re.findall(r"https?://[^\"' <]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert "default-src 'none'" in page


def test_references_inside_the_page_resolve(page, reader):
    used = {v[1:] for _, n, v in reader.attributes if n in {"href", "xlink:href"} and v.startswith("#")}
    used |= set(re.findall(r"url\(#([^)]+)\)", page))
    assert used <= set(reader.ids)


def test_every_figure_and_table_has_a_caption_with_n(reader):
    counted = [caption for caption in reader.captions if "n\u00a0=\u00a0" in caption or "n counts" in caption]
    assert reader.tags.count("figure") > 20
    assert len(reader.captions) == reader.tags.count("figure") + reader.tags.count("table")
    uncounted = [caption for caption in reader.captions if caption not in counted]
    assert all(re.match(r"Table \d+. (Inputs|Tables of|Models)", caption) for caption in uncounted)


def test_every_figure_has_an_alternative_text(reader):
    labels = [value for tag, name, value in reader.attributes if name == "aria-label" and tag == "div"]
    assert reader.tags.count("figure") <= len(labels)
    assert all(len(label) > 5 for label in labels)
    assert reader.attributes.count(("div", "role", "img")) == reader.tags.count("figure")


def test_contents_list_names_every_section(page, reader):
    anchors = [value for tag, name, value in reader.attributes if tag == "a" and name == "href"]
    sections = [value for tag, name, value in reader.attributes if tag == "section" and name == "id"]
    assert [f"#{anchor}" for anchor in sections] == [a for a in anchors if a != "#content"]
    assert len(sections) == 9


def test_key_numbers_are_there(page):
    for text in (
        "3,000",
        "642,000",
        "0.912 [0.90, 0.92]",
        "20260914T101502-4f6c1a",
        "sha256:9f2c41b07d",
        "max_mag_err",
        "argelander query &#34;SELECT",
        "0.1.0+g1a2b3c4",
        "fewer than the folds",
    ):
        assert text in page


def test_size(page):
    assert len(page.encode()) < 4_000_000


def test_same_data_same_page():
    assert render(make_report(("RRab",), n=50)) == render(make_report(("RRab",), n=50))


ATTACK = "<script>alert('x')</script>\"&{{7*7}}$\\frac"


def attacked() -> ReportData:
    """A report in which every string is an attack."""
    base = make_report(("RRab", ATTACK), n=120)
    metric_rows = [row | {"recipe": ATTACK, "note": ATTACK} for row in base.metrics.to_pylist()]
    curves = tuple(
        replace(c, object_id=ATTACK, class_label=ATTACK, note=ATTACK, bands=(ATTACK,) * 9) for c in base.curves
    )
    return replace(
        base,
        title=ATTACK,
        dataset=ATTACK,
        run_id=ATTACK,
        code_version=ATTACK,
        bands=(ATTACK,),
        about=ATTACK,
        notes=(ATTACK,),
        metrics=metric_rows,
        curves=curves,
        held_out=replace(base.held_out, recipe=ATTACK, split=ATTACK),
        quantities=tuple(replace(q, quantity=ATTACK, unit=ATTACK, origin=ATTACK) for q in base.quantities[:1]),
        cuts=[{"cut": ATTACK, "survey": ATTACK, "n_removed": 1, "n_before": 2}],
        quarantine=[{"table": ATTACK, "column": ATTACK, "check": ATTACK, "key": ATTACK, "value": ATTACK}],
        timings=[{"stage": ATTACK, "seconds": 1.0, "rows": 5}],
        inputs=[{ATTACK: ATTACK}],
        tables=[{ATTACK: ATTACK}],
        models=[{ATTACK: ATTACK}],
        settings={ATTACK: [ATTACK]},
        hardware={ATTACK: ATTACK},
        commands=(replace(base.commands[0], text=ATTACK, what=ATTACK),),
    )


def test_hostile_names_are_harmless():
    page = render(attacked())
    reader = Reader(page)
    assert "script" not in reader.tags
    assert reader.open == []
    assert "<script" not in page
    assert "{{7*7}}" in page
    assert "&lt;script&gt;alert" in page
    assert not [name for _, name, _ in reader.attributes if name.startswith("on")]


def test_a_bare_report_says_what_is_absent():
    page = render(bare_report())
    for words in (
        "gives no positions",
        "no class labels",
        "no labels of a continuous quantity",
        "simulated sky only",
        "mean photometry only",
        "No periods were searched",
        "No light curve was cut",
        "quarantine of this run is empty",
        "No stage was timed",
        "No provenance",
        "No command",
        "The catalogue is empty",
    ):
        assert words in page
    assert Reader(page).tags.count("figure") == 0


@pytest.mark.parametrize("piece", [field.name for field in fields(ReportData) if field.default is None])
def test_each_piece_may_be_absent(piece):
    report = replace(make_report(("RRab", "ECL"), n=60), curves=(), quantities=(), **{piece: None})
    page = render(report)
    assert Reader(page).open == []


@pytest.mark.parametrize(
    ("report", "most_bytes"),
    [
        (make_report(SIXTEEN, 2000, 3, radius_deg=6), 4_000_000),
        (make_report(("RRab",), 250, 1), 2_000_000),
        (phase_only(make_report(("RRL", "CEP", "ECL", "MIRA"), 250, 2)), 2_000_000),
    ],
    ids=["sixteen-classes", "one-class", "phase-only"],
)
def test_awkward_reports(report, most_bytes):
    page = render(report)
    reader = Reader(page)
    assert reader.open == []
    assert len(page.encode()) < most_bytes
    assert outside_addresses(reader) == []


def test_empty_tables_and_arrays():
    report = replace(
        bare_report(),
        metrics=make_report(n=20).metrics.slice(0, 0),
        cuts=[],
        quarantine=pa.table({"table": []}),
        timings=[],
        counts=ClassCounts(("A",), np.array([0]), np.array([0])),
        held_out=HeldOutClasses(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 1)), ("A",)),
    )
    assert "nothing to calibrate on" in render(report)


def test_missing_values_in_metrics():
    rows = make_report(n=20).metrics.to_pylist()
    for row in rows:
        row |= {"lo": None, "hi": None, "n": None}
    rows[0]["value"] = None
    rows[1]["value"] = float("nan")
    page = render(replace(bare_report(), metrics=rows, n_objects=20))
    assert not re.findall(r"\b(nan|None)\b", re.sub(r"base64,[^\"]*", "", page))


def test_findings_compare_with_the_best_other():
    text = next(findings(make_report(n=20)))
    assert text.startswith("Class: balanced_forest reaches Macro F1 0.912 [0.90, 0.92] on 20 objects (out of fold)")
    assert "the best other recipe, forest, 0.897" in text


def test_the_untouched_part_speaks_first():
    """Where a held-out test set exists, the header quotes it, even where the out-of-fold figure is better."""
    rows = make_report(n=20).metrics.to_pylist()
    tests = [row | {"split": "test", "value": row["value"] - 0.1} for row in rows if row["split"] == "oof"]
    report = replace(bare_report(), metrics=rows + tests)
    assert facts(report)[-1] == ("0.812", "Macro F1, held-out test")
    assert "(held-out test); the best other recipe, forest, 0.797" in list(findings(report))[1]
