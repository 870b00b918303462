"""The draft of a commit: what it adds and removes, and that nothing of a failed one is left."""

import numpy as np
import pytest

from lakehouse.delta.draft import JOURNAL, Draft, clear_abandoned_drafts
from lakehouse.delta.files import DataFile, conform, write_files
from schemas import TABLES, BadInput

SOURCE = TABLES["core_sample__source"]


def stored(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def live(tmp_path, sources):
    """The files of the current version: ids 0 to 7 in four tiles."""
    return write_files(tmp_path, SOURCE, conform(SOURCE, sources(range(8))), "live")


def test_what_is_written_is_added_and_counted(tmp_path, sources, live):
    with Draft(tmp_path, SOURCE, live) as draft:
        draft.write(sources([20, 21]))
        draft.write(sources([22]))
        assert list(tmp_path.glob(f"{JOURNAL}*"))  # a killed writer leaves it
    assert draft.rows == 3 and sum(file.rows for file in draft.added) == 3 and draft.removed == []
    assert stored(tmp_path) == sorted(file.path for file in [*live, *draft.added])


def test_a_failure_removes_the_new_files_and_no_other(tmp_path, sources, live):
    with pytest.raises(ZeroDivisionError), Draft(tmp_path, SOURCE, live) as draft:
        draft.write(sources([20]))
        draft.drop_rows(live, ["source_id"], lambda rows: rows["source_id"].to_numpy() > 3)
        raise ZeroDivisionError
    assert stored(tmp_path) == sorted(file.path for file in live)


def test_rows_that_leave_are_left_out_of_a_copy(tmp_path, live):
    with Draft(tmp_path, SOURCE, live) as draft:
        draft.drop_rows(live, ["source_id"], lambda rows: np.isin(rows["source_id"], [2, 3, 4, 6, 7]))
    by_tile = {file.partition["tile"]: file for file in draft.added}
    assert by_tile.keys() == {"0"} and (by_tile["0"].lowest, by_tile["0"].rows) == (4, 1)
    assert {file.partition["tile"] for file in draft.removed} == {"0", "1"}  # of tile 1 no row stays; 2 and 3 untouched
    assert draft.rows == 0  # copied rows are not written anew


def test_whole_files_are_dropped_without_being_read(tmp_path, live):
    (tmp_path / live[0].path).write_bytes(b"damaged")
    with Draft(tmp_path, SOURCE, live) as draft:
        draft.drop(live[:1])
    assert draft.removed == live[:1] and draft.added == [] and len(stored(tmp_path)) == 4


def test_staged_files_move_in_and_a_second_attempt_finds_them(tmp_path, sources):
    table, staging = tmp_path / "table", tmp_path / "staging"
    table.mkdir()
    files = write_files(staging, SOURCE, sources(range(4)), "part")
    with Draft(table, SOURCE, []) as draft:
        draft.adopt(staging, files[:2])
    assert draft.rows == 2 and len(stored(staging)) == 2
    with Draft(table, SOURCE, []) as draft:  # the first attempt was killed before its commit
        draft.adopt(staging, files)
    assert draft.rows == 4 and draft.added == files and stored(staging) == []
    lost = DataFile("lost.parquet", 1, 1, {})
    with pytest.raises(BadInput, match=r"the staged file lost\.parquet is gone"), Draft(table, SOURCE, []) as draft:
        draft.adopt(staging, [lost])


def test_files_that_were_adopted_stay_after_a_failure(tmp_path, sources):
    """They were finished before the commit began: the next attempt takes them from the table's folder."""
    table, staging = tmp_path / "table", tmp_path / "staging"
    table.mkdir()
    files = write_files(staging, SOURCE, sources([1]), "part")
    with pytest.raises(ZeroDivisionError), Draft(table, SOURCE, []) as draft:
        draft.adopt(staging, files)
        raise ZeroDivisionError
    assert stored(table) == [files[0].path]


def test_what_a_killed_writer_left_is_cleared_and_what_is_live_stays(tmp_path, sources, live):
    dead = Draft(tmp_path, SOURCE, live)
    dead.__enter__()
    dead.write(sources([100, 101]))
    half = (tmp_path / dead.added[0].path).with_name(f".{dead._stem}-1.parquet.ab.tmp")
    half.touch()
    clear_abandoned_drafts(tmp_path, [*live, dead.added[1]])  # killed just after its commit: one file is live
    assert stored(tmp_path) == sorted(file.path for file in [*live, dead.added[1]])
    clear_abandoned_drafts(tmp_path, live)  # without a journal nothing is touched
    assert len(stored(tmp_path)) == 5
