"""Every client against the replica in a process of its own: what it brings, and what it makes of each fault."""

import io
import json
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import md5

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import requests

from tasks.archives.clients import open_clients
from tasks.archives.csv import read_csv
from tasks.archives.endpoints import replica
from tasks.archives.errors import BadQuestion, Refused, Retryable, TooMuch
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tasks.archives.votable import read_votable
from tasks.replica.serve import running
from tests.unit.archives.wire_server import KeptJob

LIMITS = {name: replace(limits, timeout_s=2.0, poll_s=(0.005, 0.05)) for name, limits in PROFILES["fast"].items()}
LONG, FLOAT, TEXT = pa.int64(), pa.float64(), pa.string()
SOURCES = Question(
    "gaia_tap",
    "SELECT source_id, ra, dec, has_epoch_photometry FROM gaiadr3.gaia_source WHERE source_id BETWEEN {lo} AND {hi}",
    "dr3",
    len,
)
BY_ID = replace(SOURCES, text="SELECT source_id FROM gaiadr3.gaia_source WHERE source_id IN {items}", key="source_id")
AROUND = Question(
    "mast_ps1",
    "SELECT i.source_id, o.objID FROM TAP_UPLOAD.items AS i JOIN dbo.MeanObjectView AS o "
    "ON 1 = CONTAINS(POINT('ICRS', o.raMean, o.decMean), CIRCLE('ICRS', i.ra, i.dec, {radius_deg}))",
    "dr2",
    len,
    {"radius_deg": "0.0005"},
    key="source_id",
    is_upload=True,
)
DETECTIONS = Question(
    "mast_ps1", "SELECT objID, obsTime, psfFlux FROM dbo.Detection WHERE objID IN {items}", "dr2", len, key="objid"
)
ZTF = Question(
    "irsa_tap",
    "SELECT i.source_id, o.oid, o.filtercode FROM TAP_UPLOAD.items AS i JOIN {catalogue} AS o "
    "ON 1 = CONTAINS(POINT('ICRS', o.ra, o.dec), CIRCLE('ICRS', i.ra, i.dec, {radius_deg}))",
    "dr24",
    len,
    {"radius_deg": "0.0005", "catalogue": "ztf_objects_dr24"},
    key="source_id",
    is_upload=True,
)
CURVES = Question(
    "irsa_lightcurves", "nph_light_curves", "dr24", len, {"COLLECTION": "ztf_dr24", "FORMAT": "CSV"}, key="oid"
)
EPOCHS = Question(
    "gaia_datalink",
    "EPOCH_PHOTOMETRY",
    "gaia_dr3",
    len,
    {"RELEASE": "Gaia DR3", "DATA_STRUCTURE": "INDIVIDUAL"},
    key="source_id",
)
TIC = Question("mast_portal", "Mast.Catalogs.Filtered.Tic.Rows", "8.2", len, key="gaia")
TIC_BY_TAP = Question(
    "mast_tic", "SELECT id, gaia, teff FROM dbo.catalogrecord WHERE gaia IN {items}", "8.2", len, key="gaia"
)
PLACES = Question("cds_xmatch", "vizier:IV/39/tic82", "8.2", len, {"radius_arcsec": "2.0"}, key="source_id")
TRUTH = Question("truth", "truth", "sky", len, key="source_id")
SUMS = Question("gaia_cdn", "_MD5SUM.txt", "dr3", len)
EVERYTHING = pa.table({"lo": pa.array([0], LONG), "hi": pa.array([2**63 - 1], LONG)})


class Archives:
    """The clients of a replica, and its own door."""

    def __init__(self, base):
        self.base = base
        self.clients = open_clients(replica(base, "test"), LIMITS)

    def ask(self, question, items, job=None, **changes):
        clients = self.clients
        if changes:
            changed = LIMITS | {question.service: replace(LIMITS[question.service], **changes)}
            clients = open_clients(replica(self.base, "test"), changed)
        return clients[question.service].send(question, items, job or KeptJob())

    def rows(self, question, items, **schema):
        return read_csv(self.ask(question, items), schema, question.service)

    def fault(self, service, kind, **more):
        requests.post(f"{self.base}/_faults", json=[{"service": service, "kind": kind, **more}]).raise_for_status()

    def limit(self, **limits):
        requests.post(f"{self.base}/_limits", json=limits).raise_for_status()

    def log(self):
        return requests.get(f"{self.base}/_log").json()


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    with running(300, 5, tmp_path_factory.mktemp("sky")) as url:
        yield url


@pytest.fixture(scope="module")
def archives(base):
    return Archives(base)


@pytest.fixture(scope="module")
def sources(archives):
    """All sources of the sky."""
    return archives.rows(SOURCES, EVERYTHING, source_id=LONG, ra=FLOAT, dec=FLOAT, has_epoch_photometry=pa.bool_())


@pytest.fixture(scope="module")
def places(sources):
    return sources.select(["source_id", "ra", "dec"]).slice(0, 150)


@pytest.fixture(scope="module")
def observed(sources):
    return sources.filter(sources["has_epoch_photometry"]).select(["source_id"]).slice(0, 40)


@pytest.fixture(scope="module")
def oids(archives, places):
    return archives.rows(ZTF, places, oid=LONG).slice(0, 20)


@pytest.fixture(scope="module")
def dr2_ids(archives):
    text = "SELECT dr2_source_id FROM gaiadr3.dr2_neighbourhood WHERE dr3_source_id BETWEEN {lo} AND {hi}"
    found = archives.rows(replace(SOURCES, text=text), EVERYTHING, dr2_source_id=LONG)
    return pa.table({"gaia": pc.unique(found["dr2_source_id"]).slice(0, 60).cast(TEXT)})


@pytest.fixture(autouse=True)
def calm(base):
    yield
    for page in ("_faults", "_log"):
        requests.delete(f"{base}/{page}").raise_for_status()


def test_gaia_gives_a_selection_and_the_sources_asked_for(archives, sources):
    ids = sources.select(["source_id"]).slice(5, 70)
    back = archives.rows(BY_ID, ids, source_id=LONG)
    assert sources.num_rows >= 300
    assert sorted(back["source_id"].to_pylist()) == sorted(ids["source_id"].to_pylist())
    assert requests.get(f"{archives.base}/tap-server/tap/async").text.count("<uws:jobref") == 0  # all are removed


def test_uploads_join_at_mast_and_irsa(archives, places):
    for question, objid in ((AROUND, "objid"), (ZTF, "oid")):
        found = archives.rows(question, places, source_id=LONG, **{objid: LONG})
        assert found.num_rows > 20 and set(found["source_id"].to_pylist()) <= set(places["source_id"].to_pylist())


def test_detections_come_for_the_objects_asked_for(archives, places):
    objects = archives.rows(AROUND, places, objid=LONG).slice(0, 30)
    found = archives.rows(DETECTIONS, objects, objid=LONG, obstime=FLOAT, psfflux=FLOAT)
    assert 0 < len(set(found["objid"].to_pylist()) & set(objects["objid"].to_pylist())) <= 30


def test_light_curves_come_with_flagged_epochs(archives, oids):
    found = archives.rows(CURVES, oids, oid=LONG, hjd=FLOAT, catflags=LONG)
    assert set(found["oid"].to_pylist()) == set(oids["oid"].to_pylist())
    assert pc.max(found["catflags"]).as_py() >= 32768  # left out unless one asks for them


def test_epoch_photometry_is_a_zip_of_a_file_for_each_source(archives, observed):
    with zipfile.ZipFile(io.BytesIO(archives.ask(EPOCHS, observed))) as products:
        names = products.namelist()
        assert b"g_transit_time" in products.read(names[0]).lower()
    assert 0.9 * observed.num_rows <= len(names) <= observed.num_rows


def test_the_tic_is_the_same_by_portal_and_tap(archives, dr2_ids):
    pages = json.loads(archives.ask(TIC, dr2_ids))
    by_portal = sorted(str(row["ID"]) for page in pages for row in page["data"])
    by_tap = archives.rows(TIC_BY_TAP, dr2_ids, id=TEXT, gaia=TEXT)
    assert by_portal == sorted(by_tap["id"].to_pylist()) and len(by_portal) > 30


def test_the_portal_takes_lists_of_tic_ids(archives, dr2_ids):
    some = archives.rows(TIC_BY_TAP, dr2_ids, id=LONG).slice(0, 3)
    pages = json.loads(archives.ask(replace(TIC, key="id"), some))
    assert sorted(int(row["ID"]) for page in pages for row in page["data"]) == sorted(some["id"].to_pylist())


def test_pages_of_the_portal_come_together(archives, dr2_ids):
    archives.limit(portal_page=20)
    pages = json.loads(archives.ask(TIC, dr2_ids))
    archives.limit(portal_page=50_000)
    whole = json.loads(archives.ask(TIC, dr2_ids))
    assert len(pages) > 1 and [row for page in pages for row in page["data"]] == whole[0]["data"]


def test_positions_are_matched_with_the_tic(archives, places):
    found = read_votable(archives.ask(PLACES, places), "cds_xmatch")
    assert found.num_rows > 50 and pc.max(found["angDist"]).as_py() <= 2.0
    assert (found.schema.field("source_id").type, found.schema.field("TIC").type) == (LONG, LONG)


def test_the_truth_is_told(archives, places):
    ids = places.select(["source_id"])
    found = archives.rows(TRUTH, ids, source_id=LONG, **{"class": TEXT})
    assert found.num_rows > 0 and set(found["source_id"].to_pylist()) <= set(ids["source_id"].to_pylist())


def test_bulk_files_come_with_their_checksum(archives):
    sums = [line.split() for line in archives.ask(SUMS, pa.table({"x": [1]})).decode().splitlines()]
    checksum, name = sums[0]
    question = replace(SUMS, key="file", text="epoch_photometry")
    item = pa.table({"file": [name.lstrip("*")], "md5": [checksum]})
    assert md5(archives.ask(question, item)).hexdigest() == checksum
    with pytest.raises(Retryable, match="checksum"):
        archives.ask(question, item.set_column(1, "md5", [["0" * 32]]))


def test_many_threads_may_ask_all_services(archives, places, observed, oids, dr2_ids):
    asked = [
        (BY_ID, places.select(["source_id"])),
        (AROUND, places),
        (ZTF, places),
        (CURVES, oids),
        (EPOCHS, observed),
        (TIC, dr2_ids),
        (TIC_BY_TAP, dr2_ids),
        (PLACES, places),
        (TRUTH, places.select(["source_id"])),
    ]
    alone = [len(archives.ask(*one)) for one in asked]
    with ThreadPoolExecutor(6) as pool:
        assert [len(answer) for answer in pool.map(lambda one: archives.ask(*one), asked * 2)] == alone * 2


STATUS_429 = ({"kind": "status", "status": 429, "retry_after": 3}, Retryable, "429")
STATUS_502 = ({"kind": "status", "status": 502}, Retryable, "502")
STATUS_403 = ({"kind": "status", "status": 403}, Refused, "403")
HTML = ({"kind": "html"}, Retryable, "a page instead of data.*maintenance")
DROP = ({"kind": "drop"}, Retryable, "ended after|no whole zip file")
RESET = ({"kind": "drop", "bytes": -1}, Retryable, "cannot be reached or broke off")
# Service, path of the request that suffers, and what it suffers.
WIRE = [
    ("gaia_tap", "async$", (STATUS_429, STATUS_403, HTML, RESET)),
    ("gaia_tap", "phase$", (STATUS_502, HTML, RESET)),
    ("gaia_tap", "result$", (STATUS_502, HTML, DROP)),
    ("gaia_datalink", "data$", (STATUS_429, STATUS_403, HTML, DROP, RESET)),
    ("mast_ps1", "async$", (STATUS_429, STATUS_403, HTML, RESET)),
    ("mast_ps1", "phase$", (STATUS_502, RESET)),
    ("mast_ps1", "result$", (STATUS_502, HTML, DROP)),
    ("mast_tic", "async$", (HTML,)),
    ("irsa_tap", "async$", (HTML,)),
    ("mast_portal", "invoke$", (STATUS_429, STATUS_403, HTML, DROP, RESET)),
    ("irsa_lightcurves", "nph", (STATUS_429, STATUS_403, HTML, DROP, RESET)),
    ("cds_xmatch", "sync$", (STATUS_502, STATUS_403, HTML, DROP, RESET)),
    ("truth", "truth$", (STATUS_502, DROP)),
    ("gaia_cdn", "_MD5SUM", (STATUS_502, HTML, DROP)),
]
CASES = [(service, path, *case) for service, path, cases in WIRE for case in cases]


@pytest.fixture
def questions(places, observed, oids, dr2_ids):
    return {
        "gaia_tap": (BY_ID, places.select(["source_id"])),
        "gaia_datalink": (EPOCHS, observed),
        "mast_ps1": (AROUND, places.slice(0, 60)),
        "mast_tic": (TIC_BY_TAP, dr2_ids),
        "mast_portal": (TIC, dr2_ids),
        "irsa_tap": (ZTF, places),
        "irsa_lightcurves": (CURVES, oids),
        "cds_xmatch": (PLACES, places),
        "truth": (TRUTH, places.select(["source_id"])),
        "gaia_cdn": (SUMS, pa.table({"x": [1]})),
    }


@pytest.mark.parametrize(("service", "path", "fault", "kind", "said"), CASES)
def test_a_fault_on_the_wire_is_told_and_the_next_attempt_succeeds(
    archives, questions, service, path, fault, kind, said
):
    job = KeptJob()
    archives.fault(service, path=path, **fault)
    with pytest.raises(kind, match=said) as caught:
        archives.ask(*questions[service], job)
    assert service in str(caught.value)
    if "retry_after" in fault:
        assert caught.value.after_s == 3
    assert archives.ask(*questions[service], job)


@pytest.mark.parametrize("service", ["gaia_tap", "gaia_datalink", "mast_ps1", "mast_portal", "irsa_lightcurves"])
def test_a_hang_ends(archives, questions, service):
    archives.fault(service, "hang")
    with pytest.raises(Retryable, match=r"did not answer within 0\.3 s"):
        archives.ask(*questions[service], timeout_s=0.3)


@pytest.mark.parametrize("service", ["gaia_tap", "mast_ps1", "irsa_tap"])
@pytest.mark.parametrize(("fault", "kind"), [("job_error", Retryable), ("lost_job", Retryable)])
def test_faults_of_jobs(archives, questions, service, fault, kind):
    job = KeptJob()
    archives.fault(service, fault)
    with pytest.raises(kind, match="job"):
        archives.ask(*questions[service], job)
    assert job.url is None
    assert archives.ask(*questions[service], job)


@pytest.mark.parametrize("service", ["gaia_tap", "mast_ps1"])
def test_adql_that_the_service_does_not_know_is_a_bad_question(archives, questions, service):
    _, items = questions[service]
    question = Question(service, "SELECT x FROM no.such_table WHERE source_id IN {items}", "", len, key="source_id")
    with pytest.raises(BadQuestion, match=r"no\.such_table"):
        archives.ask(question, items)


def test_a_capped_answer_is_too_much(archives, questions):
    archives.fault("mast_ps1", "capped", rows=7)
    with pytest.raises(TooMuch, match="7 rows"):
        archives.ask(*questions["mast_ps1"], row_cap=7)


def test_a_truncated_zip_is_asked_again(archives, questions):
    archives.fault("gaia_datalink", "truncated_zip")
    with pytest.raises(Retryable, match="no whole zip file"):
        archives.ask(*questions["gaia_datalink"])


def test_products_that_are_not_there_are_an_empty_zip(archives, questions):
    archives.fault("gaia_datalink", "empty_product", rows=1000)
    with zipfile.ZipFile(io.BytesIO(archives.ask(*questions["gaia_datalink"]))) as products:
        assert products.namelist() == []


def test_too_many_ids_are_to_be_split(archives, questions):
    archives.limit(max_datalink_ids=10)
    with pytest.raises(TooMuch, match="max: 10"):
        archives.ask(*questions["gaia_datalink"])
    archives.limit(max_datalink_ids=5000)


def test_structures_are_asked_for_by_the_name_that_the_server_takes(archives, questions):
    before = archives.ask(*questions["gaia_datalink"])
    archives.limit(structures=["DATAMODEL_GAIA", "DATAMODEL_STANDARD"])
    fresh = Archives(archives.base)
    n_before = len(archives.log())
    answers = [fresh.ask(*questions["gaia_datalink"]) for _ in range(2)]
    assert len(archives.log()) - n_before == 3
    archives.limit(structures=["RAW", "INDIVIDUAL"])
    question, sources = questions["gaia_datalink"]
    preferring = replace(question, spelling={"INDIVIDUAL": "DATAMODEL_STANDARD"})
    answers.append(Archives(archives.base).ask(preferring, sources))
    assert [zipfile.ZipFile(io.BytesIO(body)).namelist() for body in answers] == [
        zipfile.ZipFile(io.BytesIO(before)).namelist()
    ] * 3


def test_a_question_without_the_queue_is_answered_at_once_or_cut_off(archives, monkeypatch):
    at_once = replace(SOURCES, is_sync=True)
    n_before = len(archives.log())
    answer = archives.ask(at_once, EVERYTHING)
    assert answer == archives.ask(SOURCES, EVERYTHING)
    paths = [entry["path"] for entry in archives.log()[n_before:]]
    assert paths[0].endswith("/sync") and paths[1].endswith("/async")
    monkeypatch.setattr("tasks.archives.gaia_tap.SYNC_ROWS", answer.count(b"\n") - 1)
    with pytest.raises(TooMuch, match="cut its answer off"):
        archives.ask(at_once, EVERYTHING)
    with pytest.raises(BadQuestion, match="unknown column"):
        archives.ask(replace(at_once, text="SELECT nothing FROM gaiadr3.gaia_source"), EVERYTHING)
