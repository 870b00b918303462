"""One request of one service: what its record says after each step, and which items are left to others."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lakehouse.answers.answer_index import AnswerIndex
from lakehouse.answers.raw import DONE, FAILED, SPLIT, RawStore
from tasks.archives.errors import ArchiveError, Refused, Retryable, TooMuch
from tasks.archives.gate import Gate
from tasks.archives.request import Request, hash_items
from tasks.archives.threads import Stop, Tally
from tasks.stages.acquire.sending import Sender
from tests.unit.stages.archive_stand_ins import QUICK, InProcess, answer_about, items, pairs, question, rows_about


class Waits(Stop):
    """Notes how long it should wait, and does not."""

    def __init__(self):
        super().__init__()
        self.seconds = []

    def pause(self, seconds):
        self.seconds.append(seconds)
        self.check()


@pytest.fixture
def store(tmp_path):
    return RawStore(tmp_path / "lake")


@pytest.fixture
def send(tmp_path, store):
    """Sends a request about some ids with a client; gives the rows of all answers, and what sent it."""

    def run(client, ids, limits=QUICK, run_id="r1", **more):
        gate = Gate(tmp_path / "limits", "vo", limits)
        sender = Sender("vo", client, limits, gate, store, Waits(), Tally(), "here", run_id)
        asked = question(**more)
        table = items(ids)
        request = Request(asked, asked.identity("here"), table, hash_items(table, "id"))
        try:
            fresh = sender.fetch(request, AnswerIndex(store, "vo", request.identity))
            return sorted(pair for rows in fresh.values() for pair in pairs(rows)), sender
        finally:
            gate.close()

    return run


def records(store):
    return sorted(store.records_since(), key=lambda record: (-record.n_item, record.item_hashes.tolist()))


def test_a_record_tells_what_was_asked_what_came_and_when(send, store):
    found, sender = send(InProcess(), range(5))
    assert found == rows_about(range(5))
    (record,) = records(store)
    assert (record.state, record.n_item, record.rows, record.run_id) == (DONE, 5, len(found), "r1")
    assert store.answer(record.content).startswith(b"id,value\n") and len(store.answer(record.content)) == record.bytes
    assert [attempt["error"] for attempt in record.attempts] == [None] and record.attempts[0]["seconds"] >= 0
    assert record.attempts[0]["at"] == record.first_sent <= record.answered
    assert sender.tally.counts()["vo"] == {
        "requests": 1, "retries": 0, "stored": 0, "rows": len(found), "bytes": record.bytes
    }  # fmt: skip


def test_items_that_are_answered_already_are_left_out(send):
    send(InProcess(), range(5))
    client = InProcess()
    found, _ = send(client, range(8))
    assert client.asked == [[5, 6, 7]] and found == rows_about([5, 6, 7])
    client = InProcess()
    assert send(client, range(3, 7))[0] == [] and client.asked == []


def test_items_that_another_asks_for_just_now_are_left_to_it(send, store):
    asked = question()
    others = AnswerIndex(store, "vo", asked.identity("here"))
    client = InProcess()
    with others.claim("its-key", hash_items(items([2, 3]), "id")) as free:
        assert free.all()
        found, _ = send(client, range(5))
    assert client.asked == [[0, 1, 4]] and found == rows_about([1, 4])


def test_pauses_double_up_to_the_longest(send):
    slow = replace(QUICK, backoff_s=(1.0, 5.0), attempts=6)
    _, sender = send(InProcess(*[Retryable("500")] * 5), [1], slow)
    pauses = [seconds for seconds in sender.stop.seconds if seconds >= 0.5]
    for pause, expected in zip(pauses, (1, 2, 4, 5, 5), strict=True):
        assert 0.9 * expected <= pause <= 1.1 * expected
    assert sender.tally.counts()["vo"]["retries"] == 5


def test_a_pause_longer_than_a_job_may_take_ends_the_run(send, store):
    short = replace(QUICK, job_s=60.0)
    with pytest.raises(ArchiveError, match=r"asks for a pause of 2 minutes .*run the same command again after"):
        send(InProcess(Retryable("503", 120.0)), [1], short)
    (record,) = records(store)
    assert record.attempts[0]["error"] == "503"  # on disk, although the program ends here


def test_halves_are_answered_before_their_whole_counts_as_split(send, store):
    client = InProcess(*[Retryable("504", is_load=True)] * QUICK.halve_after)
    found, _ = send(client, range(4))
    assert client.asked == [[0, 1], [2, 3]] and found == rows_about(range(4))
    whole, *halves = records(store)
    assert whole.state == SPLIT and set(whole.children) == {half.key for half in halves}
    assert [half.state for half in halves] == [DONE, DONE] and len(whole.attempts) == QUICK.halve_after


def test_an_answer_that_is_cut_off_is_split_without_another_try(send, store):
    client = InProcess(TooMuch("the cap"))
    assert send(client, range(4))[0] == rows_about(range(4))
    assert records(store)[0].state == SPLIT and len(records(store)[0].attempts) == 1


def test_what_an_answer_leaves_out_is_on_record_and_asked_about_alone(send, store):
    client = InProcess()
    found, _ = send(client, [1, 2, 3], expects_all=True)  # 3 has no rows: once more, then that is taken as true
    assert client.asked == [[1, 2, 3], [3]]
    assert found == rows_about([1, 2, 3])
    first = next(record for record in records(store) if record.n_item == 3)
    assert first.item_hashes.tolist() == hash_items(items([1, 2]), "id").tolist() and first.left_out
    index = AnswerIndex(store, "vo", first.identity)
    assert (index.find(hash_items(items([1, 2, 3]), "id")) >= 0).all()


def test_a_refusal_is_on_record_and_stops_the_others(send, store):
    with pytest.raises(Refused, match="vo refuses all requests"):
        send(InProcess(Refused("403")), [1, 2])
    (record,) = records(store)
    assert (record.state, record.last_error, record.content) == (FAILED, "403", None)


def test_an_error_of_our_own_stops_the_others_as_it_is(send):
    with pytest.raises(ZeroDivisionError):
        send(InProcess(ZeroDivisionError("a bug")), [1])


def test_a_job_is_taken_up_again_unless_its_answer_was_bad(send, store):
    def begun(ids, job):
        job.remember("http://archive/async/1")
        return Refused("403 while waiting")

    with pytest.raises(Refused):
        send(InProcess(begun), [1])
    assert records(store)[0].job_url == "http://archive/async/1"
    client = InProcess()
    send(client, [1], run_id="r2")
    (record,) = records(store)
    assert client.given == ["http://archive/async/1"] and record.run_id == "r2" and len(record.attempts) == 2


def test_an_answer_with_as_many_rows_as_the_cap_is_not_kept(send, store):
    capped = replace(QUICK, row_cap=3)
    found, _ = send(InProcess(), [2, 5], capped)  # four rows together, two each
    assert found == rows_about([2, 5]) and [record.state for record in records(store)] == [SPLIT, DONE, DONE]
    assert np.concatenate([record.item_hashes for record in records(store)[1:]]).size == 2
    assert len(list(store.folder.rglob("*.zst"))) == 2


def test_a_long_pause_is_said_and_a_short_one_is_not(send, capsys, monkeypatch):
    monkeypatch.setattr(Gate, "rest", lambda gate, seconds: None)  # it would be kept to
    busy = replace(QUICK, job_s=3600.0)
    send(InProcess(Retryable("503 Busy.", 300.0)), [1], busy)
    said = capsys.readouterr().err
    assert re.fullmatch(r"  vo is asked again at \d\d:\d\d, in 5 min \(503 Busy\)\n", said)
    send(InProcess(Retryable("503 Busy.", 5.0)), [2], busy)
    assert capsys.readouterr().err == ""


def test_the_pauses_of_a_live_service_are_said(send, capsys):
    slow = replace(QUICK, backoff_s=(30.0, 900.0))
    send(InProcess(*[Retryable("502")] * 3), [1], slow)
    assert [line.split(" in ")[1] for line in capsys.readouterr().err.splitlines()] == ["1 min (502)", "2 min (502)"]


def test_rows_about_others_are_never_kept(send, store):
    client = InProcess(answer_about([1, 2, 4]).encode())
    found, _ = send(client, [1, 2])
    assert found == rows_about([1, 2]) and client.asked == [[1, 2]] * 2
    (record,) = records(store)
    assert record.attempts[0]["error"] == "vo sent 1 rows of 4 about others than were asked for."
