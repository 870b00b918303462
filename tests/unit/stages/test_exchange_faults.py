"""What the exchange does about each fault: the run ends complete, or stops with one sentence and resumes complete."""

import itertools
import logging
import re
import threading
import time
from dataclasses import replace

import pyarrow as pa
import pytest

from lakehouse.answers.raw import RawStore
from tasks.archives.errors import ArchiveError, BadQuestion, Refused, Retryable, TooMuch
from tests.unit.stages.archive_stand_ins import (
    QUICK,
    InProcess,
    OverHttp,
    answer_about,
    exchange,
    items,
    pairs,
    question,
    rows_about,
    server,
)

OVERLOADED = Retryable("504 Gateway Time-out", is_load=True)


def records(folder):
    return list(RawStore(folder / "lake").records_since())


def resumes(folder, ids, n_request, key="id"):
    """The same again without faults: complete, in so many requests, and then in none."""
    client = InProcess()
    with exchange(folder, client) as ask:
        assert pairs(ask(question(), items(ids))) == rows_about(ids)
    assert len(client.asked) == n_request
    with exchange(folder, None, offline=True) as ask:
        assert pairs(ask(question(), items(ids))) == rows_about(ids)


@pytest.mark.parametrize(
    "fault",
    [
        (500, {}, b"broken"), (502, {}, b"Bad Gateway"), (503, {}, b""), (429, {"Retry-After": "0.05"}, b"slow down"),
        (200, {}, b"<html>Maintenance</html>"), "drop",
    ],
)  # fmt: skip
def test_what_passes_is_asked_again_over_http(tmp_path, fault):
    with server() as (url, door), exchange(tmp_path, OverHttp(url), replace(QUICK, parallel=1)) as ask:
        door.faults = [fault, fault]
        assert pairs(ask(question(), items(range(25)))) == rows_about(range(25))
        counts = ask.counts()["vo"]
    assert len(door.seen) == 3 + 2 and (counts["requests"], counts["retries"]) == (5, 2)
    (failed,) = (record for record in records(tmp_path) if len(record.attempts) > 1)
    assert [bool(attempt["error"]) for attempt in failed.attempts] == [True, True, False]
    assert failed.state == "done" and {record.state for record in records(tmp_path)} == {"done"}
    resumes(tmp_path, range(25), 0)


def test_pauses_grow_and_the_archive_may_ask_for_longer_ones(tmp_path):
    came = []
    note = lambda error: lambda ids, job: came.append(time.monotonic()) or error  # noqa: E731
    slow = replace(QUICK, backoff_s=(0.05, 0.1), attempts=6)
    client = InProcess(*[note(Retryable("500")) for _ in range(3)], note(Retryable("503", 0.3)), note(None))
    with exchange(tmp_path, client, slow) as ask:
        ask(question(), items([1]))
    pauses = [late - early for early, late in itertools.pairwise(came)]
    for pause, least in zip(pauses, (0.045, 0.09, 0.09, 0.3), strict=True):
        assert least <= pause < least + 0.5  # a busy machine wakes late


def test_a_pause_that_the_archive_asks_for_holds_for_every_thread(tmp_path):
    began = []
    client = InProcess(Retryable("429", 0.3), *[lambda ids, job: began.append(time.monotonic())] * 6)
    with exchange(tmp_path, client) as ask:
        start = time.monotonic()
        assert pairs(ask(question(), items(range(60)))) == rows_about(range(60))
    assert sum(at - start < 0.29 for at in began) <= 1  # the one that was on its way


def test_a_pause_of_hours_is_a_sentence(tmp_path):
    client, sentence = InProcess(Retryable("503 Busy", 10_000.0)), r"vo asks for a pause of 167 minutes \(503 .*run the"
    with exchange(tmp_path, client) as ask, pytest.raises(ArchiveError, match=sentence):
        ask(question(), items([1]))
    resumes(tmp_path, [1], 1)


def test_what_does_not_pass_stops_after_so_many_attempts_and_resumes(tmp_path):
    client = InProcess(None, *[Retryable("502 Bad Gateway")] * 5)
    one = replace(QUICK, chunk=1, parallel=1)
    with exchange(tmp_path, client, one) as ask:
        with pytest.raises(
            ArchiveError, match=r"vo failed 5 times to answer a request about id 1 \(last: 502 Bad Gate"
        ):
            ask(question(), items(range(4)))
        with pytest.raises(ArchiveError, match="failed 5 times"):  # and it stays stopped
            ask(question(), items([0]))
    assert (client.asked, client.failed) == ([[0]], 5)
    assert sorted(record.state for record in records(tmp_path)) == ["done", "failed"]
    client = InProcess()
    with exchange(tmp_path, client, one) as ask:
        assert pairs(ask(question(), items(range(4)))) == rows_about(range(4))
    assert client.asked == [[1], [2], [3]]
    (retried,) = (record for record in records(tmp_path) if len(record.attempts) > 1)
    assert len(retried.attempts) == 6 and retried.state == "done"  # the record remembers those of the first run


def test_a_request_that_keeps_failing_is_halved_until_it_does_not(tmp_path):
    def too_big(ids, job):
        return OVERLOADED if len(ids) > 3 else None

    client = InProcess(*[too_big] * 99)
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(), items(range(10)))) == rows_about(range(10))
    assert sorted(client.asked) == [[0, 1], [2, 3, 4], [5, 6], [7, 8, 9]]
    assert client.failed == 3 * 3  # ten items, and five twice, three times each
    states = [record.state for record in records(tmp_path)]
    assert sorted(states) == ["done"] * 4 + ["split"] * 3
    (whole,) = (record for record in records(tmp_path) if record.n_item == 10)
    assert set(whole.children) == {record.key for record in records(tmp_path) if record.n_item == 5}
    resumes(tmp_path, range(10), 0)


@pytest.mark.parametrize(
    "fault",
    [Retryable("429 Too Many Requests"), Retryable("a page instead of data"), Retryable("503 busy", 0.001)],
    ids=["429", "page", "busy"],
)
def test_a_fault_that_says_nothing_of_the_request_halves_none(tmp_path, fault):
    client = InProcess(*[fault] * 4)
    with exchange(tmp_path, client, replace(QUICK, parallel=1)) as ask:
        assert pairs(ask(question(), items(range(10)))) == rows_about(range(10))
    assert client.asked == [list(range(10))]


def test_faults_while_a_job_is_watched_halve_nothing(tmp_path):
    def submitted(ids, job):
        job.remember("http://archive/async/1")
        return OVERLOADED

    client = InProcess(submitted, *[OVERLOADED] * 3)
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(), items(range(10)))) == rows_about(range(10))
    assert client.asked == [list(range(10))] and client.given[1:] == ["http://archive/async/1"] * 4


def test_an_archive_that_is_down_is_not_asked_for_every_single_item(tmp_path):
    client = InProcess(*[OVERLOADED] * 1000)
    with exchange(tmp_path, client, replace(QUICK, parallel=1)) as ask, pytest.raises(ArchiveError, match="failed 5 "):
        ask(question(), items(range(100)))
    assert client.failed == 3 * 3 + 5  # 10, 5 and 2 items, then one
    resumes(tmp_path, range(100), 10)  # no half was ever answered: nothing says that the whole was too much


def test_a_half_that_was_answered_is_not_asked_again(tmp_path):
    client = InProcess(*[OVERLOADED] * 3, None, *[Refused("403 Forbidden")])
    with exchange(tmp_path, client) as ask, pytest.raises(Refused):
        ask(question(), items(range(10)))
    assert client.asked == [[0, 1, 2, 3, 4]]
    resumes(tmp_path, range(10), 1)


@pytest.mark.parametrize("how", ["the client says so", "rows reach the cap"])
def test_an_answer_that_is_cut_off_is_split_at_once(tmp_path, how):
    def cap(ids, job):
        return TooMuch("5 rows came") if len(rows_about(ids)) >= 5 else None

    client = InProcess(*[cap] * 99) if how == "the client says so" else InProcess()
    limits = QUICK if how == "the client says so" else replace(QUICK, row_cap=5)
    with exchange(tmp_path, client, limits) as ask:
        assert pairs(ask(question(), items(range(10)))) == rows_about(range(10))
        # Of ids 0 to 9 the halves 0-4 and 5-9 have 4 and 5 rows, and 5-9 is cut into 5-6 and 7-9.
        assert ask.counts()["vo"]["requests"] == 5
    assert sorted(record.state for record in records(tmp_path)) == ["done"] * 3 + ["split"] * 2
    resumes(tmp_path, range(10), 0)


def test_a_range_that_is_cut_off_is_split_in_the_middle(tmp_path):
    def cap(ids, job):
        return TooMuch("the cap") if len(ids) > 25 else None

    ranges = pa.table({"lo": [0, 200], "hi": [99, 210]})
    client = InProcess(*[cap] * 99)
    with exchange(tmp_path, client) as ask:
        rows = pairs(ask(question(None), ranges))
    assert rows == rows_about(range(100)) + rows_about(range(200, 211))
    assert sorted(client.asked) == [list(range(i, i + 25)) for i in (0, 25, 50, 75)] + [list(range(200, 211))]
    with exchange(tmp_path, None, offline=True) as ask:
        assert pairs(ask(question(None), ranges)) == rows
    spelled = [record.item for record in records(tmp_path) if record.state == "split"]
    assert sorted(item["lo"] for item in spelled) == [0, 0, 50]


@pytest.mark.parametrize("key, one", [("id", {"id": [7]}), (None, {"lo": [7], "hi": [7]})])
def test_one_item_that_is_too_much_is_a_sentence(tmp_path, key, one):
    sentence = r"vo: a request about (id|lo) 7.* cannot be divided further \(100 rows came"
    with exchange(tmp_path, InProcess(TooMuch("100 rows came"))) as ask, pytest.raises(TooMuch, match=sentence):
        ask(question(key), pa.table(one))


def test_a_refusal_stops_everything_at_once_and_nothing_is_lost(tmp_path):
    gone = threading.Event()
    client = InProcess(lambda ids, job: gone.wait(5) and None, None, Refused("403 Forbidden."))
    with exchange(tmp_path, client, replace(QUICK, parallel=2, timeout_s=5.0)) as ask:
        threading.Timer(0.3, gone.set).start()  # the first is still on its way when the third is refused
        with pytest.raises(Refused) as caught:
            ask(question(), items(range(100)))
        with pytest.raises(Refused):
            ask(question(service="vo", text="another"), items([1]))
    assert len(client.asked) == 2 and client.failed == 1  # the first was waited for, seven never begun
    sentence = str(caught.value)
    assert sentence.startswith("vo refuses all requests (403 Forbidden): stopped at once")
    assert "nothing is lost" in sentence and "same command" in sentence and str(tmp_path / "lake" / "raw") in sentence
    assert sentence.endswith(".") and ". " not in sentence
    resumes(tmp_path, range(100), 8)


def test_a_refusal_ends_the_pauses_of_other_threads(tmp_path):
    slow = replace(QUICK, backoff_s=(30.0, 30.0), attempts=5, parallel=2)
    client = InProcess(Retryable("500"), Refused("403"))
    began = time.monotonic()
    with exchange(tmp_path, client, slow) as ask, pytest.raises(Refused):
        ask(question(), items(range(20)))
    assert time.monotonic() - began < 5 and len(client.asked) == 0


def test_a_question_that_is_not_understood_stops_the_run(tmp_path):
    client, what = InProcess(BadQuestion("Unknown column 'object'.")), "about 3 items: Unknown column 'object'; nothing"
    with exchange(tmp_path, client) as ask, pytest.raises(BadQuestion, match=what):
        ask(question(), items(range(3)))
    resumes(tmp_path, range(3), 1)


@pytest.mark.parametrize("answer", [b"?what", b"id,value\n1,x\n", b"\xff\xfe\x00"])
def test_an_answer_that_cannot_be_read_is_set_aside_for_the_user(tmp_path, answer):
    sentence = r"about id 1: its answer cannot be read \(.*the answer is in .*\)"
    with exchange(tmp_path, InProcess(answer)) as ask, pytest.raises(BadQuestion, match=sentence):
        ask(question(), items([1]))
    (kept,) = (tmp_path / "lake" / "raw" / "refused").iterdir()
    assert kept.read_bytes() == answer and not (tmp_path / "lake" / "raw" / "blobs").exists()
    resumes(tmp_path, [1], 1)


def test_a_page_in_place_of_data_is_never_stored(tmp_path):
    client = InProcess(*[b"<html>down</html>"] * 5)
    with exchange(tmp_path, client) as ask, pytest.raises(ArchiveError, match="a page came instead of data"):
        ask(question(), items([1]))
    assert len(client.asked) == 5 and not (tmp_path / "lake" / "raw" / "blobs").exists()
    resumes(tmp_path, [1], 1)


def test_an_error_of_ours_is_not_hidden(tmp_path):
    client, one = InProcess(ZeroDivisionError("a bug")), replace(QUICK, parallel=1)
    with exchange(tmp_path, client, one) as ask, pytest.raises(ZeroDivisionError):
        ask(question(), items(range(50)))
    resumes(tmp_path, range(50), 5)


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "remove"])
def test_a_damaged_answer_is_fetched_again_with_a_warning(tmp_path, caplog, harm):
    client = InProcess()
    with exchange(tmp_path, client) as ask:
        ask(question(), items(range(30)))
        blob = max((tmp_path / "lake" / "raw" / "blobs").rglob("*.zst"))
        whole = blob.read_bytes()
        if harm == "remove":
            blob.unlink()
        else:
            middle = bytes([whole[len(whole) // 2] ^ 1])
            half = whole[: len(whole) // 2]
            blob.write_bytes({"flip": half + middle + whole[len(half) + 1 :], "cut": half, "empty": b""}[harm])
        with exchange(tmp_path, None, offline=True) as offline, pytest.raises(ArchiveError, match="10 of 30 items"):
            offline(question(), items(range(30)))
        with caplog.at_level(logging.WARNING):
            assert pairs(ask(question(), items(range(30)))) == rows_about(range(30))
    assert len(client.asked) == 4 and re.search(f"{blob} is missing or damaged", caplog.text)
    assert {record.state for record in records(tmp_path)} == {"done"} and blob.read_bytes() == whole
    resumes(tmp_path, range(30), 0)


def test_a_damaged_record_is_fetched_again(tmp_path):
    with exchange(tmp_path, InProcess()) as ask:
        ask(question(), items(range(30)))
    path = min((tmp_path / "lake" / "raw" / "vo").rglob("*.json"))
    path.write_text(path.read_text()[:100])
    resumes(tmp_path, range(30), 1)


def test_a_job_is_taken_up_again_after_a_refusal(tmp_path):
    def submitted(ids, job):
        job.remember("http://archive/async/7")
        return Refused("403 while polling")

    with exchange(tmp_path, InProcess(submitted)) as ask, pytest.raises(Refused):
        ask(question(), items([1, 2]))
    client = InProcess()
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(), items([1, 2]))) == rows_about([1, 2])
    assert client.given == ["http://archive/async/7"]
    (record,) = records(tmp_path)
    assert record.state == "done" and record.job_url == "http://archive/async/7" and len(record.attempts) == 2


def test_a_job_is_asked_about_again_until_the_client_forgets_it(tmp_path):
    def submitted(ids, job):
        job.remember(f"http://archive/async/{len(client.given)}")
        return Retryable("the connection was lost")

    def lost(ids, job):
        job.url = None
        return Retryable("404: the job is unknown", 0.0)

    stays = replace(QUICK, attempts=6)
    client = InProcess(submitted, OVERLOADED, lost, submitted, *[OVERLOADED] * 2)
    with exchange(tmp_path, client, stays) as ask, pytest.raises(ArchiveError, match="failed 6 times"):
        ask(question(), items([1, 2]))
    first, fourth = "http://archive/async/1", "http://archive/async/4"
    assert client.given == [None, first, first, None, fourth, fourth]
    client = InProcess(*[OVERLOADED] * 6)  # the next run finds it, and where that was in vain, another begins anew
    with exchange(tmp_path, client, stays) as ask, pytest.raises(ArchiveError, match="failed 12 times"):
        ask(question(), items([1, 2]))
    assert client.given == [fourth] * 6
    client = InProcess()
    with exchange(tmp_path, client, stays) as ask:
        assert pairs(ask(question(), items([1, 2]))) == rows_about([1, 2])
    assert client.given == [None]


# Answers that leave items out: ids that are multiples of three have no rows.


def test_what_an_answer_leaves_out_is_asked_about_once_more(tmp_path):
    client = InProcess(answer_about([1, 2]).encode())  # and nothing about 4 and 5
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(expects_all=True), items(range(7)))) == rows_about(range(7))
        assert ask.counts()["vo"]["requests"] == 2
    assert client.asked == [list(range(7)), [0, 3, 4, 5, 6]]
    assert sorted(record.item_hashes.tolist() for record in records(tmp_path)) == [[0, 3, 4, 5, 6], [1, 2]]
    resumes(tmp_path, range(7), 0)


def test_what_was_left_out_is_known_after_a_stop(tmp_path):
    client = InProcess(None, Refused("403"))
    with exchange(tmp_path, client) as ask, pytest.raises(Refused):
        ask(question(expects_all=True), items(range(7)))
    client = InProcess()
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(expects_all=True), items(range(7)))) == rows_about(range(7))
    assert client.asked == [[0, 3, 6]]


def test_an_answer_without_rows_about_a_few_is_taken_as_true_the_second_time(tmp_path):
    client = InProcess()
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(expects_all=True), items([0, 3, 6]))) == []
    assert client.asked == [[0, 3, 6]] * 2
    (record,) = records(tmp_path)
    assert (record.state, len(record.attempts)) == ("done", 2)
    resumes(tmp_path, [0, 3, 6], 0)


def test_ids_that_a_user_gives_may_all_be_unknown_however_many(tmp_path):
    asked_about = [3 * i for i in range(10)]
    client = InProcess()
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(expects_all=True, may_be_unknown=True), items(asked_about))) == []
    assert client.asked == [asked_about] * 2
    resumes(tmp_path, asked_about, 0)


def test_an_answer_without_rows_about_many_is_never_taken_as_true_and_never_halved(tmp_path):
    """Its halves would come back empty too, down to those that are small enough to be taken as true."""
    nothing = answer_about([]).encode()
    client = InProcess(*[nothing] * 4)
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(expects_all=True), items(range(10)))) == rows_about(range(10))
    assert client.asked == [list(range(10))] * 5 + [[0, 3, 6, 9]]
    client = InProcess(*[nothing] * 99)
    with (
        exchange(tmp_path / "other", client) as ask,
        pytest.raises(
            ArchiveError,
            match=r"failed 5 times to answer a request about 10 items .*without a row about any of 10 items",
        ),
    ):
        ask(question(expects_all=True), items(range(10)))
    assert len(client.asked) == 5 and {record.state for record in records(tmp_path / "other")} == {"failed"}
    resumes(tmp_path / "other", range(10), 1)
