"""A format of tables is one file and one line: a folder in it is found, read and said as those that come along."""

import pytest

from schemas import formats
from schemas.formats import files
from schemas.mapping import load_spec
from schemas.reading import describe_reading
from tasks.folder.local import read_epochs, read_objects
from tests.contracts.costs import cost, stated_cost
from tests.contracts.examples import night_log


@pytest.fixture
def added(monkeypatch):
    """The format where its line would put it."""
    every = (*formats.FORMATS, night_log.FORMAT)
    for module in (formats, files):
        monkeypatch.setattr(module, "FORMATS", every)


def test_a_folder_in_it_is_read(added, tmp_path):
    (tmp_path / "lightcurves").mkdir()
    (tmp_path / "lightcurves" / "RR Lyr.LOG").write_text("58000.5: 15.25\n58001.5: 15.5\n")
    spec = load_spec(tmp_path)
    assert describe_reading(tmp_path, spec)[1].startswith("lightcurves: id = file_name, time = mjd (MJD), mag = mag")
    assert read_objects(tmp_path, spec).table["object_id"].to_pylist() == ["RR Lyr"]
    (chunk,) = read_epochs(tmp_path, spec, ["RR Lyr"], 1)
    assert chunk.batch.time.tolist() == [58000.5, 58001.5]


def test_before_the_line_there_is_none():
    assert formats.format_of("RR Lyr.LOG") is None


def test_it_costs_what_contributing_says():
    assert stated_cost("format of a table") == cost(1, night_log.__file__)
