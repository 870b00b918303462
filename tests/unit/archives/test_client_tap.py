"""Asynchronous jobs at Gaia's TAP (astroquery) and at others (pyvo): the same behaviour, whichever library speaks."""

import io
import threading
from dataclasses import replace

import pyarrow as pa
import pytest
from astropy.table import Table

from tasks.archives.errors import BadQuestion, Retryable, TooMuch
from tasks.archives.gaia_tap import GaiaTap
from tasks.archives.question import Question
from tasks.archives.services import PROFILES
from tasks.archives.vo_tap import VoTap
from tests.unit.archives.wire_server import PAGE, KeptJob, Reply, TapArchive, wire_server

LIMITS = replace(PROFILES["fast"]["gaia_tap"], timeout_s=5.0, poll_s=(0.001, 0.004), row_cap=None)
ITEMS = pa.table({"source_id": pa.array([4, 5], pa.int64()), "name": ["a", "b"], "ra": [1.5, None]})
QUESTION = Question("x", "SELECT a FROM t WHERE source_id IN {items}", "dr3", len, key="source_id")
UPLOAD = replace(QUESTION, text="SELECT a FROM TAP_UPLOAD.items AS i JOIN t USING (source_id)", is_upload=True)


@pytest.fixture
def server():
    with wire_server() as running:
        yield running


@pytest.fixture(params=["gaia", "vo"])
def archive(server, request):
    """A TAP service: Gaia honours PHASE=RUN when a job is created, others wait to be told."""
    server.answer = TapArchive(runs_at_once=request.param == "gaia")
    return server.answer


def client(server, archive, **changes):
    url = server.url + archive.root
    return (
        GaiaTap("gaia_tap", url, replace(LIMITS, **changes))
        if archive.runs_at_once
        else VoTap("mast_ps1", url + "/", replace(LIMITS, **changes))
    )


def test_an_answer_comes_verbatim_and_its_job_is_removed(server, archive):
    archive.result = b'a,"B"\r\n1,\xc3\xa9\r\n'
    job = KeptJob()
    assert client(server, archive).send(QUESTION, ITEMS, job) == archive.result
    assert archive.queries[0].form["QUERY"] == "SELECT a FROM t WHERE source_id IN (4,5)"
    assert archive.queries[0].form["FORMAT"] == "csv"
    assert job.urls == [f"{server.url}{archive.root}/async/job1"]
    assert archive.removed == ["job1"]


def test_items_travel_as_a_votable_in_csv_out(server, archive):
    client(server, archive).send(UPLOAD, ITEMS, KeptJob())
    sent = archive.queries[0].body
    assert sent.lower().count(b'name="format"') == 1 and b"\r\n\r\ncsv\r\n" in sent
    assert b"\r\n\r\nitems,param:items\r\n" in sent
    table = Table.read(io.BytesIO(sent[sent.index(b"<?xml") : sent.index(b"</VOTABLE>") + 10]), format="votable")
    assert table["source_id"].tolist() == [4, 5] and table["source_id"].dtype == "int64"
    assert table["name"].tolist() == ["a", "b"] and b'datatype="char"' in sent and b"unicodeChar" not in sent
    assert table["ra"].filled(-1.0).tolist() == [1.5, -1.0]


def test_a_job_is_remembered_before_anything_is_asked_of_it(server, archive):
    seen = []

    class Remembering(KeptJob):
        def remember(self, url):
            seen.append([asked.path for asked in server.asked if asked.path.endswith("phase")])
            super().remember(url)

    client(server, archive).send(QUESTION, ITEMS, Remembering())
    assert seen == [[]]


def test_a_restart_finds_its_job_again_at_todays_address(server, archive):
    archive.jobs["job7"] = 1
    job = KeptJob("http://host.of.yesterday:1/elsewhere/async/job7")
    assert client(server, archive).send(QUESTION, ITEMS, job) == archive.result
    assert not archive.queries and archive.removed == ["job7"]


def test_a_job_that_was_never_told_to_run_is_told(server, archive):
    archive.jobs["job7"] = -1
    assert client(server, archive).send(QUESTION, ITEMS, KeptJob(f"{server.url}/async/job7")) == archive.result


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize("step", ["given back", "while it runs"])
def test_a_lost_job_is_forgotten_and_asked_anew(server, archive, step, status):
    job = KeptJob(f"{server.url}/async/lost" if step == "given back" else None)
    for end in ("/phase", "/lost", "/job1"):
        archive.faults["GET", end] = [Reply(status, b"gone")]
    if step == "while it runs" and not archive.runs_at_once:
        archive.faults = {("POST", "/phase"): [Reply(status, b"gone")]}
    asker = client(server, archive)
    with pytest.raises(Retryable, match=f"no longer knows.*{status}") as caught:
        asker.send(QUESTION, ITEMS, job)
    assert job.url is None and caught.value.after_s == 0
    archive.faults.clear()
    assert asker.send(QUESTION, ITEMS, job) == archive.result
    assert len(archive.queries) == (1 if step == "given back" else 2)


@pytest.mark.parametrize(
    ("message", "kind"),
    [("Job aborted: timed out after 5400 s", Retryable), ("Cannot parse query: unknown column x", BadQuestion)],
)
def test_a_job_that_fails_says_why_and_is_cleared_away(server, archive, message, kind):
    archive.phases, archive.error = ("EXECUTING", "ERROR"), message
    job = KeptJob()
    with pytest.raises(kind, match=message):
        client(server, archive).send(QUESTION, ITEMS, job)
    assert archive.removed == ["job1"] and job.url is None


def test_a_job_that_fails_without_a_word_is_asked_again(server, archive):
    archive.phases, archive.error = ("ERROR",), ""
    archive.faults["GET", "/error"] = [Reply(404)]
    with pytest.raises(Retryable, match=r"failed \(job job1 in phase ERROR\)"):
        client(server, archive).send(QUESTION, ITEMS, KeptJob())
    assert archive.removed == ["job1"]


class StalledQueue(TapArchive):
    """Gaia's TAP whose queue stands still, and whose synchronous service answers."""

    at_once: bytes = b"a\n1\n"

    def __call__(self, asked):
        if asked.path == f"{self.root}/sync":
            self.queries.append(asked)
            return Reply(200, self.at_once, {"Content-Type": "text/csv"})
        return super().__call__(asked)


def test_a_queue_that_stands_still_is_left_for_the_rest_of_the_run(server):
    server.answer = archive = StalledQueue(phases=("QUEUED",))
    asker, job = client(server, archive, queue_s=0.05), KeptJob()
    assert asker.send(QUESTION, ITEMS, job) == archive.at_once and job.url is None and archive.removed == ["job1"]
    assert asker.send(QUESTION, ITEMS, KeptJob()) == archive.at_once
    assert [asked.path.rpartition("/")[2] for asked in archive.queries] == ["async", "sync", "sync"]
    form = archive.queries[1].form
    assert form == {"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "csv", "QUERY": archive.queries[0].form["QUERY"]}


def test_a_job_that_runs_does_not_wait_in_the_queue(server):
    server.answer = archive = StalledQueue(phases=(*["EXECUTING"] * 60, "COMPLETED"))
    assert client(server, archive, queue_s=0.01).send(QUESTION, ITEMS, KeptJob()) == archive.result


def test_an_answer_at_once_that_may_be_cut_off_is_too_much(server):
    server.answer = archive = StalledQueue(phases=("QUEUED",))
    archive.at_once = b"a\n" + b"1\n" * 2000
    at_once = replace(QUESTION, is_sync=True)
    with pytest.raises(TooMuch, match="cut its answer off at 2000 rows"):
        client(server, archive).send(at_once, ITEMS, KeptJob())
    archive.at_once += b"1\n"  # another cap than the known one: whether rows are missing is a matter of counting them
    assert client(server, archive).send(at_once, ITEMS, KeptJob()) == archive.at_once
    with pytest.raises(TooMuch, match="its cap is 2001"):
        client(server, archive, row_cap=2001).send(at_once, ITEMS, KeptJob())


@pytest.mark.parametrize("service", ["gaia", "vo"])
def test_uploads_and_other_services_wait_on(server, service):
    server.answer = archive = StalledQueue(phases=("QUEUED",), runs_at_once=service == "gaia")
    with pytest.raises(Retryable, match=r"waiting for 0\.05 s"):
        client(server, archive, queue_s=0.05).send(UPLOAD, ITEMS, KeptJob())
    assert not [asked for asked in archive.queries if asked.path.endswith("/sync")]


@pytest.mark.parametrize("phase", ["ABORTED", "ARCHIVED"])
def test_a_job_that_ends_otherwise_is_asked_again(server, archive, phase):
    archive.phases = ("EXECUTING", phase)
    job = KeptJob()
    with pytest.raises(Retryable, match=phase):
        client(server, archive).send(QUESTION, ITEMS, job)
    assert job.url is None


def test_a_job_that_never_ends_is_given_up(server, archive):
    archive.phases = ("EXECUTING",)
    job = KeptJob()
    with pytest.raises(Retryable, match=r"within 0\.05 s.*EXECUTING"):
        client(server, archive, job_s=0.05).send(QUESTION, ITEMS, job)
    assert archive.removed == ["job1"] and job.url is None


def test_pauses_between_polls_grow_to_the_longest(server, archive, monkeypatch):
    archive.phases = ("QUEUED",) * 6 + ("COMPLETED",)
    pauses = []
    monkeypatch.setattr("tasks.archives.uws.time.sleep", pauses.append)
    client(server, archive, poll_s=(2.0, 5.0)).send(QUESTION, ITEMS, KeptJob())
    assert pauses[:4] == [2.0, 3.0, 4.5, 5.0] and set(pauses[4:]) <= {5.0}


@pytest.mark.parametrize(
    "fault",
    [
        Reply(503, b"later"),
        Reply(200, PAGE, {"Content-Type": "text/html"}),
        Reply(200, PAGE),
        Reply(200, b"x" * 99, drop=True),
    ],
    ids=["503", "page", "page as text", "drop"],
)
def test_a_fault_on_the_way_to_the_result_leaves_the_job_for_the_next_attempt(server, archive, fault):
    archive.faults["GET", "/results/result"] = [fault]
    job, asker = KeptJob(), client(server, archive)
    with pytest.raises(Retryable):
        asker.send(QUESTION, ITEMS, job)
    assert job.url and not archive.removed
    assert asker.send(QUESTION, ITEMS, job) == archive.result
    assert len(archive.queries) == 1 and archive.removed == ["job1"]


def test_an_answer_of_as_many_rows_as_the_cap_is_too_much(server, archive):
    job = KeptJob()
    with pytest.raises(TooMuch, match="2 rows"):
        client(server, archive, row_cap=2).send(QUESTION, ITEMS, job)
    assert archive.removed == ["job1"] and job.url is None
    assert client(server, archive, row_cap=3).send(QUESTION, ITEMS, job) == archive.result


def test_a_job_that_cannot_be_removed_does_not_spoil_its_answer(server, archive):
    archive.faults = {("POST", "/deletejobs"): [Reply(500)], ("DELETE", "/job1"): [Reply(500)]}
    assert client(server, archive).send(QUESTION, ITEMS, KeptJob()) == archive.result
    assert not archive.removed


def test_what_cannot_be_uploaded_is_a_bad_question(server, archive):
    for column in (pa.array([1, None]), pa.array(["a", None]), pa.array([[1], [2]])):
        with pytest.raises(BadQuestion, match="'x'"):
            client(server, archive).send(UPLOAD, pa.table({"x": column}), KeptJob())
    assert not archive.queries


def test_threads_may_ask_at_once(server, archive):
    asker, answers = client(server, archive), []

    def ask(k):
        question = UPLOAD if k % 2 else QUESTION
        answers.append(asker.send(question, ITEMS, KeptJob()))

    threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [archive.result] * 8 and len(set(archive.removed)) == 8
    for asked in archive.queries:
        assert asked.headers["Content-Type"].startswith(
            "multipart" if b"<VOTABLE" in asked.body else "application/x-www"
        )
