"""Clients of services that need no job: ZTF light curves, CDS XMatch, the truth's form, files."""

import gzip
import hashlib
import io
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import Latitude, Longitude
from astropy.table import Table
from cdshealpix.nested import lonlat_to_healpix

from tasks.archives.errors import BadQuestion, Refused, Retryable, TooMuch
from tasks.archives.plain import Files, Form
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tasks.archives.xmatch import CdsXmatch
from tasks.archives.ztf import ZtfLightCurves
from tests.unit.archives.wire_server import PAGE, KeptJob, Reply, wire_server

CSV = b"oid,mjd\n1,58000.5\n"
VOTABLE = b"""<?xml version="1.0"?>
<VOTABLE version="1.3"><RESOURCE type="results"><INFO name="QUERY_STATUS" value="OK"/><TABLE>
<FIELD name="source_id" datatype="long"/><DATA><TABLEDATA><TR><TD>7</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE>
</VOTABLE>
"""
LIMITS = replace(PROFILES["fast"]["irsa_lightcurves"], timeout_s=5.0)
ZTF = Question("irsa_lightcurves", "nph_light_curves", "dr24", len, {"COLLECTION": "ztf_dr24"}, key="oid")
XMATCH = Question("cds_xmatch", "vizier:IV/39/tic82", "8.2", len, {"radius_arcsec": "2.0"}, key="source_id")
TRUTH = Question("truth", "truth", "sky", len, key="source_id")
CDN = Question("gaia_cdn", "EpochPhotometry_000000-003111.csv.gz", "dr3", len)


@pytest.fixture
def server():
    with wire_server() as running:
        running.answer = lambda asked: Reply(200, CSV, {"Content-Type": "text/csv"})
        yield running


def test_light_curves_are_asked_by_ids_and_with_all_epochs(server):
    client = ZtfLightCurves("irsa_lightcurves", server.url + "/nph", LIMITS)
    assert client.send(ZTF, pa.table({"oid": [686103400034440, 2]}), KeptJob()) == CSV
    assert server.asked[0].query == {
        "ID": ["686103400034440", "2"],
        "COLLECTION": ["ztf_dr24"],
        "FORMAT": ["CSV"],
        "BAD_CATFLAGS_MASK": ["0"],
    }


def test_as_many_light_curves_as_a_request_may_hold_fit_into_its_address(server):
    oids = pa.table({"oid": np.full(PROFILES["fast"]["irsa_lightcurves"].chunk, 1_899_116_400_099_999)})
    ZtfLightCurves("irsa_lightcurves", server.url, LIMITS).send(ZTF, oids, KeptJob())
    assert sum(len(f"&ID={oid}") for oid in server.asked[0].query["ID"]) < 8000 - 200


def test_a_usage_fault_is_a_bad_question(server):
    body = (
        b'<VOTABLE><RESOURCE><INFO name="QUERY_STATUS" value="ERROR">UsageFault: no such ID</INFO></RESOURCE></VOTABLE>'
    )
    for status in (400, 200):
        server.answer = lambda asked, status=status: Reply(status, body, {"Content-Type": "text/xml"})
        with pytest.raises(BadQuestion, match=f"status {status}.*UsageFault: no such ID"):
            ZtfLightCurves("irsa_lightcurves", server.url, LIMITS).send(ZTF, pa.table({"oid": [1]}), KeptJob())


def test_positions_are_matched_in_the_order_of_the_sky(server):
    rng = np.random.default_rng(5)
    ra, dec = rng.uniform(0, 360, 500), np.degrees(np.arcsin(rng.uniform(-1, 1, 500)))
    items = pa.table({"source_id": np.arange(500) + 2**61, "ra": ra, "dec": dec})
    server.answer = lambda asked: Reply(200, VOTABLE)
    assert CdsXmatch("cds_xmatch", server.url + "/sync", LIMITS).send(XMATCH, items, KeptJob()) == VOTABLE
    assert [(asked.method, asked.path) for asked in server.asked] == [("POST", "/sync")]  # and no list of tables
    body = server.asked[0].body
    for name, value in {
        "request": "xmatch",
        "distMaxArcsec": "2.0",
        "RESPONSEFORMAT": "votable",
        "cat2": "vizier:IV/39/tic82",
        "colRA1": "ra",
        "colDec1": "dec",
        "area": "allsky",
    }.items():
        assert re.search(rb'name="%b"\r\n\r\n%b\r\n' % (name.encode(), value.encode()), body), name
    sent = Table.read(io.BytesIO(body[body.index(b'"source_id"') :].split(b"\r\n")[0]), format="ascii.csv")
    cells = lonlat_to_healpix(Longitude(sent["ra"], "deg"), Latitude(sent["dec"], "deg"), 12)
    assert (np.diff(cells) >= 0).all() and len(cells) == 500
    back = np.argsort(sent["source_id"])
    np.testing.assert_array_equal(sent["ra"][back], ra)
    np.testing.assert_array_equal(sent["dec"][back], dec)


def test_a_ban_of_the_cross_match_stops_everything(server):
    server.answer = lambda asked: Reply(403, b"Your IP address has been banned")
    items = pa.table({"source_id": [1], "ra": [1.0], "dec": [2.0]})
    with pytest.raises(Refused, match=r"cds_xmatch refuses all requests.*banned"):
        CdsXmatch("cds_xmatch", server.url, LIMITS).send(XMATCH, items, KeptJob())


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (VOTABLE[: VOTABLE.index(b"</TABLEDATA>")], Retryable, "VOTable that breaks off after"),
        (VOTABLE.replace(b'value="OK"', b'value="OVERFLOW"'), TooMuch, "more rows than it gave"),
        (VOTABLE.replace(b'value="OK"/>', b'value="ERROR">Missing parameter cat2</INFO>'), BadQuestion, "cat2"),
        (CSV, Retryable, "page instead of data"),
        (b" ", Retryable, "nothing at all"),
    ],
)
def test_a_cross_match_is_whole_by_its_own_end(server, body, kind, said):
    server.answer = lambda asked: Reply(200, body)
    items = pa.table({"source_id": [1], "ra": [1.0], "dec": [2.0]})
    with pytest.raises(kind, match=f"cds_xmatch.*{said}"):
        CdsXmatch("cds_xmatch", server.url, LIMITS).send(XMATCH, items, KeptJob())


@pytest.mark.parametrize(
    ("parameters", "items"),
    [
        ({"radius_arcsec": "181"}, {"source_id": [1], "ra": [1.0], "dec": [2.0]}),
        ({"radius_arcsec": "wide"}, {"source_id": [1], "ra": [1.0], "dec": [2.0]}),
        ({}, {"source_id": [1], "ra": [1.0], "dec": [2.0]}),
        ({"radius_arcsec": "2"}, {"source_id": [1]}),
        ({"radius_arcsec": "2"}, {"source_id": [1], "ra": [None], "dec": [2.0]}),
        ({"radius_arcsec": "2"}, {"source_id": [1], "ra": [1.0], "dec": [92.0]}),
    ],
)
def test_half_a_cross_match_is_not_sent(server, parameters, items):
    with pytest.raises(BadQuestion, match="cds_xmatch"):
        CdsXmatch("cds_xmatch", server.url, LIMITS).send(
            replace(XMATCH, parameters=parameters), pa.table(items), KeptJob()
        )
    assert not server.asked


def test_a_form_takes_ids_and_gives_csv(server):
    client = Form("truth", server.url + "/truth", replace(LIMITS, row_cap=2))
    assert client.send(TRUTH, pa.table({"source_id": [5, 2**62]}), KeptJob()) == CSV
    assert server.asked[0].form == {"source_id": f"5,{2**62}"}
    server.answer = lambda asked: Reply(200, CSV + b"2,1.0\n")
    with pytest.raises(TooMuch):
        client.send(TRUTH, pa.table({"source_id": [5]}), KeptJob())


FILE = gzip.compress(b"# ECSV\nsource_id\n5\n", mtime=0)


@pytest.mark.parametrize("encoding", [{}, {"Content-Encoding": "gzip"}])
def test_a_file_comes_as_it_is_whatever_its_server_calls_it(server, encoding):
    server.answer = lambda asked: Reply(200, FILE, encoding)
    client = Files("gaia_cdn", server.url + "/cdn/", LIMITS)
    checksum = hashlib.md5(FILE).hexdigest()
    named = replace(CDN, key="file")
    for question, items in (
        (CDN, pa.table({"x": [1]})),
        (replace(CDN, parameters={"md5": checksum}), pa.table({"x": [1]})),
        (named, pa.table({"file": [CDN.text], "md5": [checksum.upper()]})),
        (named, pa.table({"file": [CDN.text]})),
    ):
        assert client.send(question, items, KeptJob()) == FILE
    assert {asked.path for asked in server.asked} == {f"/cdn/{CDN.text}"}


def test_a_file_with_another_checksum_is_fetched_again(server):
    server.answer = lambda asked: Reply(200, FILE)
    question = replace(CDN, parameters={"md5": hashlib.md5(b"other").hexdigest()})
    with pytest.raises(Retryable, match="checksum"):
        Files("gaia_cdn", server.url, LIMITS).send(question, pa.table({"x": [1]}), KeptJob())


@pytest.mark.parametrize("reply", [Reply(200, FILE, drop=True), Reply(200, PAGE)], ids=["drop", "page"])
def test_half_a_file_is_none(server, reply):
    server.answer = lambda asked: reply
    with pytest.raises(Retryable, match="gaia_cdn"):
        Files("gaia_cdn", server.url, LIMITS).send(CDN, pa.table({"x": [1]}), KeptJob())


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "http://elsewhere/x", "a/../../b"])
def test_files_lie_below_their_address(server, name):
    with pytest.raises(BadQuestion, match="none of them"):
        Files("gaia_cdn", server.url, LIMITS).send(replace(CDN, text=name), pa.table({"x": [1]}), KeptJob())
    assert not server.asked
