"""Whatever goes wrong on the wire, through whichever library, becomes one of the archives' errors, in time."""

import os
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pyarrow as pa
import pytest

from tasks.archives.clients import open_clients
from tasks.archives.endpoints import replica
from tasks.archives.errors import ArchiveError, BadQuestion, Refused, Retryable
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tests.unit.archives.wire_server import PAGE, KeptJob, Reply, wire_server

TIMEOUT_S = 0.3
LIMITS = {name: replace(limits, timeout_s=TIMEOUT_S, poll_s=(0.001, 0.01)) for name, limits in PROFILES["fast"].items()}
IDS = pa.table({"source_id": [1, 2], "ra": [1.0, 2.0], "dec": [3.0, 4.0]})
TAP = "SELECT a FROM t WHERE source_id IN {items}"
# The DataLink answer is a zip file, TapPlus expects status 303: they see more than the drop.
DROPPED = "ended after 396 bytes|no whole zip file|status 200"
QUESTIONS = {
    "gaia_tap": Question("gaia_tap", TAP, "dr3", len, key="source_id"),
    "gaia_datalink": Question(
        "gaia_datalink", "EPOCH_PHOTOMETRY", "Gaia DR3", len, {"DATA_STRUCTURE": "RAW"}, key="source_id"
    ),
    "mast_ps1": Question("mast_ps1", TAP, "dr2", len, key="source_id"),
    "mast_tic": Question("mast_tic", TAP, "8.2", len, key="source_id"),
    "mast_portal": Question("mast_portal", "Mast.Catalogs.Filtered.Tic.Rows", "8.2", len, key="source_id"),
    "irsa_tap": Question("irsa_tap", TAP, "dr24", len, key="source_id", is_upload=True),
    "irsa_lightcurves": Question("irsa_lightcurves", "nph_light_curves", "dr24", len, key="source_id"),
    "cds_xmatch": Question("cds_xmatch", "vizier:X", "1", len, {"radius_arcsec": "2.0"}, key="source_id"),
    "gaia_cdn": Question("gaia_cdn", "file.csv.gz", "dr3", len),
    "truth": Question("truth", "truth", "sky", len, key="source_id"),
}


def ask(base, service, limits=LIMITS):
    return open_clients(replica(base, "test"), limits)[service].send(QUESTIONS[service], IDS, KeptJob())


@pytest.fixture
def server():
    with wire_server() as running:
        yield running


@pytest.mark.parametrize("service", QUESTIONS)
@pytest.mark.parametrize(
    ("reply", "kind", "said"),
    [
        (Reply(429, b"slow down", {"Retry-After": "7"}), Retryable, "429.*slow down"),
        (Reply(500, b"oops"), Retryable, "500.*oops"),
        (Reply(502, b"bad gateway"), Retryable, "502.*bad gateway"),
        (Reply(503, PAGE, {"Content-Type": "text/html"}), Retryable, "503.*maintenance"),
        (Reply(403, b"you are banned"), Refused, "403.*you are banned"),
        (Reply(404, b"no such thing"), BadQuestion, "404.*no such thing"),
        (Reply(200, PAGE, {"Content-Type": "text/html; charset=utf-8"}), Retryable, "a page instead of data"),
        (Reply(200, b"a,b\n1,2\n" * 99, drop=True), Retryable, DROPPED),
    ],
    ids=["429", "500", "502", "503", "403", "404", "page", "drop"],
)
def test_replies_that_are_no_answer(server, service, reply, kind, said):
    server.answer = lambda asked: reply
    with pytest.raises(kind, match=said) as caught:
        ask(server.url, service)
    assert service in str(caught.value) and "127.0.0.1" not in str(caught.value)
    # No client tries again by itself; pyvo takes an answer that redirects nowhere for the job, and looks at it.
    assert len(server.asked) == 1 + (reply.drop and service in ("mast_ps1", "mast_tic", "irsa_tap"))
    if reply.status == 429:
        assert caught.value.after_s == 7


@pytest.mark.parametrize("service", QUESTIONS)
def test_a_service_that_hangs_is_left_in_time(server, service):
    server.answer = lambda asked: Reply(hang_s=30)
    began = time.monotonic()
    with pytest.raises(Retryable, match=f"{service} did not answer within {TIMEOUT_S:g} s"):
        ask(server.url, service)
    assert time.monotonic() - began < 10 * TIMEOUT_S


@pytest.mark.parametrize("service", QUESTIONS)
def test_nobody_at_home(service):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(Retryable, match=f"{service} cannot be reached.*refused"):
        ask(base, service)


def test_nothing_is_printed(server, capfd):
    server.answer = lambda asked: Reply(500, b"oops")
    for service in QUESTIONS:
        with pytest.raises(ArchiveError):
            ask(server.url, service)
    assert capfd.readouterr() == ("", "")


def test_every_service_has_a_client_and_every_client_limits():
    assert set(open_clients(replica("http://x", "x"), PROFILES["fast"])) == set(PROFILES["fast"])
    without = {name: limits for name, limits in PROFILES["fast"].items() if name != "irsa_tap"}
    with pytest.raises(BadQuestion, match="irsa_tap"):
        open_clients(replica("http://x", "x"), without)
    with pytest.raises(BadQuestion, match="hubble"):
        open_clients(replica("http://x", "x"), PROFILES["fast"] | {"hubble": PROFILES["fast"]["truth"]})


IMPORTS = """
import socket, sys
def refuse(*_): raise AssertionError("a connection was made")
socket.socket.connect = socket.create_connection = refuse
from tasks.archives.clients import open_clients
from tasks.archives.endpoints import LIVE
from tasks.archives.services import PROFILES
clients = open_clients(LIVE, PROFILES["live"])
assert not {"astroquery", "pyvo", "astropy"} & set(sys.modules), "opening clients imports nothing heavy"
for client in clients.values():
    client.open()
assert "astroquery.gaia" not in sys.modules
import astroquery
assert not astroquery.cache_conf.cache_active
"""


def test_opening_the_live_clients_asks_nothing_prints_nothing_and_writes_nothing(tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "error::UserWarning", "-c", IMPORTS],
        capture_output=True,
        text=True,
        env=os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", "XDG_CONFIG_HOME": ""},
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert not list(tmp_path.rglob("*.pickle"))
