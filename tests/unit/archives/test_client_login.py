"""The optional login at Gaia: from the environment, over TLS alone, once, and never in a message."""

import ipaddress
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tasks.archives.errors import Refused, Retryable
from tasks.archives.gaia_connection import PASSWORD, USER
from tasks.archives.gaia_datalink import GaiaDatalink
from tasks.archives.gaia_tap import GaiaTap
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tests.unit.archives.wire_server import KeptJob, Reply, TapArchive, wire_server

LIMITS = replace(PROFILES["fast"]["gaia_tap"], timeout_s=5.0, poll_s=(0.001, 0.01))
ITEMS = pa.table({"source_id": [1]})
QUESTION = Question("gaia_tap", "SELECT a FROM t WHERE source_id IN {items}", "dr3", len, key="source_id")
SECRET = "correct horse"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate for 127.0.0.1 that it signed itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(secret + signed.public_bytes(pem))
    return file


class Gaia(TapArchive):
    """A TAP service for those who are logged in; sessions are good until `session` changes."""

    session = "one"
    logins = 0

    def __call__(self, asked):
        if asked.path.endswith("/login"):
            self.logins += 1
            if asked.form != {"username": "me", "password": SECRET}:
                return Reply(401, f"wrong password {asked.form['password']}".encode())
            return Reply(200, b"", {"Set-Cookie": f"SESSION={self.session}; Path=/; Secure"})
        if asked.headers["Cookie"] != f"SESSION={self.session}":
            return Reply(401, b"log in")
        return super().__call__(asked)


@pytest.fixture
def server(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv(USER, "me")
    monkeypatch.setenv(PASSWORD, SECRET)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with wire_server(context) as running:
        running.answer = Gaia()
        yield running


def test_one_login_lasts_for_all_requests(server):
    client = GaiaTap("gaia_tap", server.url + "/server/tap", LIMITS)
    for _ in range(3):
        assert client.send(QUESTION, ITEMS, KeptJob()) == server.answer.result
    assert server.answer.logins == 1
    assert [asked.path for asked in server.asked[:2]] == ["/server/login", "/server/tap/async"]


def test_a_session_that_ends_is_renewed_by_the_next_attempt(server):
    client, job = GaiaTap("gaia_tap", server.url + "/server/tap", LIMITS), KeptJob()
    client.send(QUESTION, ITEMS, KeptJob())
    server.answer.session = "two"
    with pytest.raises(Retryable, match="ended our session"):
        client.send(QUESTION, ITEMS, job)
    assert client.send(QUESTION, ITEMS, job) == server.answer.result
    assert server.answer.logins == 2


def test_datalink_logs_in_too(server):
    gaia, log = server.answer, []

    def answer(asked):
        log.append((asked.path, asked.headers["Cookie"]))
        return gaia(asked) if asked.path.endswith("/login") else Reply(200, b"PK\5\6" + bytes(18))

    server.answer = answer
    client = GaiaDatalink("gaia_datalink", server.url + "/data-server", LIMITS)
    client.send(replace(QUESTION, parameters={"DATA_STRUCTURE": "RAW"}), ITEMS, KeptJob())
    assert log == [("/data-server/login", None), ("/data-server/data", "SESSION=one")]


def test_a_wrong_password_stops_the_run_and_is_not_told(server, monkeypatch):
    monkeypatch.setenv(PASSWORD, "wrong horse")
    with pytest.raises(Refused, match=f"did not accept the login.*{PASSWORD}") as caught:
        GaiaTap("gaia_tap", server.url + "/server/tap", LIMITS).send(QUESTION, ITEMS, KeptJob())
    assert "horse" not in str(caught.value) and len(server.asked) == 1


@pytest.mark.parametrize("missing", [USER, PASSWORD])
def test_half_a_login_is_none(server, monkeypatch, missing):
    monkeypatch.delenv(missing)
    with pytest.raises(Refused, match=f"{USER} and {PASSWORD}"):
        GaiaTap("gaia_tap", server.url + "/server/tap", LIMITS).send(QUESTION, ITEMS, KeptJob())
    assert not server.asked


def test_without_a_login_nobody_logs_in(server, monkeypatch):
    for name in (USER, PASSWORD):
        monkeypatch.delenv(name)
    with pytest.raises(Refused, match="wants a login"):
        GaiaTap("gaia_tap", server.url + "/server/tap", LIMITS).send(QUESTION, ITEMS, KeptJob())
    assert server.answer.logins == 0


def test_passwords_never_travel_unencrypted(monkeypatch):
    monkeypatch.setenv(USER, "me")
    monkeypatch.setenv(PASSWORD, SECRET)
    with wire_server() as plain:
        plain.answer = TapArchive()
        assert (
            GaiaTap("gaia_tap", plain.url + "/server/tap", LIMITS).send(QUESTION, ITEMS, KeptJob())
            == plain.answer.result
        )
        assert not any("login" in asked.path or SECRET.encode() in asked.body for asked in plain.asked)
