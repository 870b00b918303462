"""Answers that are whole and wrong: ids twice or missing, sentinels, empty tables.

What ought to be there and is not is asked for once more. Else nothing tells such an answer from a true one: it is kept
and taken as true. What can be seen in it goes into the quarantine with its reason, and nothing else changes; what only
another run could show is told here.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from schemas import TABLES
from tasks.archives import services as profiles
from tasks.lightcurves.batch import LightCurveBatch
from tasks.lightcurves.cuts import apply_cuts
from tasks.surveys.cuts import CutConfig
from tests.integration.acquisition import (
    acquire_into,
    faults_left,
    items_answered_twice,
    limits_with,
    set_faults,
    source_of,
    tables,
)
from tests.integration.faulty import BY_PORTAL, DIRECT, OTHER_WAYS, extra

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("calm")]
SECOND = {"service": "mast_ps1", "after": 2}  # of its two questions, the one about detections: objects are counted


EPOCHS = ("gaia_datalink", "mast_ps1", "irsa_lightcurves")


def lost_of_each_survey(count: int, **fault) -> list[dict]:
    """The fault in the first `count` answers with epochs of each survey."""
    return [{**SECOND, **fault, "count": count}, *(direct(name, **fault, count=count) for name in EPOCHS[::2])]


def direct(service: str, **fault) -> dict:
    return {"service": service, "path": (DIRECT | OTHER_WAYS)[service], **fault}


def acquired_with(base, undisturbed, lake, *faults) -> dict[str, pa.Table]:
    """The tables of a run that met these faults, all of them, and asked for nothing again.

    The TIC is asked by MAST's portal: what MAST's TAP answers is counted.
    """
    set_faults(base, *faults)
    acquire_into(lake, source_of(base, options=BY_PORTAL))
    others = {name: n for name, n in extra(base, undisturbed).items() if name not in ("mast_tic", "mast_portal")}
    assert faults_left(base) == [] and others == {}
    return tables(lake)


def differing(one: dict[str, pa.Table], other: dict[str, pa.Table]) -> dict[str, set]:
    """By table, the sources whose rows are not the same in both; contents' hashes differ where the contents do."""
    found = {}
    for name in one:
        rows = [{}, {}]
        for held, table in zip(rows, (one[name], other[name]), strict=True):
            hashed = [column for column in ("content_hash",) if column in table.column_names]
            for row in table.drop_columns(hashed).to_pylist():
                held.setdefault(row.get("source_id"), []).append(repr(row))
        if sources := {id for id in {*rows[0], *rows[1]} if rows[0].get(id) != rows[1].get(id)}:
            found[name] = sources
    return found


def refused(held: dict[str, pa.Table]) -> dict[tuple[str, str, str], pa.Table]:
    """Rows of the quarantine by table, column and check, without those that every run has."""
    table = held["core_quarantine__row"]
    reasons = sorted({(row["table"], row["column"], row["check"]) for row in table.to_pylist()})
    return {reason: table.filter(np.logical_and.reduce([
        pc.equal(table[name], value) for name, value in zip(("table", "column", "check"), reason, strict=True)
    ])) for reason in reasons}  # fmt: skip


def rows_of(held: dict[str, pa.Table], survey: str) -> pa.Table:
    """Light curves of one survey, by source and object."""
    table = held["raw_sample__epoch"]
    return table.filter(pc.equal(table["survey"], survey)).sort_by([("source_id", "ascending"), ("objid", "ascending")])


def objects(table: pa.Table) -> set[tuple[int, int]]:
    return set(zip(table["source_id"].to_pylist(), table["objid"].to_pylist(), strict=True))


def epochs(table: pa.Table) -> LightCurveBatch:
    """Their epochs, a row for each object."""
    return LightCurveBatch.from_arrow(table.select(["source_id", "time", "mag", "mag_err", "band", "flags"]), BANDS)


BANDS = [f"band {number}" for number in range(12)]


def test_what_comes_twice_counts_once(replica, acquired, tmp_path):
    """Gaia's repetitions are refused, row by row; those of ZTF stay in the raw table, and a cut takes them."""
    names = ("gaia_datalink", "irsa_lightcurves", "mast_portal", "cds_xmatch")
    faults = [{"service": name, "kind": "duplicate_ids", "rows": 2} for name in names]
    held = acquired_with(replica, acquired, tmp_path / "lake", *faults)
    differ = differing(acquired.tables, held)
    assert set(differ) == {"core_sample__source", "core_quarantine__row", "raw_sample__epoch"}
    reason = ("gaia_epoch_photometry", "transit_id", "duplicate")
    assert set(refused(held)) - set(refused(acquired.tables)) == {reason}
    sources = refused(held)[reason]["source_id"].unique()
    gaia = rows_of(acquired.tables, "gaia")
    theirs = gaia.filter(pc.is_in(gaia["source_id"], sources))
    assert len(sources) == 2
    assert refused(held)[reason].num_rows == pc.sum(pc.list_value_length(theirs["time"])).as_py()
    for survey, n_twice in (("gaia", 0), ("ps1", 0), ("ztf", 2)):
        plain, doubled = rows_of(acquired.tables, survey), rows_of(held, survey)
        ratio = pc.list_value_length(doubled["time"]).to_numpy() / pc.list_value_length(plain["time"]).to_numpy()
        assert set(ratio) <= {1.0, 2.0}
        assert pc.count_distinct(doubled["objid"].filter(pa.array(ratio == 2))).as_py() == n_twice
        once, removed, _ = apply_cuts(epochs(doubled), CutConfig(names=("duplicate_time",)))
        for name in ("source_id", "offsets", "time", "mag", "mag_err", "band", "flags"):
            np.testing.assert_array_equal(getattr(once, name), getattr(epochs(plain), name))
        assert removed.sum() == epochs(plain).time.size - epochs(plain.filter(pa.array(ratio == 1))).time.size


@pytest.mark.parametrize("kind", ["empty_product", "missing_ids"])
def test_epochs_that_an_answer_lacks_are_asked_for_again(kind, replica, acquired, tmp_path):
    """All of them, or those of two objects, of each survey: one request more at most, and nothing is missing."""
    set_faults(replica, *lost_of_each_survey(1, kind=kind, rows=2))
    acquire_into(tmp_path / "lake", source_of(replica))
    assert faults_left(replica) == [] and differing(acquired.tables, tables(tmp_path / "lake")) == {}
    more = extra(replica, acquired)  # of a survey that leaves out objects anyway these are asked about with them
    assert set(more) <= set(EPOCHS) and set(more.values()) == {1} and more["mast_ps1"] == 1
    assert items_answered_twice(tmp_path / "lake") == []


def test_epochs_that_stay_away_are_reported(replica, acquired, tmp_path, monkeypatch):
    """Those of two objects each, asked for twice; matches, labels and all other epochs are as they were.

    Detections of PS1 are counted: what an answer lacks of them is a fault.
    """
    monkeypatch.setitem(
        profiles.PROFILES, "fast", limits_with(irsa_lightcurves={"chunk": 10_000})
    )  # all in one request
    set_faults(replica, *lost_of_each_survey(2, kind="missing_ids", rows=2)[1:])
    acquire_into(tmp_path / "lake", source_of(replica))
    held = tables(tmp_path / "lake")
    assert faults_left(replica) == [] and items_answered_twice(tmp_path / "lake") == []
    report = {"gaia": ("gaia_epoch_photometry", "source_id"), "ztf": ("nph_light_curves", "oid")}
    missing = set()
    for survey, (table, column) in report.items():
        gone = objects(rows_of(acquired.tables, survey)) - objects(rows_of(held, survey))
        before, after = (refused(run).get((table, column, "no_product")) for run in (acquired.tables, held))
        known = {*before["key"].to_pylist()} if before is not None else set()
        assert len({objid for _, objid in gone}) == 2
        assert {*after["key"].to_pylist()} - known == {str(objid) for _, objid in gone}
        missing |= {source for source, _ in gone}
    differ = differing(acquired.tables, held)
    assert set(differ) == {"core_sample__source", "core_quarantine__row", "raw_sample__epoch"}
    assert differ["raw_sample__epoch"] == differ["core_sample__source"] == missing


def test_tic_entries_that_no_id_leads_to_are_found_by_position(replica, acquired, tmp_path):
    held = acquired_with(
        replica, acquired, tmp_path / "lake", direct("mast_portal", kind="missing_ids", rows=2, after=0)
    )
    assert set(differing(acquired.tables, held)) == {"assn_sample__match"}
    (sources,) = differing(acquired.tables, held).values()
    assert len(sources) == 2
    new = held["assn_sample__match"].filter(
        pc.is_in(held["assn_sample__match"]["source_id"], pa.array(sorted(sources)))
    )
    tic = new.filter(pc.and_(pc.equal(new["survey"], "tic"), pc.equal(new["rank"], 1)))
    assert tic["method"].to_pylist() == ["position", "position"]


@pytest.mark.parametrize("kind", ["missing_ids", "duplicate_ids"])
def test_what_only_a_list_tells_is_counted(kind, replica, acquired, tmp_path):
    """Sources of a sample, objects around positions, detections: nobody else would miss them, nor see them twice."""
    lists = [{"service": name, "kind": kind, "rows": 3} for name in ("gaia_tap", "irsa_tap", "mast_ps1")]
    set_faults(replica, *lists, {**SECOND, "kind": kind, "rows": 3})
    acquire_into(tmp_path / "lake", source_of(replica))
    assert faults_left(replica) == [] and differing(acquired.tables, tables(tmp_path / "lake")) == {}
    assert extra(replica, acquired) == {"gaia_tap": 1, "irsa_tap": 1, "mast_ps1": 2}


def test_sentinels_are_no_values(replica, acquired, tmp_path):
    """-999 for fluxes, magnitudes and times, and for parameters of stars: null, or refused with its reason."""
    bad = {"kind": "sentinel", "rows": 3}
    held = acquired_with(
        replica, acquired, tmp_path / "lake", {**SECOND, **bad}, direct("gaia_datalink", **bad),
        direct("irsa_lightcurves", **bad), direct("mast_portal", **bad), direct("cds_xmatch", **bad),
    )  # fmt: skip
    for name, table in held.items():
        for column in TABLES[name].arrow():
            if column.name in table.column_names and not pa.types.is_string(column.type):
                flat = pc.list_flatten(table[column.name]) if pa.types.is_list(column.type) else table[column.name]
                assert not pc.any(pc.equal(flat.cast(pa.float64(), safe=False), -999.0)).as_py(), (name, column.name)
    new = {reason: rows for reason, rows in refused(held).items() if reason not in refused(acquired.tables)}
    assert {reason: rows.num_rows for reason, rows in new.items()} == {("dbo.Detection", "obstime", "finite"): 3}
    for survey, n_less, n_unmeasured in (("gaia", 0, 9), ("ps1", 3, 0), ("ztf", 0, 3)):
        before, after = (epochs(rows_of(run, survey)) for run in (acquired.tables, held))
        assert before.time.size - after.time.size == n_less
        unmeasured = np.isnan(after.mag).sum() - np.isnan(before.mag).sum()
        assert 0 < unmeasured <= n_unmeasured if n_unmeasured else unmeasured == 0
    differ = differing(acquired.tables, held)
    assert set(differ) == {
        "core_sample__source", "core_quarantine__row", "raw_sample__epoch", "label_sample__parameter"
    }  # fmt: skip
    labels = [run["label_sample__parameter"] for run in (acquired.tables, held)]
    tic = [part.filter(pc.equal(part["origin"], "tic")) for part in labels]
    keys = [set(zip(*(part[name].to_pylist() for name in ("source_id", "quantity")), strict=True)) for part in tic]
    assert keys[1] < keys[0] and 1 <= len({source for source, _ in keys[0] - keys[1]}) <= 6


def test_every_light_curve_of_ztf_says_of_which_field_and_quadrant_it_is(acquired):
    """And stars with several objects of a filter have them in different fields or quadrants, as the survey does."""
    curves, held = rows_of(acquired.tables, "ztf"), acquired.tables["core_ztf__object"]
    known = set(zip(held["source_id"].to_pylist(), held["oid"].to_pylist(), strict=True))
    assert held.num_rows > 0 and objects(curves) <= known
    where = [(row["source_id"], row["filtercode"], row["field"], row["ccdid"], row["qid"]) for row in held.to_pylist()]
    assert None not in {part for place in where for part in place}
    stars = {place[:2] for place in where}
    assert len(set(where)) > len(stars)  # some star has two
