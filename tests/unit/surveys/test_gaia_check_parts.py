"""The check of a release: how it reads what nobody knows, words and flags, the file that it writes, the verdict."""

import tomllib
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from tasks.archives.errors import BadQuestion, Retryable
from tasks.surveys.gaia_check import Asking, Check, Findings, Line, Status, Verdict, check_release
from tasks.surveys.gaia_check.asking import MOST_REQUESTS, NOTHING, read_any, read_product, word_counts
from tasks.surveys.gaia_check.findings import Ended
from tasks.surveys.gaia_check.flags import KNOWN, find_sense, names_of_band, prove_flags
from tasks.surveys.gaia_check.samples import compare_words
from tasks.surveys.gaia_releases import gaia_release
from tests.unit.surveys.gaia_check_archive import DR4, Archive, findings, lines_of, zipped


def test_any_csv_is_read_with_types_as_they_look():
    rows = read_any(b"Source_ID,flag,x,word,none\n12,True,1.5,RRab,\n13,false,nan,c,\n")
    assert rows.column_names == ["source_id", "flag", "x", "word", "none"]
    assert rows["source_id"].to_pylist() == [12, 13] and rows["flag"].to_pylist() == [True, False]
    assert rows["x"].to_pylist() == [1.5, None] and rows["none"].null_count == 2


@pytest.mark.parametrize("body", [b"a,b", b"a,b\n"])
def test_a_header_alone_has_no_rows(body):
    assert read_any(body).column_names == ["a", "b"] and not read_any(body).num_rows


def test_zeros_and_ones_stay_numbers():
    assert read_any(b"n\n0\n1\n")["n"].to_pylist() == [0, 1]


def test_files_of_one_product_are_put_together_whatever_their_columns():
    answer = zipped(**{
        "EPOCH_PHOTOMETRY-Gaia DR4 7.csv": b"transit_id,g_flux\n1,2.5\n2,3.5\n",
        "EPOCH_PHOTOMETRY-Gaia DR4 8.csv": b"transit_id,g_flux,more\n3,4.5,x\n",
        "EPOCH_PHOTOMETRY_CCD-Gaia DR4 8.csv": b"transit_id,g_flux\n9,9\n",
    })  # fmt: skip
    rows = read_product(answer, "EPOCH_PHOTOMETRY").sort_by("transit_id")
    assert rows["transit_id"].to_pylist() == [1, 2, 3] and rows["source_id"].to_pylist() == [7, 7, 8]
    assert rows["more"].to_pylist() == [None, None, "x"]
    assert read_product(zipped(), "EPOCH_PHOTOMETRY").num_rows == 0


def test_words_are_counted_but_for_null():
    assert word_counts(pa.table({"word": ["RR", None, "CEP"], "n": [3, 9, 1]})) == {"RR": 3, "CEP": 1}


def test_a_check_asks_no_more_than_it_may():
    asking = Asking(Archive(SELECT=b"n\n1\n"))
    for _ in range(MOST_REQUESTS):
        asking.rows("SELECT 1")
    with pytest.raises(Retryable, match=f"asked {MOST_REQUESTS} times"):
        asking.rows("SELECT 1")
    assert len(asking.send.asked) == MOST_REQUESTS


def test_questions_go_without_the_queue_once_it_stands_still():
    asking = Asking(Archive(SELECT=b"n\n1\n"), is_sync=True)
    asking.rows("SELECT 1")
    ((question, items),) = asking.send.asked
    assert question.is_sync and question.service == "gaia_tap" and items is NOTHING
    asking.send.answers["EPOCH"] = zipped()
    asking.products([4, 5], "EPOCH_PHOTOMETRY", "Gaia DR4")
    question, items = asking.send.asked[-1]
    assert question.parameters == {"RELEASE": "Gaia DR4", "DATA_STRUCTURE": "INDIVIDUAL"}
    assert items["source_id"].to_pylist() == [4, 5]


# Words


def test_a_word_that_is_spelled_otherwise_becomes_ours():
    found = findings()
    (line,) = compare_words(found, "rr_class", ("RRab", "RRc", "RRd"), {"RRAB": 5, "RR_C": 2, "RRd": 1})
    assert line.status == Status.DIFFERENT
    assert found.release.words["rr_class"] == {"RRAB": "RRab", "RR_C": "RRc"}
    (line,) = compare_words(found, "rr_class", ("RRab", "RRc", "RRd"), {"RRAB": 5, "RR_C": 2, "RRd": 1})
    assert line.status == Status.OK  # with what was found the archive is as expected


def test_a_class_that_nothing_has_is_missing():
    found = findings()
    (line,) = compare_words(found, "class_name", ("RR", "LPV"), {"RR": 5, "MIRA": 2})
    assert line.status == Status.MISSING and line.seen == "class_name: RR 5, MIRA 2: nothing is LPV"
    (line,) = compare_words(found, "phot_variable_flag", ("VARIABLE", "CONSTANT"), {"VARIABLE": 5})
    assert line.status == Status.OK and not found.changes  # of which no label depends on every word


# Flags


def transits(n: int = 100, rejected: int = 10) -> dict:
    is_bad = np.arange(n) < rejected
    return {"source_id": np.zeros(n, int), "transit_id": np.arange(n), KNOWN: is_bad}


@pytest.mark.parametrize(
    ("values", "flag"),
    [
        (lambda bad: bad, {"column": "f", "when": True}),
        (lambda bad: ~bad, {"column": "f", "when": False}),
        (lambda bad: np.where(bad, -(2**15), 0).astype(np.int16), {"column": "f", "when": True, "bit": 15}),
        (lambda bad: np.where(bad, 0b101, 0b001), {"column": "f", "when": True, "bit": 2}),
        (lambda bad: np.roll(bad, 50), None),
        (lambda bad: np.zeros(bad.size, bool), None),
        (lambda bad: bad * 0.5, None),
        (lambda bad: np.where(bad, "bad", "good"), None),
    ],
)
def test_a_flag_is_known_by_what_it_rejects(values, flag):
    rows = transits()
    assert find_sense(pa.table(rows | {"f": values(rows[KNOWN])}), "f") == flag


def test_too_few_rejected_transits_prove_nothing():
    rows = transits(rejected=2)
    assert find_sense(pa.table(rows | {"f": rows[KNOWN]}), "f") is None


def test_a_flag_of_another_band_is_not_taken():
    names = ["g_good", "is_bp_bad", "mask", "noise"]
    assert names_of_band(names, "BP") == ["is_bp_bad"] and names_of_band(names, "RP") == ["mask", "noise"]
    assert names_of_band(["g_good", "bp_good"], "RP") == []


def test_epochs_without_a_flag_that_tells_are_said_to_have_none():
    found = findings()
    n = 30
    names = ["source_id", "transit_id", *(getattr(DR4.epochs, band).time[0] for band in ("G", "BP", "RP"))]
    found.epochs = pa.table({name: np.arange(n) for name in names} | {"unclear": np.arange(n) % 2 == 0})
    found.epochs_before = pa.table({"source_id": np.arange(n), "transit_id": np.arange(n),
                                    "rejected_by_photometry": np.arange(n) < 5})  # fmt: skip
    for band, part in DR4.epochs.by_band.items():
        for role in ("flux", "flux_over_error", "mag"):
            name = getattr(part, role)[0]
            assert band and name not in found.epochs.column_names
            found.epochs = found.epochs.append_column(name, pa.array(np.ones(n)))
    for line in prove_flags(found):
        assert line.status == Status.UNKNOWN and "that cut removes nothing" in line.seen and not found.changes
    found.epochs = found.epochs.append_column("g_rejected", pa.array(np.arange(n) % 2 == 0))
    assert "g_rejected is not seen to reject" in lines_of(prove_flags(found))[0].seen
    found.epochs = found.epochs.drop_columns("g_rejected").append_column("g_rejected", pa.array(np.arange(n) >= 5))
    assert lines_of(prove_flags(found))[0].status == Status.DIFFERENT  # it has the name, and the other sense
    assert found.release.epochs.G.reject[0].model_dump() == {"column": "g_rejected", "when": False, "bit": None}


# Findings


def test_the_file_says_all_that_is_otherwise_and_why(tmp_path):
    found = findings()
    assert found.change(("tables", "ap"), "ap_main", "ap_xp is not there")
    assert found.change(("columns", "rr_pf"), "", "rr.pf is an array")
    assert found.change(("words", "rr_class"), {"RR ab": "RRab"}, 'it spells "RR ab"')
    assert found.change(("epochs", "G", "reject"), [{"column": "g_ok", "when": False}], "it rejects")
    assert found.change(("limits", "tap_sync"), True, "the queue stood still")
    file = tmp_path / "dr4.toml"
    file.write_text(found.document("live", date(2026, 12, 2)))
    assert "# columns.rr_pf: rr.pf is an array" in file.read_text() and "2026-12-02" in file.read_text()
    assert tomllib.loads(file.read_text()) == found.tree
    assert gaia_release("dr4", str(file)) == found.release


def test_what_no_run_could_do_with_is_not_kept():
    found = findings()
    assert not found.change(("columns", "ra"), "", "it is gone") and not found.changes and found.release is DR4
    assert not found.change(("true_literal",), "'yes'", "so it says")


def test_what_a_file_said_before_stays_in_the_new_one():
    found = Findings(Asking(Archive()), gaia_release("dr4"), given={"release": "dr4", "tables": {"rr": "vari_rrl"}})
    found.change(("tables", "ap"), "ap_main", "it is not there")
    assert found.tree == {"release": "dr4", "tables": {"rr": "vari_rrl", "ap": "ap_main"}}
    assert found.release.tables["rr"] == "gaiadr4.vari_rrl"


# The whole


def told(*tests: Check) -> tuple[Verdict, list[tuple[str, Line]]]:
    lines: list[tuple[str, Line]] = []
    verdict = check_release(findings(), lambda name, line: lines.append((name, line)), tests)
    return verdict, lines


def says(*lines: Line):
    return lambda found: iter(lines)


def fails(found):
    yield Line(Status.OK, "begun")
    raise Retryable("it broke off")


def refused(found):
    raise BadQuestion("there is no such join")
    yield


def breaks(found):
    yield Line(Status.OK, "begun")
    raise KeyError("what nobody expects")


def changes(found):
    found.change(("tables", "ap"), "ap_main", "it is not there")
    yield Line(Status.DIFFERENT, "ap")


def ends(found):
    raise Ended(Verdict.NOT_RELEASED, Line(Status.MISSING, "nothing"))
    yield


@pytest.mark.parametrize(
    ("tests", "verdict"),
    [
        ([Check("a", says(Line(Status.OK, "x"), Line(Status.MISSING, "y")))], Verdict.READY),
        ([Check("a", says(Line(Status.OK, "x"))), Check("b", changes)], Verdict.OVERRIDDEN),
        ([Check("a", changes), Check("b", says(Line(Status.MISSING, "y", is_needed=True)))], Verdict.LACKING),
        ([Check("a", fails, is_first=True), Check("b", changes)], Verdict.UNREACHABLE),
        ([Check("a", fails, is_needed=True), Check("b", changes)], Verdict.UNREACHABLE),
        ([Check("a", refused, is_needed=True), Check("b", changes)], Verdict.LACKING),
        ([Check("a", breaks), Check("b", changes)], Verdict.OVERRIDDEN),
        ([Check("a", fails), Check("b", changes)], Verdict.OVERRIDDEN),
        ([Check("a", ends), Check("b", changes)], Verdict.NOT_RELEASED),
        ([Check("a", changes, is_bulk=True)], Verdict.READY),
    ],
)
def test_the_verdict_is_that_of_the_worst_line(tests, verdict):
    assert told(*tests)[0] == verdict


def test_a_test_that_fails_is_unknown_and_the_next_is_made():
    _, lines = told(Check("a", fails), Check("b", says(Line(Status.OK, "x"))))
    assert [(name, line.status) for name, line in lines] == [
        ("a", Status.OK), ("a", Status.UNKNOWN), ("b", Status.OK)]  # fmt: skip
    assert lines[1][1].seen == "it broke off"
    _, lines = told(Check("a", breaks))
    assert lines[1][1].status == Status.UNKNOWN and lines[1][1].seen.startswith("KeyError")
