"""Files and folders that are whole or absent, and the one sentence of a full disk."""

import errno
import json
import os

import pytest

from lakehouse.disk import read_json, refuse_full_disk, whole_file, whole_folder, write_json
from schemas import BadInput

FULL = [
    OSError(errno.ENOSPC, "No space left on device"),
    OSError(errno.EDQUOT, "Disk quota exceeded"),
    OSError(errno.EFBIG, "File too large"),
    RuntimeError("Generic LocalFileSystem error: No space left on device (os error 28)"),
]


@pytest.mark.parametrize("error", FULL, ids=str)
def test_a_full_disk_is_one_sentence_whoever_notices_it(error):
    words = r"^The disk is full .*: the table was not written and nothing"
    with pytest.raises(BadInput, match=words) as caught, refuse_full_disk("the table"):
        raise error
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [OSError(errno.EACCES, "Permission denied"), RuntimeError("os error 13"), ValueError("28"), BadInput("Own words.")],
    ids=str,
)
def test_every_other_error_passes_as_it_is(error):
    with pytest.raises(type(error)) as caught, refuse_full_disk("the table"):
        raise error
    assert caught.value is error


def test_a_file_takes_its_name_when_it_is_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    with whole_file(path) as draft:
        draft.write_text("whole")
        assert not path.exists() and draft.parent == path.parent
    assert path.read_text() == "whole" and os.listdir(path.parent) == ["file.txt"]


def test_a_failure_leaves_the_old_file(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as draft:
        draft.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["file.txt"]


def test_two_writers_of_one_file_do_not_meet(tmp_path):
    path = tmp_path / "file.txt"
    with whole_file(path) as first, whole_file(path) as second:
        assert first != second
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"  # whoever ends last


def test_a_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "release"
    for name in ("old.txt", "new.txt"):
        with whole_folder(path) as draft:
            (draft / "below").mkdir()
            (draft / "below" / name).write_text(name)
    assert [file.name for file in path.rglob("*.txt")] == ["new.txt"] and os.listdir(tmp_path) == ["release"]


def test_a_failure_leaves_the_old_folder(tmp_path):
    path = tmp_path / "release"
    with whole_folder(path) as draft:
        (draft / "old.txt").touch()
    with pytest.raises(ZeroDivisionError), whole_folder(path) as draft:
        (draft / "new.txt").touch()
        raise ZeroDivisionError
    assert os.listdir(path) == ["old.txt"] and os.listdir(tmp_path) == ["release"]


def test_json_comes_back_as_it_was_and_a_person_can_read_it(tmp_path):
    value = {"class": "δ Sct", "n": [1, 2.5, None], "path": tmp_path}
    write_json(tmp_path / "v.json", value)
    assert read_json(tmp_path / "v.json") == {**value, "path": str(tmp_path)}
    text = (tmp_path / "v.json").read_text()
    assert "δ Sct" in text and text.endswith("}\n") and text.count("\n") > 3


def test_damaged_json_names_the_file_and_the_way_out(tmp_path):
    (tmp_path / "v.json").write_text(json.dumps({"a": 1})[:-2])
    with pytest.raises(BadInput, match=r"v\.json is damaged \(.*\); remove it and run again"):
        read_json(tmp_path / "v.json")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "absent.json")
