"""A table is one file and its name in the registry: the lock, the dictionary and the lake follow."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from typer.testing import CliRunner

from flows.cli import app
from lakehouse.delta.store import Lake
from lakehouse.query import run_sql
from schemas import TABLES, lock
from schemas.dictionary import dictionary
from tests.contracts.costs import cost, lines_with, stated_cost
from tests.contracts.examples import night

SPEC = night.CORE_SURVEY__NIGHT
ROWS = pa.table(
    {
        "dataset": ["tiny", "tiny"],
        "night_mjd": pa.array([61000, 61001], pa.int32()),
        "seeing_arcsec": pa.array([0.8, None], pa.float32()),
    }
)


@pytest.fixture
def added(monkeypatch):
    """The new line."""
    monkeypatch.setitem(TABLES, SPEC.name, SPEC)


@pytest.fixture
def lake(added, tmp_path):
    """A lake with two rows of the table."""
    place = Lake(tmp_path / "lake", create=True)
    place.append("r1", SPEC, ROWS)
    return place


def test_the_lock_asks_for_it_and_keeps_it(added, tmp_path, monkeypatch):
    assert lock.find_changed(TABLES.values(), lock.read_lock()) == [
        "core_survey__night version 1 is not in the lock: run python -m schemas.lock."
    ]
    monkeypatch.setattr(lock, "LOCK", tmp_path / "lock.json")
    lock.main()
    assert lock.read_lock()["core_survey__night@1"]["columns"]["seeing_arcsec"] == ["float", "arcsec", "null"]


def test_it_is_in_the_dictionary(added):
    text = dictionary(TABLES.values()).split("## core_survey__night")[1]
    assert "Nights of a survey" in text and "| `seeing_arcsec` | float | arcsec |" in text


def test_a_lake_stores_and_lists_it(lake):
    assert lake.read(SPEC.name).sort_by("night_mjd").to_pylist() == ROWS.to_pylist()
    assert SPEC.name in lake.tables()
    found = run_sql(lake.path, "select night_mjd from core_survey__night where seeing_arcsec is null")
    assert found["night_mjd"].to_pylist() == [61001]


def test_the_command_line_describes_it(lake):
    shown = CliRunner().invoke(app, ["describe", SPEC.name, "--lake", str(lake.path)], env={"COLUMNS": "200"}).output
    assert "core_survey__night, 2 rows" in shown and "Median seeing." in shown and "instr.obsty.seeing" in shown


def test_its_ranges_are_checked(added):
    good = ROWS.to_pandas(types_mapper=pd.ArrowDtype)
    SPEC.pandera().validate(good)
    with pytest.raises(Exception, match="seeing_arcsec"):
        SPEC.pandera().validate(good.assign(seeing_arcsec=good["seeing_arcsec"] * np.float32(1000)))


def test_before_the_line_nothing_knows_it():
    assert SPEC.name not in TABLES and SPEC.name not in dictionary(TABLES.values())


def test_it_costs_what_contributing_says():
    """A file of tables of the package takes one line of the registry, its name. So would this one."""
    n_line = lines_with("schemas/tables/__init__.py", '"quantity"')
    assert stated_cost("table") == cost(n_line, night.__file__)
