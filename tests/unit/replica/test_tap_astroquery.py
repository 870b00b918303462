"""Unmodified astroquery against the replica's Gaia TAP+, each answer against NumPy."""

import re
import time

import numpy as np
import pytest
import requests
from astropy import units as u
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astroquery.gaia import GaiaClass
from astroquery.utils.tap import TapPlus

from tasks.replica import tap
from tasks.replica.app import create_app
from tasks.replica.state import State
from tests.unit.replica.hand_made import HandMade, angles
from tests.unit.replica.real_server import listening

RADIUS = 0.002


@pytest.fixture(scope="module")
def sky() -> HandMade:
    return HandMade(4000)


@pytest.fixture(scope="module")
def g(sky):
    return sky.columns("gaiadr3.gaia_source")


@pytest.fixture(scope="module")
def server(sky):
    state = State()
    with listening(create_app(sky, state, (tap,))) as url:
        yield url, state


@pytest.fixture
def state(server):
    server[1].log.clear()
    yield server[1]
    server[1].faults.clear()
    server[1].log.clear()


@pytest.fixture(scope="module")
def gaia(server) -> GaiaClass:
    return GaiaClass(gaia_tap_server=server[0] + "/", gaia_data_server=server[0] + "/", show_server_messages=False)


def test_messages_are_read(server):
    GaiaClass(gaia_tap_server=server[0] + "/", gaia_data_server=server[0] + "/", show_server_messages=True)


def test_sync_injects_top_2000(gaia, g, state):
    answer = gaia.launch_job("SELECT source_id, ra, phot_g_mean_mag FROM gaiadr3.gaia_source").get_results()
    assert len(answer) == 2000 and answer["source_id"].dtype == np.int64 and str(answer["ra"].unit) == "deg"
    place = {one: index for index, one in enumerate(g["source_id"])}
    rows = [place[one] for one in answer["source_id"]]
    assert (answer["ra"] == g["ra"][rows]).all()  # in full precision through the text of a VOTable
    assert (answer["phot_g_mean_mag"] == g["phot_g_mean_mag"][rows]).all()
    (entry,) = state.log.entries()
    assert entry["path"] == "/tap-server/tap/sync" and entry["status"] == 200 and entry["n_rows"] == 2000


def test_sync_gives_2000_rows_whatever_top_says(gaia):
    assert len(gaia.launch_job("SELECT TOP 3000 ra FROM gaiadr3.gaia_source").get_results()) == 2000


def test_all_kinds_of_columns(gaia, sky, g):
    answer = gaia.launch_job("SELECT * FROM gaiadr3.gaia_source ORDER BY random_index").get_results()
    order = np.argsort(g["random_index"])[:2000]
    assert answer.colnames == sky.data["gaiadr3.gaia_source"].column_names
    assert (answer["has_epoch_photometry"] == g["has_epoch_photometry"][order].astype(bool)).all()
    assert answer["phot_variable_flag"].tolist() == g["phot_variable_flag"][order].tolist()
    assert (answer["parallax"].mask == np.isnan(g["parallax"][order])).all() and answer["parallax"].mask.any()
    assert (answer["phot_g_n_obs"].mask == np.isnan(g["phot_g_n_obs"][order].astype(float))).all()


def test_asynchronous(gaia, g):
    job = gaia.launch_job_async("SELECT source_id FROM gaiadr3.gaia_source WHERE dec > 0")
    assert sorted(job.get_results()["source_id"]) == sorted(g["source_id"][g["dec"] > 0]) and len(g["dec"]) > 2000


def test_upload_join_on_position(gaia, g):
    mine = Table({"Name": ["a", "b", "nobody"], "ra": g["ra"][[3, 700, 9]], "dec": [g["dec"][3], g["dec"][700], 5.5]})
    job = gaia.launch_job_async(
        "SELECT m.name, g.source_id, DISTANCE(POINT('ICRS', g.ra, g.dec), POINT('ICRS', m.ra, m.dec)) AS sep "
        "FROM gaiadr3.gaia_source AS g JOIN TAP_UPLOAD.mine AS m "
        f"ON 1=CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', m.ra, m.dec, {RADIUS}))",
        upload_resource=mine,
        upload_table_name="mine",
    )
    answer = job.get_results()
    for name, ra, dec in zip(mine["Name"], mine["ra"], mine["dec"], strict=True):
        near = angles(g["ra"], g["dec"], ra, dec) <= RADIUS
        assert sorted(answer["source_id"][answer["name"] == name]) == sorted(g["source_id"][near])
    assert len(answer) >= 50 and answer["sep"].max() <= RADIUS


def test_background_job_to_its_end(gaia, g, state):
    state.limits.job_seconds = 0.3
    try:
        job = gaia.launch_job_async(
            "SELECT TOP 7 source_id FROM gaiadr3.gaia_source ORDER BY source_id",
            background=True,
            output_format="csv",
            name="mine",
        )
        assert job.get_phase(update=True) in ("QUEUED", "EXECUTING")
    finally:
        state.limits.job_seconds = 0.0
    while job.get_phase(update=True) != "COMPLETED":
        time.sleep(0.02)
    assert job.get_results()["source_id"].tolist() == sorted(g["source_id"])[:7]
    again = gaia.load_async_job(jobid=job.jobid)
    assert again.get_phase() == "COMPLETED" and again.get_results()["source_id"].tolist() == sorted(g["source_id"])[:7]
    assert job.jobid in [one.jobid for one in gaia.list_async_jobs()]
    gaia.remove_jobs([job.jobid])
    assert job.jobid not in [one.jobid for one in gaia.list_async_jobs()]
    with pytest.raises(requests.HTTPError, match="Error 404"):
        gaia.load_async_job(jobid=job.jobid)


def test_a_pending_job_is_started_by_hand(gaia):
    job = gaia.launch_job_async("SELECT TOP 3 ra FROM gaiadr3.gaia_source", autorun=False)
    assert job.get_phase(update=True) == "PENDING"
    job.start()
    assert len(job.get_results()) == 3


def test_wrong_adql(gaia):
    with pytest.raises(requests.HTTPError, match='unknown column "raa"'):
        gaia.launch_job("SELECT raa FROM gaiadr3.gaia_source")
    job = gaia.launch_job_async("SELECT raa FROM gaiadr3.gaia_source", background=True)
    while (phase := job.get_phase(update=True)) not in ("ERROR", "COMPLETED"):
        time.sleep(0.02)
    assert phase == "ERROR" and 'unknown column "raa"' in job.get_error()
    with pytest.raises(requests.HTTPError, match='unknown column "raa"'):
        job.get_results()


def test_formats(gaia, g):
    query = (
        "SELECT source_id, ra, phot_g_mean_mag, parallax, has_epoch_photometry FROM gaiadr3.gaia_source WHERE dec > 80"
    )
    chosen = g["dec"] > 80
    for style in ("votable_gzip", "votable", "votable_plain", "csv", "fits", "ecsv", "json"):
        answer = gaia.launch_job(query, output_format=style).get_results()
        order, expected = np.argsort(answer["source_id"]), np.argsort(g["source_id"][chosen])
        for name in ("source_id", "ra", "phot_g_mean_mag"):
            found = np.asarray(answer[name])[order].astype(g[name].dtype)
            assert (found == g[name][chosen][expected]).all(), (style, name)


def test_cone_search(gaia, g):
    job = gaia.cone_search_async(SkyCoord(0, 0, unit="deg"), radius=0.003 * u.deg, table_name="gaiadr3.gaia_source")
    answer, text = job.get_results(), gaia.load_async_job(jobid=job.jobid).parameters["query"]
    ra, dec = map(
        float, re.search(r"CIRCLE\('ICRS', (\S+), (\S+), 0.003\)", text).groups()
    )  # by 24 mas not what was said
    angle = angles(g["ra"], g["dec"], ra, dec)
    order = np.argsort(angle)[:50]  # the client's own ROW_LIMIT
    assert answer["source_id"].tolist() == g["source_id"][order].tolist()
    assert np.allclose(answer["dist"], angle[order], atol=1e-12) and angle[order].max() < 0.003


def test_tables(gaia, sky):
    tables = {table.name: table for table in gaia.load_tables()}
    assert {name for name in tables if not name.startswith("gaiadr4.")} == set(sky.tables("gaia"))
    table = gaia.load_table("gaiadr3.gaia_source")
    assert [column.name for column in table.columns] == sky.data["gaiadr3.gaia_source"].column_names
    ra = table.columns[3]
    assert (ra.data_type, ra.unit, ra.ucd, ra.flag) == ("DOUBLE", "deg", "pos.eq.ra;meta.main", "indexed")
    assert {table.name for table in gaia.load_tables(only_names=True)} == set(tables)
    with pytest.raises(requests.HTTPError, match=r"unknown table gaiadr3\.nothing"):
        gaia.load_table("gaiadr3.nothing")


def test_tapplus_names_columns_by_id(server):
    answer = TapPlus(url=server[0] + "/tap-server/tap").launch_job(
        "SELECT TOP 2 source_id, ra FROM gaiadr3.gaia_source"
    )
    assert answer.get_results().colnames == ["SOURCE_ID", "ra"]


def test_query_and_dump_to_a_file(gaia, tmp_path):
    path = tmp_path / "answer.csv"
    gaia.launch_job_async(
        "SELECT TOP 5 source_id, phot_variable_flag FROM gaiadr3.gaia_source",
        dump_to_file=True,
        output_file=str(path),
        output_format="csv",
    )
    assert path.read_text().startswith("source_id,phot_variable_flag\n") and len(path.read_text().splitlines()) == 6
