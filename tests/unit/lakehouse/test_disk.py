"""Files and folders that are whole or absent, and the one sentence of a full disk."""

import errno
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from lakehouse.disk import (
    named_file,
    plain_link,
    private_folder,
    read_json,
    refuse_full_disk,
    require_local,
    require_writable,
    whole_file,
    whole_folder,
    write_json,
)
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
    for other in (b"[1, 2]", b"\xff\xfe\x00", b""):
        (tmp_path / "v.json").write_bytes(other)
        with pytest.raises(BadInput, match=r"v\.json is damaged \(.*\); remove it and run again"):
            read_json(tmp_path / "v.json")
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "absent.json")


def test_a_link_stays_and_what_it_points_to_is_replaced(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("real.csv")
    with named_file(tmp_path / "link.csv") as draft:
        draft.write_text("new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == ["link.csv", "real.csv"]


def test_a_link_to_nothing_makes_what_it_points_to(tmp_path):
    (tmp_path / "link.csv").symlink_to(tmp_path / "there" / "new.csv")
    with named_file(tmp_path / "link.csv") as draft:
        draft.write_text("new")
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "there" / "new.csv").read_text() == "new"


def test_a_pipe_gets_the_bytes_and_stays_a_pipe(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    with named_file(pipe) as draft:
        draft.write_bytes(b"bytes")
    reader.join(10)
    assert got == [b"bytes"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_stays_a_device():
    with named_file(Path(os.devnull)) as draft:
        draft.write_bytes(b"bytes")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(BadInput, match="is a folder: name the file to write"), named_file(tmp_path):
        pass


@pytest.mark.parametrize("path, words", [("", "The lake has no name"), ("s3://bucket/lake", "The lake is at s3://"),
                                         (Path("s3://bucket"), "at s3://"), ("file:///x", "at file://")])  # fmt: skip
def test_an_address_is_no_place_on_this_machine(path, words):
    with pytest.raises(BadInput, match=words):
        require_local(path, "lake")


def test_a_colon_in_a_name_makes_no_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("night:1").mkdir()
    for path in ("night:1", "night:1/lake", "night:2", tmp_path / "a:b" / "c"):
        assert require_local(path, "lake") == Path(path)


def test_what_cannot_be_written_is_noticed_and_nothing_is_made(tmp_path):
    require_writable(tmp_path / "new" / "release", "release folder")
    assert os.listdir(tmp_path) == []
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("nowhere")
    for path in (tmp_path / "file", tmp_path / "file" / "release", tmp_path / "dangling"):
        with pytest.raises(BadInput, match=f"The release folder {path} cannot be written"):
            require_writable(path, "release folder")


def test_a_link_has_a_plain_name_and_is_closed_to_others(tmp_path):
    folder = tmp_path / "L[1] key=value"
    folder.mkdir()
    link = plain_link(folder)
    assert link == plain_link(folder) != plain_link(tmp_path) and link.name.isalnum()
    assert link.resolve() == folder.resolve()
    assert stat.S_IMODE(private_folder().stat().st_mode) == 0o700
