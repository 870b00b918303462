"""Unmodified pyvo against the replica's TAP services at MAST and IRSA, each answer against NumPy."""

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow.csv
import pytest
import requests
from astropy.table import Table
from pyvo.dal import AsyncTAPJob, DALQueryError, DALServiceError, TAPService
from pyvo.dal.exceptions import DALOverflowWarning

from tasks.replica import tap
from tasks.replica.app import create_app
from tasks.replica.state import State
from tests.unit.replica.hand_made import HandMade, angles
from tests.unit.replica.real_server import listening

RADIUS = 0.002


@pytest.fixture(scope="module")
def sky() -> HandMade:
    return HandMade()


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
    server[1].limits = type(server[1].limits)()


@pytest.fixture(scope="module")
def ps1(server) -> TAPService:
    return TAPService(server[0] + "/mast/vo-tap/api/v0.1/ps1dr2/")


@pytest.fixture(scope="module")
def irsa(server) -> TAPService:
    return TAPService(server[0] + "/irsa/TAP")


def test_sync(ps1, sky):
    o = sky.columns("dbo.meanobjectview")
    answer = ps1.run_sync("SELECT objID, raMean, gMeanPSFMag FROM dbo.MeanObjectView WHERE nDetections > 30").to_table()
    keep = o["nDetections"] > 30
    order = np.argsort(answer["objID"])
    assert (answer["objID"][order] == o["objID"][keep]).all() and answer.colnames == ["objID", "raMean", "gMeanPSFMag"]
    assert (answer["gMeanPSFMag"][order] == o["gMeanPSFMag"][keep]).all() and (answer["gMeanPSFMag"] == -999).any()


def test_in_list_of_500_through_a_job_by_hand(ps1, sky, state):
    o = sky.columns("dbo.meanobjectview")
    wanted = o["objID"][:500]
    job = ps1.submit_job(f"SELECT objID FROM dbo.MeanObjectView WHERE objID IN ({','.join(map(str, wanted))})")
    job.execution_duration = 1200
    assert job.phase == "PENDING"
    job.run().wait(timeout=20)
    assert job.phase == "COMPLETED"
    assert sorted(job.fetch_result().to_table()["objID"]) == wanted.tolist()
    again = AsyncTAPJob(job.url)
    assert again.job_id == job.job_id and again.query.startswith("SELECT objID")
    assert job.job_id in [one.jobid for one in ps1.get_job_list()]
    job.delete()
    with pytest.raises(DALServiceError, match="404"):
        AsyncTAPJob(again.url)
    log = state.log.entries()
    assert [entry["n_items"] for entry in log if entry["path"].endswith("/phase")] == [500]
    assert all(entry["service"] == "mast_ps1" for entry in log)


def test_upload_join(irsa, sky):
    z = sky.columns("ztf_objects_dr24")
    mine = Table({"name": np.array([b"a", b"b"]), "ra": z["ra"][[5, 100]], "dec": z["dec"][[5, 100]]})
    answer = irsa.run_async(
        "SELECT m.name, z.oid, z.filtercode FROM ztf_objects_dr24 AS z, TAP_UPLOAD.mine AS m "
        f"WHERE CONTAINS(POINT('ICRS', z.ra, z.dec), CIRCLE('ICRS', m.ra, m.dec, {RADIUS})) = 1",
        uploads={"mine": mine},
    ).to_table()
    for name, ra, dec in mine:
        near = angles(z["ra"], z["dec"], ra, dec) <= RADIUS
        assert sorted(answer["oid"][answer["name"] == name]) == sorted(z["oid"][near]) and near.any()
    assert set(answer["filtercode"]) <= {"zg", "zr", "zi"}


def test_irsa_takes_text_as_bytes_alone(irsa):
    mine = Table({"name": ["ä", "b"], "ra": [1.0, 2.0], "dec": [1.0, 2.0]})
    with pytest.raises(DALQueryError, match="unicodeChar"):
        irsa.run_async("SELECT name FROM TAP_UPLOAD.mine", uploads={"mine": mine})


def test_every_kind_of_column_can_be_uploaded(ps1):
    mine = Table(
        {
            "Text": ["x<y", "", "z"],
            "i64": np.array([2**60, -1, 0]),
            "i16": np.array([1, 2, 3], "i2"),
            "f32": np.array([0.1, np.nan, 3], "f4"),
            "flag": [True, False, True],
            "hole": np.ma.masked_array([1, 2, 3], mask=[False, True, False]),
        }
    )
    answer = ps1.run_sync("SELECT * FROM TAP_UPLOAD.t ORDER BY i16", uploads={"t": mine}).to_table()
    assert answer.colnames == mine.colnames and answer["Text"].tolist() == ["x<y", "", "z"]
    assert answer["i64"].tolist() == [2**60, -1, 0] and answer["flag"].tolist() == [True, False, True]
    assert answer["f32"].dtype == np.float32 and answer["f32"].mask.tolist() == [False, True, False]
    assert answer["hole"].mask.tolist() == [False, True, False] and answer["i16"].dtype == np.int16


def test_bad_uploads(server):
    url = server[0] + "/irsa/TAP/sync"
    ask = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": "SELECT * FROM TAP_UPLOAD.t"}
    for upload, files, reason in (
        ("t,param:gone", {}, "which the request has not"),
        ("t,http://example.org/t.xml", {}, "sent with the query alone"),
        ("t", {}, "name,param:part"),
        ("t,param:t", {"t": ("t", b"<html>")}, "cannot be read as a VOTable"),
    ):
        answer = requests.post(url, data={**ask, "UPLOAD": upload}, files=files or None)
        assert answer.status_code == 400 and reason in answer.text and "QUERY_STATUS" in answer.text


def test_errors_are_sentences(ps1):
    with pytest.raises(DALQueryError, match=r'unknown table "dbo\.nothing"'):
        ps1.run_sync("SELECT a FROM dbo.nothing")
    with pytest.raises(DALQueryError, match=r"CONTAINS stands where .*POLYGON"):
        ps1.run_async(
            "SELECT objID FROM dbo.MeanObjectView WHERE 1=CONTAINS(POINT(raMean, decMean), POLYGON(1,2,3,4,5,6))"
        )


def test_an_error_while_running(ps1):
    with pytest.raises(DALQueryError, match="cannot be run"):
        ps1.run_async("SELECT CAST(objName AS BIGINT) AS x FROM TAP_UPLOAD.t", uploads={"t": Table({"objName": ["x"]})})


def test_row_cap_is_silent_at_mast_and_told_elsewhere(ps1, irsa, state, recwarn):
    state.limits.change({"row_caps": {"mast_ps1": [40, 50], "irsa_tap": [40, 50]}})
    assert len(ps1.run_sync("SELECT objID FROM dbo.MeanObjectView")) == 40
    assert len(ps1.run_async("SELECT objID FROM dbo.MeanObjectView")) == 50
    assert not [one for one in recwarn if one.category is DALOverflowWarning]
    assert len(irsa.run_async("SELECT oid FROM ztf_objects_dr24")) == 50
    assert [one for one in recwarn if one.category is DALOverflowWarning]


def test_exactly_as_many_rows_as_the_cap_is_no_overflow(server, sky, state):
    state.limits.change({"row_caps": {"irsa_tap": [len(sky.data["ztf_objects_dr24"])] * 2}})
    answer = requests.get(server[0] + "/irsa/TAP/sync", params={"QUERY": "SELECT oid FROM ztf_objects_dr24"})
    assert answer.status_code == 200 and "OVERFLOW" not in answer.text


def test_maxrec(irsa):
    assert len(irsa.run_sync("SELECT oid FROM ztf_objects_dr24", maxrec=7)) == 7
    assert len(irsa.run_sync("SELECT TOP 3 oid FROM ztf_objects_dr24", maxrec=7)) == 3


def test_wait_blocks_until_the_job_has_ended(server, state):
    state.limits.job_seconds = 0.3
    base = server[0] + "/mast/vo-tap/api/v0.1/tic"
    ask = {"QUERY": "SELECT TOP 1 ID FROM dbo.catalogrecord", "PHASE": "RUN", "FORMAT": "csv"}
    made = requests.post(base + "/async", data=ask, allow_redirects=False)
    assert made.status_code == 303 and made.headers["Location"].startswith(base + "/async/")
    began = time.perf_counter()
    while "COMPLETED" not in requests.get(made.headers["Location"], params={"WAIT": "-1"}).text:
        assert time.perf_counter() - began < 5
    assert 0.2 < time.perf_counter() - began < 2
    assert requests.get(made.headers["Location"] + "/results/result").text.splitlines()[0] == "ID"


def test_parameters_in_any_case_and_by_get(server):
    answer = requests.get(
        server[0] + "/mast/vo-tap/api/v0.1/tic/sync",
        params={
            "request": "doQuery",
            "lang": "adql",
            "query": "SELECT TOP 2 ID FROM dbo.catalogrecord",
            "format": "CSV",
        },
    )
    assert answer.headers["content-type"].startswith("text/csv") and len(answer.text.splitlines()) == 3


@pytest.mark.parametrize(
    "parameters", [{"QUERY": ""}, {"QUERY": "SELECT 1", "LANG": "PQL"}, {"QUERY": "SELECT 1", "MAXREC": "-3"}, {}]
)
def test_wrong_parameters(server, parameters):
    answer = requests.post(server[0] + "/irsa/TAP/sync", data=parameters)
    assert answer.status_code == 400 and 'value="ERROR"' in answer.text


def test_unknown_formats(server):
    ask = {"QUERY": "SELECT TOP 1 oid FROM ztf_objects_dr24", "FORMAT": "votable_gzip"}
    assert "no formatter" in requests.post(server[0] + "/irsa/TAP/sync", data=ask).text
    assert requests.post(server[0] + "/irsa/TAP/sync", data={**ask, "FORMAT": "docx"}).status_code == 400


def test_about_the_service(ps1, sky):
    assert list(ps1.tables.keys()) == ["dbo.MeanObjectView"]
    table = ps1.tables["dbo.MeanObjectView"]
    assert [column.name for column in table.columns] == sky.data["dbo.meanobjectview"].column_names
    assert table.columns[1].unit == "deg" and ps1.hardlimit == 100_000 and len(ps1.upload_methods) == 1


def test_csv_is_read_by_arrow_as_it_was_written(server, sky):
    answer = requests.post(
        server[0] + "/tap-server/tap/sync",
        data={"QUERY": "SELECT TOP 1500 * FROM gaiadr3.gaia_source ORDER BY random_index", "FORMAT": "csv"},
    )
    data = sky.data["gaiadr3.gaia_source"].sort_by("random_index").slice(0, 1500)
    options = pyarrow.csv.ConvertOptions(
        column_types=data.schema, strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    found = pyarrow.csv.read_csv(pyarrow.BufferReader(answer.content), convert_options=options)
    assert found.equals(data)
    assert ",True\n" in answer.text and ",False\n" in answer.text


def test_many_clients_at_once_with_uploads_of_the_same_name(server, sky):
    o = sky.columns("dbo.meanobjectview")

    def ask(place: int) -> bool:
        mine = Table({"objID": o["objID"][place : place + 40]})
        service = TAPService(server[0] + "/mast/vo-tap/api/v0.1/ps1dr2")
        answer = service.run_sync(
            "SELECT o.objID, DISTANCE(raMean, decMean, 10, 20) AS d FROM dbo.MeanObjectView AS o "
            "JOIN TAP_UPLOAD.mine AS m ON o.objID = m.objID",
            uploads={"mine": mine},
        )
        return sorted(answer["objID"]) == o["objID"][place : place + 40].tolist()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(0, 400, 10)))
