"""What killed runs left is cleared by the next one and counted; what a living program writes stays."""

import os
import time

import pytest

from lakehouse.delta.staging import list_finished_parts, stage_rows
from lakehouse.disk import GRACE_S, clear_drafts, whole_file, whole_folder
from lakehouse.leftovers import clear_after, clear_before
from lakehouse.lineage import stage_key
from schemas import TABLES

SOURCE = TABLES["core_sample__source"]
DIE = """
import os, sys
from pathlib import Path
from lakehouse.disk import whole_file, whole_folder
with {}(Path(sys.argv[1])) as draft:
    os.kill(os.getpid(), 9)
"""


def grow_old(folder):
    """Make everything in `folder` older than a draft that is being made."""
    for path in folder.rglob("*"):
        os.utime(path, (time.time() - 2 * GRACE_S,) * 2, follow_symlinks=False)


@pytest.mark.parametrize("kind", ["whole_file", "whole_folder"])
def test_the_draft_of_a_killed_writer_goes(kind, tmp_path, python):
    python(DIE.format(kind), tmp_path / "runs" / "r1.json")
    grow_old(tmp_path)
    assert len(os.listdir(tmp_path / "runs")) == 1
    assert clear_drafts(tmp_path / "runs") == 1 and os.listdir(tmp_path / "runs") == []


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_the_draft_of_a_living_writer_stays(whole, tmp_path):
    with whole(tmp_path / "name") as draft:
        grow_old(tmp_path)
        assert clear_drafts(tmp_path) == 0 and draft.exists()
    assert os.listdir(tmp_path) == ["name"]


def test_a_draft_that_was_made_just_now_stays(tmp_path):
    (tmp_path / ".r1.json.0123abcd.tmp").touch()
    assert clear_drafts(tmp_path) == 0
    grow_old(tmp_path)
    assert clear_drafts(tmp_path) == 1


def test_links_and_replaced_folders_go_and_other_files_stay(tmp_path):
    (tmp_path / ".latest.0123abcd.tmp").symlink_to("gone")
    (tmp_path / ".old.0123abcd.old" / "below").mkdir(parents=True)
    for name in (".hidden", ".x.tmp", "r1.json.0123abcd.tmp"):
        (tmp_path / name).touch()
    grow_old(tmp_path)
    assert clear_drafts(tmp_path) == 2
    assert sorted(os.listdir(tmp_path)) == [".hidden", ".x.tmp", "r1.json.0123abcd.tmp"]


def test_a_run_begins_by_clearing_runs_models_and_releases(lake, tmp_path):
    places = [lake.path / "runs", tmp_path / "release", lake.path / "models" / "demo" / "class"]
    for place in places:
        (place / ".name.0123abcd.tmp").mkdir(parents=True)
    other = lake.path / "models" / "other" / ".name.0123abcd.tmp"
    other.mkdir(parents=True)
    grow_old(tmp_path)
    assert clear_before(lake, "demo", tmp_path / "release") == 3
    assert not any(any(place.iterdir()) for place in places) and other.exists()


def test_a_run_ends_by_clearing_what_its_dataset_staged_with_other_settings(lake, sources):
    keys = {name: stage_key(lake, SOURCE, "acquire", name, "settings") for name in ("demo", "demo2")}
    for name, key in keys.items():
        stage_rows(lake.path, SOURCE, sources([1, 2], dataset=name), key, 0)
    stage_rows(lake.path, SOURCE, sources([1]), "acquire-0123456789abcdef", 0)  # of an older program
    assert clear_after(lake, "demo") == 2
    assert list_finished_parts(lake.path, SOURCE, keys["demo2"]) == {"0"}
    assert list_finished_parts(lake.path, SOURCE, keys["demo"]) == set()
    assert clear_after(lake, "demo") == 0
