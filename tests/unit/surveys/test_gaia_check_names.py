"""The check of a release: schema, tables and columns, and what it takes for what is not where it was."""

import pyarrow as pa
import pytest

from tasks.archives.errors import BadQuestion, Retryable
from tasks.archives.vosi import DESCRIBED
from tasks.surveys.gaia_check import Findings, Line, Status, Verdict
from tasks.surveys.gaia_check.columns import find_columns
from tasks.surveys.gaia_check.findings import Ended
from tasks.surveys.gaia_check.schema import find_schema, find_tables, find_true, most_alike
from tasks.surveys.gaia_release import OWN
from tasks.surveys.gaia_releases import RELEASES
from tests.unit.surveys.gaia_check_archive import DR4, csv, findings, lines_of, zipped


def test_another_schema_with_the_name_of_the_release_is_taken_where_it_is_the_only_one():
    found = findings(schemas=csv(schema_name=["gaiadr3", "user_dr4rc3", "public"]))
    (line,) = find_schema(found)
    assert line.status == Status.DIFFERENT and found.release.tables["g"] == "user_dr4rc3.gaia_source"
    with pytest.raises(Ended) as end:
        lines_of(find_schema(findings(schemas=csv(schema_name=["gaiadr3", "a_dr4", "b_dr4"]))))
    assert end.value.verdict == Verdict.LACKING and "a_dr4, b_dr4" in end.value.line.seen


def test_an_archive_of_something_else_is_no_archive_of_gaia():
    with pytest.raises(Ended) as end:
        lines_of(find_schema(findings(schemas=csv(schema_name=["public", "ivoa"]))))
    assert end.value.verdict == Verdict.UNREACHABLE and "public, ivoa" in end.value.line.seen


def test_a_release_that_datalink_knows_has_a_schema_under_some_name():
    with pytest.raises(Ended) as end:
        lines_of(find_schema(findings(schemas=csv(schema_name=["gaiadr3", "next"]), EPOCH=zipped())))
    assert end.value.verdict == Verdict.LACKING and "next" in end.value.line.seen


def test_a_queue_that_stands_still_is_left_and_remembered():
    found = findings()
    replies = [Retryable("gaia_tap did not finish a job within 300 s"), csv(schema_name=["gaiadr4"])]

    def send(question, items, attempts=3):
        reply = replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        assert question.is_sync
        return reply

    found.ask.send = send
    (line,) = find_schema(found)
    assert line.status == Status.OK and found.changes == {"limits": {"tap_sync": True}}


def tables_named(*names: str) -> bytes:
    return csv(table_name=[f"gaiadr4.{name}" for name in names])


NAMES = [
    "gaia_source", "all_source_astrometry", "vari_classifier_result", "vari_rrlyrae", "vari_cepheid",
    "vari_eclipsing_binary", "vari_long_period_variable", "ap_xp", "ap_rvs", "panstarrs1_best_neighbour",
    "all_source_flags", "all_source_photometry", "dr3_neighbourhood",
]  # fmt: skip


def without(name: str, *more: str) -> list[str]:
    return [one for one in NAMES if one != name] + [*more]


def test_tables_that_are_all_there_change_nothing():
    found = findings(tables=tables_named(*NAMES, "vari_yso"))
    (line,) = find_tables(found)
    assert line.status == Status.OK and line.seen == "14 tables; not asked for: vari_yso" and not found.changes


def test_a_table_under_a_name_like_it_is_taken_for_it():
    found = findings(tables=tables_named(*without("vari_rrlyrae", "vari_rr_lyrae")))
    line = lines_of(find_tables(found))[0]
    assert line.status == Status.DIFFERENT and found.release.tables["rr"] == "gaiadr4.vari_rr_lyrae"


def test_a_table_that_is_not_there_leaves_its_columns_null():
    found = findings(tables=tables_named(*without("vari_cepheid")))
    line = lines_of(find_tables(found))[0]
    assert line.status == Status.MISSING and not line.is_needed
    assert "cep" not in found.release.tables and "cep_pf" not in found.release.asked_columns


def test_a_table_that_no_run_can_do_without():
    line = lines_of(find_tables(findings(tables=tables_named(*without("all_source_flags")))))[0]
    assert line.is_needed and "all_source_flags" in line.seen


def test_without_its_neighbourhood_the_chain_is_cut():
    found = findings(tables=tables_named(*without("dr3_neighbourhood")))
    line = lines_of(find_tables(found))[0]
    assert line.status == Status.MISSING and found.release.chain == ()
    found = findings(tables=tables_named(*without("dr3_neighbourhood", "dr3_neighbours")))
    assert lines_of(find_tables(found))[0].status == Status.DIFFERENT
    assert [step.table for step in found.release.chain] == ["dr3_neighbours", "gaiadr3.dr2_neighbourhood"]


@pytest.mark.parametrize(
    ("name", "others", "taken"),
    [("vari_rrlyrae", ["vari_rr_lyrae", "vari_agn"], "vari_rr_lyrae"), ("ap_rvs", ["nss_masses"], ""), ("x", [], "")],
)
def test_only_a_name_much_like_it_is_alike(name, others, taken):
    assert most_alike(name, others) == taken


def test_the_first_literal_that_is_taken_for_true():
    found = findings(**{"= 't'": b"source_id\n1\n", "= 'true'": BadQuestion("no such literal")})
    (line,) = find_true(found)
    assert line.status == Status.DIFFERENT and found.release.true_literal == "'t'" and "no such literal" in line.seen
    found = findings()
    with pytest.raises(BadQuestion):
        lines_of(find_true(found))


# Columns

TYPES = {"int64": "BIGINT", "int32": "INTEGER", "bool": "BOOLEAN", "string": "VARCHAR"}


def served(**changes) -> list[dict]:
    """What TAP_SCHEMA says of every column that is asked for, of both releases, changed by release.alias.column."""
    from tasks.surveys.columns import list_columns

    types, rows = list_columns(DR4), []
    for release in (DR4, RELEASES["dr3"]):
        for name, (alias, column) in release.asked_columns.items():
            kind = TYPES.get(str(types[name]), "DOUBLE")
            rows.append({"table_name": release.tables[alias], "column_name": column, "datatype": kind, "unit": "",
                         "ucd": "", "arraysize": "*" if kind == "VARCHAR" else None, "description": f"What {name} is",
                         "path": f"{release.release}.{alias}.{column}"})  # fmt: skip
        asked = {*release.asked_columns.values()}
        for alias, column in sorted({*release.statistic_columns.values()} - asked):
            rows.append(rows[0] | {"table_name": release.tables[alias], "column_name": column, "datatype": "REAL",
                                   "description": "", "path": f"{release.release}.{alias}.{column}"})  # fmt: skip
        for step in release.chain:
            for column in (step.own, step.earlier, "angular_distance", "magnitude_difference", step.probable or "x"):
                rows.append({"table_name": release.tables[step.alias], "column_name": column, "datatype": "BIGINT",
                             "unit": "", "ucd": "", "arraysize": None, "description": "",
                             "path": f"{release.release}.{step.alias}.{column}"})  # fmt: skip
    asked = [row | changes.get(row["path"], {}) for row in rows if changes.get(row["path"], {}) is not None]
    return [{name: value for name, value in row.items() if name != "path"} for row in asked]


def columns_told(**changes) -> tuple[Findings, list[Line]]:
    rows = served(**changes)
    found = findings(columns=csv(**{name: [row[name] for row in rows] for name in rows[0]}))
    return found, lines_of(find_columns(found))


def test_columns_that_are_all_there_change_nothing():
    found, (*against_draft, line) = columns_told()
    assert line.status == Status.OK and not found.changes and found.ask.n_request == 1
    assert all(one.status == Status.OK and "against the draft: new none; gone" in one.seen for one in against_draft)
    assert f"{len(DR4.asked_columns)} of {len(DR4.asked_columns)} columns" in line.seen


def test_where_tap_schema_fails_vosi_describes_the_tables():
    """Read once; all tests of names find in it what TAP_SCHEMA would have told."""
    busy, calls = Retryable("gaia_tap answered 500"), []
    rows = [{name: row[name] for name in DESCRIBED} for row in served(**{"dr4.rr.pf": {"column_name": "period_f"}})]

    def describe() -> pa.Table:
        calls.append(1)
        return pa.Table.from_pylist(rows)

    found = findings(schemas=busy, tables=busy, columns=busy)
    found.ask.describe = describe
    (schema,), tables, columns = (lines_of(test(found)) for test in (find_schema, find_tables, find_columns))
    assert schema.status == tables[-1].status == Status.OK and "dr2_" not in tables[-1].seen
    assert columns[0].seen == "rr.pf is not there; rr.period_f is" and columns[-1].status == Status.OK
    assert found.changes["columns"] == {"rr_pf": "rr.period_f"} and len(calls) == 1
    found.ask.describe = None
    with pytest.raises(Retryable):
        lines_of(find_columns(found))


def test_a_column_under_another_name_is_known_by_what_is_said_of_it():
    found, lines = columns_told(**{"dr4.rr.pf": {"column_name": "period_f"}})
    assert lines[0].status == Status.DIFFERENT and lines[0].seen == "rr.pf is not there; rr.period_f is"
    assert found.changes == {"columns": {"rr_pf": "rr.period_f"}} and found.ask.n_request == 2


def test_a_name_that_is_merely_alike_is_told_and_not_taken():
    found, lines = columns_told(**{"dr4.rr.pf_error": {"column_name": "pf2_error", "description": "Something else"}})
    assert lines[0].status == Status.MISSING and "nearest pf2_error" in lines[0].seen
    assert found.changes == {"columns": {"rr_pf_error": ""}} and "rr_pf_error" not in found.release.asked_columns


@pytest.mark.parametrize(
    ("change", "words"),
    [({"arraysize": "*"}, "is an array"), ({"datatype": "DOUBLE[]"}, "is an array"), ({"datatype": "CHAR"}, "of type")],
)
def test_a_column_that_ours_cannot_hold_is_as_if_it_was_not_there(change, words):
    found, lines = columns_told(**{"dr4.lpv.frequency": change})
    assert words in lines[0].seen and found.changes == {"columns": {"lpv_frequency": ""}}


def test_another_candidate_of_the_release_comes_first():
    rows = served(**{"dr4.vc.best_class_name": None})
    rows.append(rows[0] | {"column_name": "phot_variable_best_class", "datatype": "VARCHAR", "arraysize": "*"})
    found = findings(columns=csv(**{name: [row[name] for row in rows] for name in rows[0]}))
    line = lines_of(find_columns(found))[0]
    assert line.status == Status.DIFFERENT
    assert found.release.asked_columns["class_name"] == ("g", "phot_variable_best_class")


def test_a_column_that_moved_among_the_tables_of_all_sources_is_found_there():
    rows = served(**{"dr4.g.ruwe": None})
    rows.append(rows[0] | {"table_name": "gaiadr4.all_source_astrometry", "column_name": "ruwe", "datatype": "REAL"})
    found = findings(columns=csv(**{name: [row[name] for row in rows] for name in rows[0]}))
    lines_of(find_columns(found))
    assert found.changes == {"columns": {"ruwe": "aa.ruwe"}}


def test_a_column_that_no_run_can_do_without_stops():
    found, lines = columns_told(**{"dr4.g.ref_epoch": None})
    assert lines[0].is_needed and "ref_epoch" in lines[0].seen and not found.changes


def test_the_chain_ends_before_a_table_without_its_columns():
    found, lines = columns_told(**{"dr4.d2.magnitude_difference": None, "dr3.dr.magnitude_difference": None})
    assert [step.alias for step in found.release.chain] == ["dr"] and "no dr2_source_id" in lines[0].seen
    found, lines = columns_told(**{"dr4.dr.probable_match": None})
    assert [step.probable for step in found.release.chain] == ["", ""] and "magnitude" in lines[0].seen


def test_a_statistic_that_is_not_there_narrows_no_sample():
    found, lines = columns_told(**{"dr4.ph.phot_g_stetson_index": {"column_name": "phot_g_stetson_j"}})
    assert lines[0].status == Status.MISSING and "nearest phot_g_stetson_j" in lines[0].seen
    assert found.changes == {"statistics": {"stetson": ""}} and set(found.release.statistic_columns) == {"score"}


def test_an_archive_that_tells_no_columns_changes_nothing():
    found = findings(columns=csv(table_name=[], column_name=[]))
    (line,) = find_columns(found)
    assert line.status == Status.UNKNOWN and not found.changes


def test_every_column_of_ours_is_looked_for():
    assert set(DR4.asked_columns) == set(OWN)
