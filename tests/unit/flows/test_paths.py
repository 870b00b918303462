"""Paths on the command line: what is no place on this machine is refused, and nothing is begun that cannot end."""

import os

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.presets import preset
from flows.refresh import refresh
from schemas import BadInput
from tests.unit.stages.conftest import write_folder

COMMANDS = {
    "--lake": (["runs"], ["query", "SELECT 1"], ["refresh", "demo"], ["tables"], ["presets"]),
    "--data": (["refresh", "folder"], ["score", "--preset", "folder", "--out", "x.parquet"]),
    "--release": (["refresh", "demo"],),
    "--out": (["query", "SELECT 1"], ["score", "--preset", "folder", "--data", "."]),
}


@pytest.mark.parametrize(
    ("option", "command"), [(option, command) for option, commands in COMMANDS.items() for command in commands]
)
@pytest.mark.parametrize(
    ("path", "words"), [("", "has no name"), ("s3://bucket/x", "is at s3://, which is not supported")]
)
def test_no_place_on_this_machine_is_refused(option, command, path, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    done = CliRunner().invoke(app, [*command, option, path])
    assert done.exit_code == 2 and words in " ".join(done.stderr.split()), done.stderr
    assert "Traceback" not in done.stderr and os.listdir(tmp_path) == []


@pytest.mark.parametrize("port", ["99999999", "-1"])
def test_a_port_that_cannot_be_is_refused(port):
    assert CliRunner().invoke(app, ["replica", "--port", port]).exit_code == 2


def test_a_release_folder_that_cannot_be_written_is_noticed_before_the_work(tmp_path):
    (tmp_path / "file").touch()
    settings = preset("folder", write_folder(tmp_path / "data"))
    with pytest.raises(BadInput, match=r"The release folder .* cannot be written"):
        refresh.fn(settings, tmp_path / "lake", tmp_path / "file" / "release")
    assert not (tmp_path / "lake").exists()
