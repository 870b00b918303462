"""A flow is one file and an entry of prefect.yaml, of the form that the deployments there have."""

from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint

from lakehouse.delta.store import Lake
from schemas import TABLES
from tests.contracts.costs import ROOT, cost, stated_cost
from tests.contracts.examples import count_rows, night

ENTRY = """\
  - name: count-rows
    description: How many rows each table has.
    entrypoint: tests/contracts/examples/count_rows.py:count_rows
    parameters: {lake: lake}
    work_pool: {name: cpu}
"""
DEPLOYMENTS = yaml.safe_load((ROOT / "prefect.yaml").read_text() + ENTRY)["deployments"]


@pytest.mark.parametrize("entry", DEPLOYMENTS, ids=lambda entry: f"{entry['entrypoint']} {entry['name']}")
def test_a_deployment_points_to_a_flow_that_takes_its_parameters(entry, monkeypatch):
    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(entry["entrypoint"])
    assert entry["entrypoint"].endswith(f":{flow.name.replace('-', '_')}") and entry["description"].endswith(".")
    assert set(flow.validate_parameters(entry["parameters"])) == set(entry["parameters"])
    assert Path(entry["entrypoint"].split(":")[0]).is_file() and "work_pool" in entry


def test_its_work_is_a_plain_function(tmp_path, monkeypatch):
    monkeypatch.setitem(TABLES, night.CORE_SURVEY__NIGHT.name, night.CORE_SURVEY__NIGHT)
    lake = Lake(tmp_path / "lake", create=True)
    rows = {
        "dataset": ["tiny"],
        "night_mjd": pa.array([1], pa.int32()),
        "seeing_arcsec": pa.array([1.0], pa.float32()),
    }
    lake.append("r1", night.CORE_SURVEY__NIGHT, pa.table(rows))
    assert count_rows.count_rows.fn(lake.path) == {"core_survey__night": 1}


def test_it_costs_what_contributing_says():
    """The entry, and the line of the tree in docs/architecture.md, which a test asks for."""
    assert stated_cost("flow") == cost(len(ENTRY.splitlines()) + 1, count_rows.__file__)
