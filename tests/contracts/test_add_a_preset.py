"""A preset for a folder is one file: it is listed, read and resolved as those that come with the package."""

from importlib import reload
from pathlib import Path
from shutil import copytree

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from flows import presets
from flows.cli import app
from schemas import mapping
from tasks.folder.local import read_epochs, read_objects
from tests.contracts.costs import cost, stated_cost

FILE = Path(__file__).with_name("examples") / "night_sky.toml"


@pytest.fixture
def added(monkeypatch, tmp_path):
    """The package with the file in its folder of presets, as a new process finds it."""
    folder = copytree(mapping.PRESET_FOLDER, tmp_path / "datasets")
    (folder / FILE.name).write_text(FILE.read_text())
    monkeypatch.setattr(mapping, "PRESET_FOLDER", folder)
    reload(presets)
    yield FILE.stem
    monkeypatch.undo()
    reload(presets)


@pytest.fixture
def data(tmp_path):
    """A folder that is laid out as the preset says."""
    place = tmp_path / "data"
    place.mkdir()
    pq.write_table(pa.table({"star": ["a", "b"], "kind": ["RRab", "ECL"]}), place / "objects.parquet")
    curves = {"star": ["a", "a", "b"], "mjd": [61000.0, 61001.0, 61000.5], "v": [12.0, 12.5, 13.0]}
    pq.write_table(pa.table(curves), place / "lightcurves.parquet")
    return place


def test_it_is_listed_with_its_sentence(added):
    shown = CliRunner().invoke(app, ["presets"], env={"COLUMNS": "200"}).output
    (line,) = [line for line in shown.splitlines() if line.split()[:1] == [added]]
    assert "Three variable stars of 2026 in one band" in line


def test_its_settings_are_complete(added, data):
    settings = presets.preset(added, data)
    assert (settings.preset, settings.dataset, settings.source.folder) == (added, added, data)
    assert settings.source.spec.band_names == ("V_night",) and settings.source.has_time


def test_a_folder_is_read_by_it(added, data):
    spec = mapping.load_spec(data, added)
    objects = read_objects(data, spec)
    assert objects.class_labels.to_pylist()[0] == {"object_id": "a", "origin": "observers", "class": "RRab"}
    (chunk,) = read_epochs(data, spec, ["a", "b"], 2)
    assert chunk.batch.time.tolist() == [61000.0, 61001.0, 61000.5] and chunk.batch.n_epoch.tolist() == [2, 1]


def test_before_the_file_there_is_none():
    assert FILE.stem not in presets.PRESETS and FILE.stem not in mapping.preset_names()


def test_it_costs_what_contributing_says():
    """No line but the one in docs/your_light_curves.md, where a test looks for the name of every preset."""
    assert stated_cost("preset of a folder") == cost(1, FILE)
