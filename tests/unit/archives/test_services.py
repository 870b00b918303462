"""A service is one row: addresses, limits, clients and gates follow from it, and requests keep their identities."""

import ast
from pathlib import Path

import pytest

from tasks.archives.clients import open_clients
from tasks.archives.endpoints import LIVE, Endpoints, replica
from tasks.archives.gate import gate_name
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Question
from tasks.archives.services import PROFILES, SERVICES, Service, limits_table

ROOM = Path(__file__).parents[3] / "tasks" / "archives"
OWN = Service("ogle", "https://ogle.example", "ogle", ServiceLimits(1, 10, 5.0), "plain.Form", group="small")


@pytest.mark.parametrize("name", SERVICES)
def test_the_client_of_a_row_is_made_without_a_connection(name):
    client = SERVICES[name].open_client("http://127.0.0.1:1/x", PROFILES["fast"][name])
    assert callable(client.send)


def test_a_new_row_has_a_client_an_address_limits_and_a_gate(monkeypatch):
    monkeypatch.setitem(SERVICES, OWN.name, OWN)
    endpoints = replica("http://127.0.0.1:8/", "sky")
    assert endpoints.addresses["ogle"] == "http://127.0.0.1:8/ogle"
    limits = {name: service.limits for name, service in SERVICES.items()}
    assert set(open_clients(endpoints, limits)) == set(SERVICES)
    assert gate_name("ogle", "http://h:1/p") == "small_h_1"
    assert limits_table({"ogle": OWN.limits}).splitlines()[-1] == "| ogle | 1 | - | 10 | 5 | 7200 | 5 | 30 to 900 | - |"


def test_services_without_an_address_are_opened_only_where_they_need_none():
    clients = open_clients(LIVE, PROFILES["live"])
    assert "truth" not in clients and "hats" in clients
    assert set(open_clients(Endpoints("nowhere", {}), PROFILES["live"])) == {"hats"}


def test_no_service_is_named_outside_its_row_in_this_room():
    texts = {
        path.name: {node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant)}
        for path in ROOM.glob("*.py")
    }
    assert {name for name, found in texts.items() if found & set(SERVICES)} == {"services.py"}


def test_what_is_asked_is_hashed_as_in_every_lake_so_far():
    """Stored answers are found by this hash: another one would ask the archives anew."""
    question = Question("gaia_tap", "SELECT 1 FROM t WHERE id IN {items}", "gaia_dr3", bytes, {"a": "1"}, "id")
    assert question.identity("live") == "d26b424adcf413e8e06542878e278bbc"


def test_limits_without_waiting_keep_chunks_and_caps():
    for name, limits in PROFILES["live"].items():
        fast = PROFILES["fast"][name]
        assert (fast.chunk, fast.row_cap, fast.parallel) == (limits.chunk, limits.row_cap, limits.parallel)
        assert fast.per_second is None and fast.backoff_s[1] < limits.backoff_s[0]
