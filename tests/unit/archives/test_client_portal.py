"""The client of the MAST portal, against pages as astroquery recorded them."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import astroquery.mast
import pyarrow as pa
import pytest

from tasks.archives.errors import BadQuestion, Retryable
from tasks.archives.portal import TIC, MastPortal
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tests.unit.archives.wire_server import KeptJob, Reply, wire_server

LIMITS = replace(PROFILES["fast"]["mast_portal"], timeout_s=5.0)
RECORDED = Path(astroquery.mast.__file__).parent / "tests" / "data"
COLUMNS, HISTOGRAMS, TABLE = (
    (RECORDED / f"{name}.json").read_bytes() for name in ("ticcolumns", "ticcolumns_filtered", "tic")
)
QUESTION = Question("mast_portal", TIC, "8.2", len, key="gaia")
ITEMS = pa.table({"gaia": ["4112", "9007199254740993"]})


class Portal:
    """Pages of the recorded table, after the columns' description; `executing` times it says that it is still at it."""

    def __init__(self, n_page=1, executing=0, n_row=None):
        self.n_page, self.executing, self.n_row = n_page, executing, n_row  # n_row: as many as the pages have
        self.requests = []

    def page(self, number):
        page = json.loads(TABLE)
        n_row = sum(range(1, self.n_page + 1)) if self.n_row is None else self.n_row
        page["paging"] |= {"page": number, "pagesFiltered": self.n_page, "rowsFiltered": n_row}
        page["data"] = page["data"][:number]
        return json.dumps(page).encode()

    def __call__(self, asked):
        if asked.path.endswith("columnsconfig"):
            return Reply(200, COLUMNS if asked.form["colConfigId"] == "Mast.Catalogs.Tess.Cone" else b"{}")
        request = json.loads(asked.form["request"])
        if request["service"] == "Mast.Catalogs.All.Tic":
            return Reply(200, HISTOGRAMS)
        if self.executing:
            self.executing -= 1
            return Reply(200, b'{"status": "EXECUTING", "percent complete": 0, "data": []}')
        self.requests.append(request)
        return Reply(200, self.page(request["page"]))


@pytest.fixture
def server():
    with wire_server() as running:
        running.answer = Portal()
        yield running


@pytest.fixture
def client(server):
    return MastPortal("mast_portal", server.url + "/mast", LIMITS)


def test_one_page_comes_verbatim(server, client):
    assert client.send(QUESTION, ITEMS, KeptJob()) == b"[" + server.answer.page(1) + b"]"
    request = server.answer.requests[0]
    assert (request["service"], request["params"]["columns"]) == (TIC, "*")
    assert request["params"]["filters"] == [{"paramName": "GAIA", "values": ["4112", "9007199254740993"]}]
    assert {asked.path for asked in server.asked} == {
        "/mast/api/v0/invoke",
        "/mast/portal/Mashup/Mashup.asmx/columnsconfig",
    }


def test_all_pages_come_in_one_list(server, client):
    server.answer = Portal(n_page=3)
    pages = json.loads(client.send(QUESTION, ITEMS, KeptJob()))
    assert [page["paging"]["page"] for page in pages] == [1, 2, 3]
    assert [len(page["data"]) for page in pages] == [1, 2, 3]


@pytest.mark.parametrize("ids", [["7"], ["7", "9"], ["7", "9", "8"]])
def test_ids_of_the_tic_are_a_list_though_the_portal_counts_them_among_numbers(server, client, ids):
    assert b'"ID":' in HISTOGRAMS  # without care, two ids are the ends of a range for astroquery, one is ignored
    client.send(replace(QUESTION, key="id"), pa.table({"id": list(map(int, ids))}), KeptJob())
    assert server.answer.requests[0]["params"]["filters"] == [{"paramName": "ID", "values": ids}]


def test_columns_are_looked_up_once_by_all_threads(server, client):
    threads = [threading.Thread(target=client.send, args=(QUESTION, ITEMS, KeptJob())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.answer.requests) == 6 and len(server.asked) == 6 + 2


def test_two_portals_do_not_share_what_they_know(server, client):
    with wire_server() as other:
        other.answer = Portal()
        for portal in (client, MastPortal("mast_portal", other.url, LIMITS)):
            portal.send(QUESTION, ITEMS, KeptJob())
        assert len(server.asked) == len(other.asked) == 3


def test_columns_that_did_not_come_are_looked_up_again(server, client):
    portal, n_fault = server.answer, [2]

    def answer(asked):
        if "All.Tic" in asked.form.get("request", "") and n_fault[0]:
            n_fault[0] -= 1
            return Reply(503, b"busy")
        return portal(asked)

    server.answer = answer
    for _ in range(2):
        with pytest.raises(Retryable, match="busy"):
            client.send(QUESTION, ITEMS, KeptJob())
    assert client.send(QUESTION, ITEMS, KeptJob()) == b"[" + portal.page(1) + b"]"


def test_a_portal_at_work_is_given_time(server, client, monkeypatch):
    pauses = []
    monkeypatch.setattr("tasks.archives.portal.time.sleep", pauses.append)
    server.answer = Portal(executing=4)
    assert client.send(QUESTION, ITEMS, KeptJob()) == b"[" + server.answer.page(1) + b"]"
    first, longest = LIMITS.poll_s
    assert pauses == [min(first * 1.5**k, longest) for k in range(4)]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b'{"status": "ERROR", "msg": "Query timed out"}', Retryable, "timed out"),
        (b'{"status": "ERROR", "msg": "Invalid column name"}', BadQuestion, "Invalid column"),
        (b'{"status": "ERROR"}', Retryable, "ERROR"),
        (b'{"status": "COMPLETE"}', Retryable, "COMPLETE"),
        (b"Error: no JSON", Retryable, "cannot be read"),
        (b"[]", Retryable, "mast_portal"),
        (b"", Retryable, "cannot be read"),
    ],
)
def test_pages_without_data(server, client, body, kind, said):
    client.send(QUESTION, ITEMS, KeptJob())  # looks up the columns
    server.answer = lambda asked: Reply(200, body)
    with pytest.raises(kind, match=said):
        client.send(QUESTION, ITEMS, KeptJob())


@pytest.mark.parametrize(
    ("question", "items"),
    [
        (replace(QUESTION, text="Mast.Caom.Cone"), ITEMS),
        (replace(QUESTION, key=None), ITEMS),
        (replace(QUESTION, key="colour"), pa.table({"colour": ["red"]})),
        (QUESTION, ITEMS.slice(0, 0)),
        (QUESTION, pa.table({"gaia": ["41*"]})),
    ],
)
def test_questions_that_the_portal_does_not_know(server, client, question, items):
    with pytest.raises(BadQuestion):
        client.send(question, items, KeptJob())
    assert not server.answer.requests


@pytest.mark.parametrize("n_row", [0, 2, 7])
def test_pages_that_do_not_have_the_rows_that_they_state_are_no_answer(server, client, n_row):
    server.answer = Portal(n_page=2, n_row=n_row)
    with pytest.raises(Retryable, match=f"mast_portal sent 3 rows and says that there are {n_row}"):
        client.send(QUESTION, ITEMS, KeptJob())
