"""What Gaia and the TIC say of a star goes with its light curve, and a changed word makes its features anew."""

import numpy as np
import pyarrow as pa
import pytest

from lakehouse.delta.store import Lake
from lakehouse.run import Run
from schemas import TABLES
from tasks.features import INPUTS
from tasks.stages.inputs import hash_inputs, list_inputs, read_inputs

IDS = np.array([30, 10, 20])


def rows(spec, ids, **values):
    """Rows of a table, all columns null or zero but those given."""
    columns = {}
    for field in spec.arrow():
        given = values.get(field.name)
        default = {"dataset": "d", "tile": 0, "has_epoch_photometry": True}.get(field.name, 0.0)
        if field.name == "source_id":
            given = ids
        elif given is None:
            given = [None if field.nullable else default] * len(ids)
        columns[field.name] = pa.array(given, from_pandas=True).cast(field.type)
    return pa.table(columns, schema=spec.arrow())


@pytest.fixture
def lake(tmp_path):
    place = Lake(tmp_path, create=True)
    gaia = rows(TABLES["core_gaia__source"], [10, 20], parallax=[1.5, None], ruwe=[1.0, 1.2])
    place.append("r", TABLES["core_gaia__source"], gaia)
    return place


def test_they_come_in_the_order_of_the_sources(lake):
    run = Run("r", str(lake.path), "d", "")
    found = read_inputs(run, IDS)
    assert set(found) == set(INPUTS)
    np.testing.assert_array_equal(found["parallax"], [np.nan, 1.5, np.nan])
    np.testing.assert_allclose(found["ruwe"], [np.nan, 1.0, 1.2], rtol=1e-6)
    assert np.isnan(found["ebv"]).all()
    lake.append("r", TABLES["core_tic__source"], rows(TABLES["core_tic__source"], [20], ebv=[0.25]))
    np.testing.assert_array_equal(read_inputs(run, IDS)["ebv"], [np.nan, np.nan, 0.25])


def test_a_dataset_without_gaia_has_no_inputs(lake):
    assert list_inputs(lake, "d") == INPUTS and list_inputs(lake, "other") == ()


def test_another_value_is_another_hash(lake):
    before = hash_inputs(lake, "d", IDS)
    assert before[0] == 0 and len(set(before.tolist())) == 3
    lake.append("r", TABLES["core_tic__source"], rows(TABLES["core_tic__source"], [20], ebv=[0.25]))
    after = hash_inputs(lake, "d", IDS)
    assert (after != before).tolist() == [False, False, True]
    spec = TABLES["core_gaia__source"]
    lake.merge("r", spec, rows(spec, [10], parallax=[1.6], ruwe=[1.0]))
    assert (hash_inputs(lake, "d", IDS) != after).tolist() == [False, True, False]


def test_no_feature_reads_what_labels_or_the_truth_of_a_sky_say(lake):
    before = hash_inputs(lake, "d", IDS)
    told = [spec for spec in TABLES.values() if spec.name.startswith("label_")]
    assert any(set(INPUTS) & spec.columns_by_name.keys() for spec in told)  # the truth has values of the same names
    for spec in told:
        lake.append("r", spec, rows(spec, [10, 20, 30], ebv=[0.1, 0.2, 0.3], period_day=[1.0, 2.0, 3.0]))
    assert (hash_inputs(lake, "d", IDS) == before).all()
    assert np.isnan(read_inputs(Run("r", str(lake.path), "d", ""), IDS)["period_day"]).all()
