"""What the doctor finds, and that it keeps secrets."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import version

import pytest

from flows import doctor
from flows.doctor import check_credentials, check_disk, check_folder, check_isolation, check_server, examine
from tasks.archives.gaia_connection import PASSWORD, USER


@pytest.fixture
def server():
    """A server that says which version of Prefect it is, and when; the test sets both."""
    says = {"version": version("prefect"), "date": None}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(says["version"]).encode()
            self.send_response_only(200)
            self.send_header("Date", says["date"] or self.date_time_string())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}", says
        http.shutdown()


def test_this_machine_is_well(tmp_path, monkeypatch):
    for name in ("PREFECT_API_URL", doctor.DATABASE, USER, PASSWORD):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ARGELANDER_LIMITS", str(tmp_path / "limits"))
    findings = examine(tmp_path / "lake")
    assert [each.what for each in findings] == ["versions", "server", "disk", "limits", "lake", "credentials"]
    assert [each for each in findings if each.is_wrong] == []
    assert not [*tmp_path.iterdir()], "looking makes nothing"


def test_a_server_of_another_version_or_hour_is_wrong(server):
    address, says = server
    assert [each.is_wrong for each in check_server(address)] == [False, False]
    says |= {"version": "3.0.0", "date": "Mon, 30 Nov 2015 10:00:00 GMT"}
    other, clock = check_server(address)
    assert other.is_wrong and "3.0.0" in other.words and clock.is_wrong
    (silent,) = check_server("http://127.0.0.1:9/api")
    assert silent.is_wrong and "argelander up" in silent.words


def test_half_a_login_is_wrong_and_no_secret_is_said(monkeypatch):
    monkeypatch.setenv(USER, "erika-m")
    monkeypatch.delenv(PASSWORD, raising=False)
    half = check_credentials()
    monkeypatch.setenv(PASSWORD, "tr0ub4dor")
    whole = check_credentials()
    assert half.is_wrong and not whole.is_wrong
    lost = check_isolation("postgresql+asyncpg://erika-m:tr0ub4dor@127.0.0.1:9/prefect")
    assert lost.is_wrong
    assert not any(secret in each.words for each in (half, whole, lost) for secret in ("tr0ub4dor", "erika-m"))


def test_a_full_disk_and_a_closed_folder_are_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor, "ROOM_GB", 1e9)
    assert check_disk(tmp_path / "not" / "there").is_wrong
    (tmp_path / "file").touch()
    assert check_folder("lake", tmp_path / "file" / "lake").is_wrong


def test_a_package_that_does_not_fit_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda package: ["numpy<1", "no-such-package>=2", "ruff; extra == 'dev'"])
    found = [*doctor.check_versions()]
    assert len(found) == 2 and all(each.is_wrong for each in found)
    assert "numpy" in found[0].words and "no-such-package none" in found[1].words
