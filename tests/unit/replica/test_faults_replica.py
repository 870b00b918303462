"""Every fault of the replica once at the door, with clients that do nothing about it; and what the log says."""

import io
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
import requests
from starlette.responses import Response
from starlette.routing import Route

from schemas import BadInput
from tasks.replica import tap
from tasks.replica.app import create_app
from tasks.replica.state import CONTENT_FAULTS, WIRE_FAULTS, Faults, Limits, State, service_of
from tests.unit.replica.hand_made import HandMade
from tests.unit.replica.real_server import listening

SYNC = "/tap-server/tap/sync"
COUNT = {"QUERY": "SELECT COUNT(*) AS n FROM gaiadr3.gaia_source", "FORMAT": "csv"}


def zip_files() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "x" * 5000)
    return out.getvalue()


def zip_routes(holdings: Any, state: State) -> list[Route]:
    return [Route("/data-server/data", lambda request: Response(zip_files(), media_type="application/zip"))]


@pytest.fixture(scope="module")
def server():
    state = State()
    services = (tap, cast(ModuleType, SimpleNamespace(routes=zip_routes)))
    with listening(create_app(cast(Any, HandMade(500)), state, services)) as url:
        yield url, state


@pytest.fixture
def url(server):
    requests.delete(server[0] + "/_faults")
    requests.delete(server[0] + "/_log")
    yield server[0]
    server[1].limits = Limits()


@pytest.fixture
def state(server):
    return server[1]


def inject(url: str, kind: str, service: str = "gaia_tap", **more: Any) -> None:
    answer = requests.post(url + "/_faults", json=[{"service": service, "kind": kind, **more}])
    assert answer.status_code == 200, answer.text


def ask(url: str, **more: Any) -> requests.Response:
    return requests.post(url + SYNC, data={**COUNT, **more}, timeout=5)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 403])
def test_status(url, status):
    inject(url, "status", status=status, retry_after=3 if status == 429 else None, body="Error <b>here</b>")
    answer = ask(url)
    assert answer.status_code == status and answer.text == "Error <b>here</b>"
    assert answer.headers.get("Retry-After") == ("3" if status == 429 else None)
    assert ask(url).text == "n\n500\n"


def test_hang_until_the_client_gives_up(url, state):
    inject(url, "hang")
    began = time.perf_counter()
    with pytest.raises(requests.Timeout):
        requests.post(url + SYNC, data=COUNT, timeout=0.3)
    assert time.perf_counter() - began < 2
    assert ask(url).text == "n\n500\n"
    while (hung := state.log.entries()[0])["ended"] is None and time.perf_counter() - began < 5:
        time.sleep(0.01)
    assert hung["fault"] == "hang" and hung["ended"] is not None and state.log.entries()[1]["concurrent"] == 1


def test_hang_for_a_while_then_nothing(url):
    inject(url, "hang", seconds=0.2)
    with pytest.raises(requests.ConnectionError):
        ask(url)


@pytest.mark.parametrize("kept", [0, 10, -1])
def test_dropped_connection(url, kept):
    inject(url, "drop", bytes=kept)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        requests.post(url + SYNC, data={**COUNT, "FORMAT": "votable"}, timeout=5)
    assert ask(url).text == "n\n500\n"


def test_dropped_connection_after_a_big_upload(url):
    inject(url, "drop", bytes=-1)
    with pytest.raises(requests.ConnectionError):
        requests.post(url + SYNC, data=COUNT, files={"t": b"x" * 5_000_000}, timeout=5)


def test_truncated_zip(url):
    inject(url, "truncated_zip", "gaia_datalink")
    answer = requests.get(url + "/data-server/data")
    assert answer.status_code == 200 and answer.content == zip_files()[: len(zip_files()) // 2]
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(answer.content))
    zipfile.ZipFile(io.BytesIO(requests.get(url + "/data-server/data").content)).testzip()


def test_html_with_status_200(url):
    inject(url, "html")
    answer = ask(url)
    assert answer.status_code == 200 and "maintenance" in answer.text and "html" in answer.headers["content-type"]


def test_after_and_count_and_path(url):
    inject(url, "status", path="sync$", after=2, count=2)
    assert requests.get(url + "/tap-server/tap/availability").status_code == 200
    assert [ask(url).status_code for _ in range(5)] == [200, 200, 500, 500, 200]
    assert requests.get(url + "/_faults").json() == []


def test_faults_of_other_services_and_of_any(url):
    inject(url, "status", "irsa_tap")
    inject(url, "status", "*", status=503, after=1)
    assert ask(url).status_code == 200 and ask(url).status_code == 503
    assert [fault["service"] for fault in requests.get(url + "/_faults").json()] == ["irsa_tap"]


def test_capped(url):
    inject(url, "capped", rows=4)
    query = "SELECT source_id FROM gaiadr3.gaia_source"
    assert len(ask(url, QUERY=query).text.splitlines()) == 1 + 4
    assert len(ask(url, QUERY=query).text.splitlines()) == 1 + 500


def test_sentinel_duplicates_missing_and_empty(url):
    query = {"QUERY": "SELECT TOP 5 source_id, parallax, ra FROM gaiadr3.gaia_source ORDER BY source_id"}
    good = [line.split(",") for line in ask(url, **query).text.splitlines()[1:]]
    inject(url, "sentinel", rows=2)
    bad = [line.split(",") for line in ask(url, **query).text.splitlines()[1:]]
    assert [row[1] for row in bad[:2]] == ["-999.0"] * 2 and bad[2:] == good[2:]
    assert [row[0::2] for row in bad] == [row[0::2] for row in good]
    inject(url, "duplicate_ids")
    assert [line.split(",") for line in ask(url, **query).text.splitlines()[1:]] == [good[0], *good]
    inject(url, "missing_ids", rows=2)
    assert [line.split(",") for line in ask(url, **query).text.splitlines()[1:]] == good[2:]
    inject(url, "empty_product")
    assert ask(url, **query).text == "source_id,parallax,ra\n"


def started(url: str) -> str:
    answer = requests.post(url + "/tap-server/tap/async", data={**COUNT, "PHASE": "RUN"}, allow_redirects=False)
    return answer.headers["Location"]


def phase_at_end(job: str) -> str:
    while (answer := requests.get(job + "/phase")).text in ("QUEUED", "EXECUTING", "PENDING"):
        time.sleep(0.01)
    return answer.text


def test_job_error(url):
    inject(url, "job_error", body="Out of memory & <patience>")
    job = started(url)
    assert phase_at_end(job) == "ERROR"
    assert requests.get(job + "/results/result").status_code == 400
    assert "Out of memory &amp; &lt;patience&gt;" in requests.get(job + "/error").text
    assert "Out of memory" in requests.get(job).text
    assert phase_at_end(started(url)) == "COMPLETED"


def test_lost_job(url):
    job = started(url)
    assert phase_at_end(job) == "COMPLETED"
    inject(url, "lost_job", path="results/result")
    assert requests.get(job).status_code == 200
    assert requests.get(job + "/results/result").status_code == 404
    assert requests.get(job).status_code == 404 and requests.get(job + "/phase").status_code == 404
    assert phase_at_end(started(url)) == "COMPLETED"


def test_capped_job(url):
    inject(url, "capped", rows=0)
    job = started(url)
    assert phase_at_end(job) == "COMPLETED" and requests.get(job + "/results/result").text == "n\n"


def test_aborted_and_deleted_jobs(url, state):
    state.limits.job_seconds = 0.2
    job = started(url)
    assert requests.post(job + "/phase", data={"PHASE": "ABORT"}).status_code == 200
    assert requests.get(job + "/phase").text == "ABORTED"
    deleted = requests.delete(job, allow_redirects=False)
    assert deleted.status_code == 303 and requests.get(job).status_code == 404


def test_log_tells_what_was_asked_and_how_much_at_once(url, state):
    state.limits.job_seconds = 0.0
    inject(url, "hang", count=3, seconds=1.0)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(ask, url)
            time.sleep(0.02)
    log = requests.get(url + "/_log").json()
    assert [entry["concurrent"] for entry in log] == [1, 2, 3, 4] and {entry["service"] for entry in log} == {
        "gaia_tap"
    }
    assert all(entry["ended"] >= entry["began"] for entry in log) and log[3]["status"] == 200
    assert log[3]["n_rows"] == 1 and log[3]["bytes_in"] > 0 and log[3]["bytes_out"] == len("n\n500\n")
    requests.delete(url + "/_log")
    assert requests.get(url + "/_log").json() == []


def test_the_same_question_has_the_same_digest(url):
    uploaded = {"UPLOAD": "t,param:t"}
    files = {"t": ("t", b"<VOTABLE/>")}
    for more in ({}, {}, {"QUERY": "SELECT 1 AS a"}):
        requests.post(url + SYNC, data={**COUNT, **more, **uploaded}, files=files)  # each with a boundary of its own
    requests.get(url + "/tap-server/tap/availability")
    first, second, third, other = [entry["digest"] for entry in requests.get(url + "/_log").json()]
    assert first == second != third != other


def test_jobs_of_a_service_are_counted(url, state):
    state.limits.job_seconds = 0.3
    started(url), started(url)
    ask(url)
    assert requests.get(url + "/_log").json()[-1]["jobs"] == 2


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"service": "nasa", "kind": "hang"}, "service"),
        ({"service": "gaia_tap", "kind": "boom"}, "kind"),
        ({"service": "gaia_tap", "kind": "hang", "colour": 1}, "unknown fields"),
        ({"service": "gaia_tap", "kind": "hang", "path": "("}, "regex"),
        ({"service": "gaia_tap", "kind": "hang", "count": 0}, "count"),
        ({"kind": "hang"}, "service"),
    ],
)
def test_wrong_faults_are_refused(url, fault, reason):
    answer = requests.post(url + "/_faults", json=[fault])
    assert answer.status_code == 400 and reason in answer.json()["error"]
    assert requests.get(url + "/_faults").json() == []


def test_limits_by_http(url, state):
    changed = requests.post(
        url + "/_limits", json={"structures": ["DATAMODEL_GAIA"], "row_caps": {"gaia_tap": [3, None]}}
    )
    assert changed.json()["row_caps"]["mast_ps1"] == [100_000, 100_000]
    assert state.limits.structures == ("DATAMODEL_GAIA",)
    assert len(ask(url, QUERY="SELECT ra FROM gaiadr3.gaia_source").text.splitlines()) == 1 + 3
    assert requests.post(url + "/_limits", json={"speed": 1}).status_code == 400


def test_about(url):
    about = requests.get(url + "/_about").json()
    assert about["n"] == 500 and about["name"].startswith("replica-500-3-v")


def test_unknown_pages_are_404_and_logged(url):
    assert requests.get(url + "/nothing").status_code == 404
    assert requests.get(url + "/_log").json()[-1]["service"] == "unknown"


def test_services_by_path():
    assert service_of("/mast/vo-tap/api/v0.1/tic/sync") == "mast_tic"
    assert service_of("/mast/api/v0/invoke") == "mast_portal"
    assert service_of("/irsa/cgi-bin/ZTF/nph_light_curves") == "irsa_lightcurves" and service_of("/_log") == "admin"


def test_a_fault_is_taken_by_kind():
    faults = Faults()
    faults.add([{"service": "gaia_tap", "kind": kind} for kind in (*WIRE_FAULTS, *CONTENT_FAULTS)])
    assert faults.take("gaia_tap", "/x", ("capped",)).kind == "capped"
    assert faults.take("gaia_tap", "/x", ("capped",)) is None
    assert faults.take("gaia_tap", "/x", WIRE_FAULTS).kind == "status"
    with pytest.raises(BadInput):
        faults.add([{"service": "gaia_tap", "kind": "capped", "after": -1}])
