"""Whole acquisitions through a hostile proxy: the same lake, or one sentence; and lakes that recover."""

import shutil

import pytest

from lakehouse.answers.raw import DONE
from schemas import BadInput
from tests.hostile_proxy import (
    REPLY,
    RESULT,
    cut_at_line,
    cut_in_line,
    cut_last_line,
    duplicate_rows,
    giant_member,
    header_only,
    rows_of_another,
)
from tests.integration.acquisition import acquire_into, records, source_of, tables
from tests.integration.conftest import assert_same
from tests.integration.faulty import TAP

pytestmark = pytest.mark.slow
COMPLETE = [cut_at_line, cut_last_line, cut_in_line, header_only, duplicate_rows, rows_of_another]


@pytest.mark.parametrize("spoil", COMPLETE, ids=lambda change: change.__name__)
def test_lists_and_curves_that_are_spoilt_once_leave_no_trace(spoil, hostile, acquired, tmp_path):
    """The first list of each TAP service, Gaia's and MAST's third reply too, and light curves of ZTF."""
    for service in TAP:
        if spoil is rows_of_another and service == "mast_tic":
            continue  # its rows begin with an id of the TIC, and it was asked about ids of Gaia
        hostile.spoil(service, spoil, path=RESULT)
        hostile.spoil(service, spoil, path=RESULT, after=1, count=int(service != "irsa_tap"))
    if spoil is not duplicate_rows:  # of a light curve, that is for the cuts: epochs that come twice count once
        hostile.spoil("irsa_lightcurves", spoil, path=REPLY)
    acquire_into(tmp_path / "lake", source_of(hostile.url))
    assert [trick for trick in hostile.tricks if trick.count] == []
    assert_same(acquired.tables, tables(tmp_path / "lake"))


def test_a_giant_file_in_a_zip_is_refused_before_it_is_unpacked(hostile, acquired, tmp_path):
    hostile.spoil("gaia_datalink", giant_member(900 << 20), path=REPLY)
    acquire_into(tmp_path / "lake", source_of(hostile.url))
    assert_same(acquired.tables, tables(tmp_path / "lake"))
    said = {record.last_error for record in records(tmp_path / "lake") if record.service == "gaia_datalink"}
    assert any("unpacks to 943,718,400 bytes" in error for error in said - {None})


def uncounted(lake, whole):
    """A copy of a lake as an older program left it, which counted nothing."""
    shutil.copytree(whole, lake)
    for record in records(lake):
        if "COUNT(*)" in record.text:
            (lake / "raw" / record.service / record.identity / f"{record.key}.json").unlink()
    return lake


def test_a_lake_that_lost_its_objects_recovers_when_they_are_asked_for_again(hostile, acquired, tmp_path):
    lake = tmp_path / "lake"
    hostile.spoil("irsa_tap", path="async$", after=1, status=400)  # as if nobody counted
    hostile.spoil("irsa_tap", header_only, path=RESULT, count=2)
    stage = acquire_into(lake, source_of(hostile.url))
    assert any(note.startswith("irsa_tap sent an answer without a row") for note in stage.notes)
    assert not tables(lake)["core_ztf__object"].num_rows
    again = acquire_into(lake, source_of(hostile.url), run_id="r2")
    assert again.notes == ("input unchanged",)
    found = acquire_into(lake, source_of(hostile.url, ask_again=("irsa_tap",)), run_id="r3")
    assert found.done and not found.notes
    assert_same(acquired.tables, tables(lake))


def test_an_old_lake_is_not_counted_afterwards(hostile, acquired, tmp_path):
    lake = uncounted(tmp_path / "lake", acquired.lake)
    before = {record.key: record for record in records(lake)}
    for service in TAP:
        hostile.spoil(service, path="", count=999, status=500)
    acquire_into(lake, source_of(hostile.url), run_id="r2", dataset="again")
    assert {record.key: record for record in records(lake)} == before
    assert all(record.state == DONE for record in before.values())
    assert_same(tables(lake, "sky"), tables(lake, "again"))


def test_a_proxy_that_cuts_every_list_is_one_sentence(hostile, acquired, tmp_path):
    hostile.spoil("gaia_tap", header_only, path=RESULT, count=9999)
    with pytest.raises(BadInput, match=r"gaia_tap failed 5 times .*a count of rows came as 0 rows") as caught:
        acquire_into(tmp_path / "lake", source_of(hostile.url))
    assert "\n" not in str(caught.value)
    hostile.tricks.clear()
    acquire_into(tmp_path / "lake", source_of(hostile.url), run_id="r2")
    assert_same(acquired.tables, tables(tmp_path / "lake"))
