"""Presets of the archives run from sample to release against one replica, through the command line."""

import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from lakehouse.delta.store import Lake
from lakehouse.query import run_sql
from tasks.replica.serve import running
from tests.integration.conftest import FOREST_ONLY, SMALL, argelander

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_server")]
N, SEED = 500, 11
SETTINGS = [word for setting in (*SMALL, "training.min_labels=10", FOREST_ONLY,
                                 f"source.replica.n_objects={N}", f"source.replica.seed={SEED}")
            for word in ("--set", setting)]  # fmt: skip
CLASSES = {  # rrlyrae runs on the day of a release and in the kill tests
    "cepheids": {"CEP", "T2CEP"},
    "pulsators": {"RRab", "RRc", "CEP", "T2CEP", "DSCT_SXPHE", "MIRA_SR"},
}


@pytest.fixture(scope="module")
def replica(tmp_path_factory):
    with running(N, SEED, tmp_path_factory.mktemp("replica")) as base:
        yield base


def run(preset, lake, base, *more):
    return argelander("refresh", preset, "--lake", lake, "--release", lake / "release", *SETTINGS,
                      "--set", f"source.base_url={base}", *more)  # fmt: skip


@pytest.mark.parametrize("preset", CLASSES)
def test_a_preset_runs_from_sample_to_release(preset, replica, tmp_path):
    lake = tmp_path / "lake"
    run(preset, lake, replica)
    place = Lake(lake)
    labels = place.read("label_sample__class")
    assert set(labels["class"].to_pylist()) == CLASSES[preset]
    n = place.count("core_sample__source")
    assert n == labels.num_rows == place.count("out__catalogue") > 20
    assert pq.read_metadata(lake / "release" / "latest" / "out__catalogue.parquet").num_rows == n
    surveys = run_sql(lake, "select distinct survey from raw_sample__epoch order by 1")["survey"].to_pylist()
    assert surveys == ["gaia", "ps1", "ztf"]
    assert place.count("core_tic__source") > 0.5 * n
    again = run(preset, lake, "http://127.0.0.1:9")  # nobody listens there, and nobody is asked
    assert "Nothing to do" in again.stdout


def test_ids_of_a_file_of_the_release_before(replica, tmp_path):
    from tasks.replica.holdings import Holdings, build

    holdings = Holdings(build(tmp_path / "holdings", N, SEED))
    neighbourhood = holdings.tables("gaia")["gaiadr3.dr2_neighbourhood"].relation
    rows = holdings.connect().execute(
        f"select dr2_source_id, dr3_source_id as source_id from {neighbourhood} where angular_distance < 50 "
        "order by dr3_source_id limit 160"
    ).to_arrow_table()  # fmt: skip
    wanted = rows.select(["dr2_source_id"]).group_by("dr2_source_id").aggregate([])
    file = tmp_path / "stars.csv"
    csv.write_csv(pa.concat_tables([wanted, pa.table({"dr2_source_id": pa.array([17], pa.int64())})]), file)
    lake = tmp_path / "lake"
    done = run("ids", lake, replica, "--data", file)
    assert "Traceback" not in done.stderr
    asked_for = sorted(set(rows["source_id"].to_pylist()))
    assert len(asked_for) > 100
    assert sorted(Lake(lake).read("core_gaia__source")["source_id"].to_pylist()) == asked_for
    released = pq.read_table(lake / "release" / "latest" / "out__catalogue.parquet")
    assert sorted(released["source_id"].to_pylist()) == asked_for
    unknown = run_sql(lake, "select count(*) as n from core_quarantine__row where key like '%17'")
    assert unknown["n"][0].as_py() >= 1
