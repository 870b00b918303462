"""`argelander inspect`: how a folder is read, what is wrong with it, and a mapping to correct."""

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from flows.cli import app
from flows.command import one_sentence
from schemas import BadInput
from schemas.mapping import advise_under_preset, load_spec
from tests.unit.folder.conftest import folder, light_curves

__all__ = ["folder", "light_curves"]


def run(*words):
    """Exit code and lines of the command."""
    done = CliRunner().invoke(app, ["inspect", *map(str, words)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output.splitlines()


@pytest.fixture
def good(folder, light_curves):
    return folder(light_curves(), {"object_id": [f"star{k}" for k in range(4)], "Type": ["a", "b", "b", None]})


def test_a_good_folder_is_shown_and_its_mapping_written(good):
    spec = load_spec(good)
    code, lines = run(good)
    assert code == 0 and lines[0] == f"Dataset {spec.name}"
    assert lines[1] == "  objects.parquet: id = object_id, label = Type; not used: nothing"
    assert lines[2].endswith("bands g r from band; not used: nothing")
    rows = [line.split() for line in lines]
    for row in (["4", "objects"], ["g", "20"], ["r", "20"], ["b", "2"], ["a", "1"], ["(no", "label)", "1"]):
        assert row in rows
    assert any(line.startswith("Object star") for line in lines) and any(line.endswith("o g  x r") for line in lines)
    assert load_spec(good) == spec and "holds the complete mapping" in lines[-1]


def test_a_mapping_that_is_there_stays_unless_asked(good):
    file = good / "dataset.toml"
    file.write_text('name = "mine"\n')
    assert "stays as it is; --overwrite" in run(good)[1][-1] and file.read_text() == 'name = "mine"\n'
    run(good, "--out", good / "sub" / "other.toml")
    assert file.read_text() == 'name = "mine"\n' and 'column = "Type"' in (good / "sub" / "other.toml").read_text()
    spec = load_spec(good)
    assert run(good, "--overwrite")[0] == 0
    assert 'column = "Type"' in file.read_text() and load_spec(good) == spec


def test_all_that_is_wrong_is_listed_and_what_is_open_stays_open(folder, light_curves):
    columns = light_curves() | {"mag": np.full(40, 5000.0)}
    columns["cam"] = columns.pop("band")
    path = folder(columns)
    code, lines = run(path)
    wrong = [line for line in lines if line.startswith("Wrong: ")]
    assert code == 2 and len(wrong) == 2 and 'band = "cam"' in wrong[0] and "look like fluxes" in wrong[1]
    assert '# band = ""' in (path / "dataset.toml").read_text()
    assert run(path)[1][-3:-1] == wrong


def test_a_folder_that_cannot_be_written_is_inspected_all_the_same(good, tmp_path):
    (tmp_path / "file").write_text("")
    code, lines = run(good, "--out", tmp_path / "file" / "x.toml")
    assert code == 0 and "was not written" in lines[-1] and "--out" in lines[-1]


def test_a_mapping_that_is_no_toml_and_a_folder_that_is_not_there(good, tmp_path):
    (good / "dataset.toml").write_text("name = mine")
    assert [line[:6] for line in run(good)[1]] == ["Wrong:"]
    code, lines = run(tmp_path / "nowhere")
    assert code == 2 and lines[0].startswith("Wrong: There is no folder")


def test_every_wrong_entry_of_a_mapping_is_named(good):
    (good / "dataset.toml").write_text('nme = "x"\ntime_unit = "fortnight"\n[objects]\nrra = "x"')
    lines = run(good)[1]
    assert ["unknown key objects.rra" in lines[0], "unknown key nme" in lines[1], "time_unit" in lines[2]] == [True] * 3


def test_epochs_of_several_surveys_in_one_table(folder, light_curves):
    """One column of times with several zeros, and one name of a band for those of several surveys."""
    columns = light_curves()
    n = len(columns["band"])
    columns["time"] = columns.pop("mjd")
    columns |= {
        "survey": np.where(np.arange(n) % 4 < 2, "ZTF", "PS1"),
        "time_system": np.where(np.arange(n) % 2, "HJD", "MJD"),
    }
    path = folder(columns)
    code, lines = run(path)
    wrong = [line for line in lines if line.startswith("Wrong: ")]
    assert code == 2 and len(wrong) == 1 and "times of column 'time' count from 2 zeros (HJD, MJD)" in wrong[0]
    assert any(line.startswith("Rows of band g are of 2 kinds in column 'survey' (PS1, ZTF)") for line in lines)
    assert "# time_zero" in (path / "dataset.toml").read_text()
    (path / "dataset.toml").unlink()
    code, lines = run(folder(columns | {"time_system": ["MJD"] * n, "survey": columns["band"]}))
    assert code == 0 and "time = time (MJD)" in lines[2] and not any("read as one band" in line for line in lines)


def test_advice_under_a_preset_says_how_the_preset_takes_a_dataset_toml(capsys):
    """A dataset.toml alone would not be looked at."""

    @one_sentence
    def command(*, preset):
        raise BadInput("Name the column in dataset.toml.")

    with pytest.raises(typer.Exit) as ended:
        command(preset="css_north")
    said = capsys.readouterr().err.replace("\n", " ")
    assert ended.value.exit_code == 2
    assert (
        'The preset css_north reads a dataset.toml in the folder where its first line is preset = "css_north"' in said
    )
    assert advise_under_preset("Name it in dataset.toml.", "folder") == "Name it in dataset.toml."
    assert advise_under_preset("No rows.", "css_north") == "No rows."
