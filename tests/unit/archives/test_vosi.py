"""A TAP service that fails says by VOSI why it is down, and whatever else it answers is no reason to fail otherwise."""

from pathlib import Path

import pytest

from tasks.archives.errors import ArchiveError, Retryable
from tasks.archives.question import TellsOutage
from tasks.archives.services import PROFILES, SERVICES
from tasks.archives.vosi import describe_tables, outage
from tasks.replica.holdings import Holdings, build
from tasks.replica.vosi import tableset
from tasks.stages.acquire.failures import failure_of
from tests.unit.archives.wire_server import PAGE, Reply, wire_server
from tests.unit.stages.archive_stand_ins import items, question

DOWN = b"""<?xml version="1.0"?><vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">
<vosi:available>%s</vosi:available><vosi:backAt>2026-12-03T08:00:00Z</vosi:backAt>
<vosi:note>Moving the
 archive</vosi:note></vosi:availability>"""


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(body=DOWN % b"false"), " until 2026-12-03T08:00:00Z (Moving the archive)"),
        (Reply(body=DOWN % b"true"), ""), (Reply(503, PAGE), ""), (Reply(body=PAGE), ""), (Reply(body=b"<a/>"), ""),
        (Reply(body=b"{"), ""), (Reply(drop=True), ""),
    ],
    ids=["down", "up", "503", "page", "xml", "json", "closed"],
)  # fmt: skip
def test_what_a_service_says_of_being_down(reply, said):
    with wire_server() as server:
        server.answer = lambda asked: reply
        assert outage("mast_tic", server.url + "/tap/", PROFILES["fast"]["mast_tic"]) == said
        assert [asked.path for asked in server.asked][:1] == ["/tap/availability"]


def test_the_sentence_of_a_failure_says_it_and_names_the_other_way():
    class Record:
        service, attempts = "mast_tic", [{}] * 5

    part = type(
        "Part", (), {"question": question(hint="Ask the portal"), "__len__": lambda self: 2, "items": items([1, 2])}
    )()
    told = failure_of(part, Record, Retryable("status 503."), Path("raw"), " until noon (work)")
    assert type(told) is ArchiveError
    assert "(last: status 503; it says of itself that it is down until noon (work))" in str(told)
    assert str(told).endswith("to go on from here. Ask the portal.")


def test_every_client_of_a_tap_service_can_ask():
    for service in SERVICES.values():
        client = service.open_client("http://127.0.0.1:9/", service.limits)
        assert isinstance(client, TellsOutage) == service.is_tap, service.name


def test_tables_are_described_as_tap_schema_does(tmp_path):
    """Those of the replica, in Gaia's form of the document, against its own TAP_SCHEMA."""
    holdings = Holdings(build(tmp_path, 100, 1))
    served = list(holdings.tables("gaia").values())
    with wire_server() as server:
        server.answer = lambda asked: Reply(body=tableset(served, False, is_esa=True).encode())
        got = describe_tables("gaia_tap", server.url, PROFILES["fast"]["gaia_tap"])
    assert set(got["table_name"].to_pylist()) >= {"gaiadr3.gaia_source", "gaiadr3.vari_rrlyrae"}
    expected = {(table.name, column.name): (column.unit or None, column.ucd or None, column.doc or None)
                for table in served for column in table.columns}  # fmt: skip
    names = ("unit", "ucd", "description")
    said = {(row["table_name"], row["column_name"]): tuple(row[name] for name in names) for row in got.to_pylist()}
    assert said == expected
    types = {(row["column_name"], row["datatype"], row["arraysize"]) for row in got.to_pylist()}
    assert {("source_id", "BIGINT", "1"), ("best_class_name", "VARCHAR", "*")} <= types
