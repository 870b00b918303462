"""Verbatim answers and records: whole or absent, found again, checked, shared between programs."""

import json
import logging
import os
import signal
import threading
import time
from datetime import UTC, datetime

import numpy as np
import pytest

from lakehouse.answers.answer_index import AnswerIndex
from lakehouse.answers.item_index import RECENT, ItemIndex
from lakehouse.answers.ledger import ledger_rows, write_ledger
from lakehouse.answers.raw import DEAD_S, DONE, FAILED, LOST, SENT, SPLIT, RawStore, Record, now, pack
from schemas import BadInput
from schemas.tables.request import RAW_ARCHIVE__REQUEST

WRITER = """
import os, resource, signal, sys
from lakehouse.answers.raw import *
from lakehouse.answers.answer_index import AnswerIndex
from lakehouse.delta.store import Lake
import numpy as np
raw = RawStore(sys.argv[1])
def record(key, ids, **more):
    ids = np.asarray(ids, np.int64)
    return Record(key, "q", "vo", "here", "dr1", "about", n_item=len(ids), items=pack(ids), **more)
"""


@pytest.fixture
def raw(lake):
    return RawStore(lake.path)


def record(key, ids, state=DONE, content="", **more):
    ids = np.asarray(ids, np.int64)
    values = {"state": state, "content": content or None, "n_item": len(ids), "items": pack(ids), **more}
    return Record(key, "q", "vo", "here", "dr1", "about {items}", **values)


def finish(raw, answered, key, ids, answer=b"answer"):
    answered.finish(record(key, ids, content=raw.keep(answer)))


def test_an_answer_is_kept_once_and_comes_back_as_it_was(raw):
    answers = [b"", b"a" * 10**6, os.urandom(10**5), b"a" * 10**6]
    contents = [raw.keep(answer) for answer in answers]
    assert [raw.answer(content) for content in contents] == answers
    blobs = list(raw.folder.rglob("*.zst"))
    assert len(blobs) == 3 and contents[1] == contents[3]
    assert {blob.parent.name for blob in blobs} == {content[:2] for content in contents}
    assert (raw.folder / "blobs" / contents[1][:2] / f"{contents[1]}.zst").stat().st_size < 1000


@pytest.mark.parametrize("harm", [b"", b"not zstd", "cut", "flip", "other"])
def test_a_damaged_answer_is_noticed_and_written_anew(raw, caplog, harm):
    content, answer = raw.keep(b"12345" * 1000), b"12345" * 1000
    path = raw.folder / "blobs" / content[:2] / f"{content}.zst"
    whole = path.read_bytes()
    other = raw.keep(b"another")
    harmed = {
        "cut": whole[:-4], "flip": bytes([*whole[:9], whole[9] ^ 4, *whole[10:]]),
        "other": (raw.folder / "blobs" / other[:2] / f"{other}.zst").read_bytes(),
    }.get(harm, harm)  # fmt: skip
    path.write_bytes(harmed)
    with caplog.at_level(logging.WARNING):
        assert raw.answer(content) is None
    assert f"{path} is missing or damaged" in caplog.text
    assert raw.keep(answer) == content and raw.answer(content) == answer


def test_a_record_comes_back_as_it_was(raw):
    ids = np.array([5, -(2**63), 2**63 - 1])
    attempts = [{"at": now(), "seconds": 1.5, "error": "502"}, {"at": now(), "seconds": 0.1, "error": None}]
    one = record("k", ids, SENT, job_url="http://a/async/1", attempts=attempts, parameters={"a": "b"}, item={"lo": 1})
    raw.write(one)
    back = raw.record("vo", "q", "k")
    assert back == one and back.item_hashes.tolist() == ids.tolist() and back.last_error == "502"
    assert raw.record("vo", "q", "other") is None and list(raw.records("vo", "p")) == []
    path = raw.question("vo", "q") / "k.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"of a later version": 1}))
    assert raw.record("vo", "q", "k") == one


def test_records_since_a_time(raw):
    raw.write(record("a", [1]))
    os.utime(raw.question("vo", "q") / "a.json", (time.time() - 100,) * 2)
    raw.write(record("b", [2]))
    raw.set_aside(record("c", [3]), b"?")
    assert [one.key for one in raw.records_since()] == ["a", "b"]
    assert [one.key for one in raw.records_since(time.time() - 50)] == ["b"]


def test_what_is_answered_is_found_by_the_newest_answer(raw):
    answered = AnswerIndex(raw, "vo", "q")
    finish(raw, answered, "a", [1, 2, 3], b"first")
    finish(raw, answered, "b", [3, 4], b"second")
    answered.finish(record("c", [7, 8], SPLIT, children=["d", "e"]))
    raw.write(record("f", [9], FAILED))
    for one in (answered, AnswerIndex(raw, "vo", "q")):
        numbers = one.find(np.array([3, 1, 9, 7, 4]))
        keys = [one.answer(n).key if n >= 0 else None for n in numbers.tolist()]
        assert keys == ["b", "a", None, None, "b"]
        assert one.children("c") == ["d", "e"] and one.children("a") is None and one.has_split


def test_a_lost_answer_is_not_answered_any_more(raw):
    answered, other = AnswerIndex(raw, "vo", "q"), AnswerIndex(raw, "vo", "q")
    finish(raw, answered, "a", [1, 2])
    finish(raw, answered, "b", [3])
    other.refresh()
    answered.lose(0)
    answered.lose(0)
    assert answered.find(np.array([1, 2, 3])).tolist() == [-1, -1, 1] and answered.answer(0) is None
    assert raw.record("vo", "q", "a").state == LOST
    assert AnswerIndex(raw, "vo", "q").find(np.array([1, 3])).min() == -1
    finish(raw, answered, "a", [1, 2], b"asked again")
    other.lose(int(other.find(np.array([1]))[0]))  # it finds the old answer damaged, and the new one instead
    assert raw.record("vo", "q", "a").state == DONE
    for one in (answered, other, AnswerIndex(raw, "vo", "q")):
        assert raw.answer(one.answer(int(one.find(np.array([2]))[0])).content) == b"asked again"


def test_a_note_leaves_an_answer_where_it_is(raw):
    for key, state in (("a", DONE), ("b", FAILED), ("c", LOST)):
        raw.write(record(key, [1], state, run_id="old"))
        raw.note(record(key, [1], SENT, run_id="new"))
    assert [each.run_id for each in raw.records("vo", "q")] == ["old", "new", "new"]


def test_answers_from_before_a_time_count_as_none_and_stay(raw):
    old, new = "2026-01-01T00:00:00.000000+00:00", "2026-06-01T00:00:00.000000+00:00"
    since = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    raw.write(record("a", [1, 2], content=raw.keep(b"old"), answered=old, left_out=pack(np.array([7]))))
    raw.write(record("b", [3], content=raw.keep(b"new"), answered=new))
    ids = np.array([1, 2, 3, 7])
    late, always = (AnswerIndex(raw, "vo", "q", when) for when in (since, 0.0))
    assert (late.find(ids) >= 0).tolist() == [False, False, True, False] and not late.left_out(ids).any()
    assert (always.find(ids) >= 0).tolist() == [True, True, True, False] and always.left_out(ids).tolist()[-1]
    late.finish(record("a", [1, 2], content=raw.keep(b"again"), answered=new))
    assert raw.answer(late.answer(late.find(ids)[0]).content) == b"again"


def test_claims_of_the_living_hold_and_those_of_the_dead_do_not(raw, python):
    mine = AnswerIndex(raw, "vo", "q")
    holder = python(
        WRITER
        + """
answered = AnswerIndex(raw, "vo", "q")
with answered.claim("k", np.array([3, 4])) as free, answered.claim("l", np.array([5])):
    raw.write(record("l", [5], state=DONE, content=raw.keep(b"5")))  # and dies before it tells anyone
    print(free.tolist(), flush=True)
    signal.pause()
""",
        raw.folder.parent,
        wait=False,
    )
    assert holder.stdout.readline() == "[True, True]\n"
    with mine.claim("m", np.array([1, 3, 5])) as free:
        assert free.tolist() == [True, False, False]
    with mine.claim("n", np.array([1])) as free:
        assert free.tolist() == [True]
    holder.kill()
    holder.wait()
    with mine.claim("m", np.array([1, 3, 5])) as free:
        assert free.tolist() == [True, True, False]
    assert mine.answer(int(mine.find(np.array([5]))[0])).key == "l"
    with mine.claim("m", np.array([1, 3])) as free, mine.claim("o", np.array([3, 4])) as others:
        assert free.all() and others.tolist() == [False, True]
    assert list((mine.folder / ".claims").iterdir()) == []


def test_an_answer_that_came_while_waiting_for_a_claim_is_seen(raw):
    """The claim is given back between a look at the claims and a look at the journal, again and again."""
    holder, other = AnswerIndex(raw, "vo", "q"), AnswerIndex(raw, "vo", "q")
    asked = []
    together = threading.Barrier(2)

    def fetch(answered):
        for k in range(60):
            together.wait()
            ids = np.array([2 * k, 2 * k + 1])
            while (answered.find(ids) < 0).any():
                with answered.claim(f"{k:032d}", ids) as free:
                    if free.all():
                        asked.append(k)
                        finish(raw, answered, f"{k:032d}", ids)

    threads = [threading.Thread(target=fetch, args=(one,)) for one in (holder, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(asked) == list(range(60))


@pytest.mark.parametrize("moment", ["whole_file", "write_json"])
def test_a_writer_that_is_killed_leaves_whole_files_alone(raw, python, moment):
    died = python(
        WRITER
        + f"""
import lakehouse.answers.raw, lakehouse.disk
from contextlib import contextmanager
raw.write(record("a", [1], state=DONE, content=raw.keep(b"first")))
def die(*a):
    os.kill(os.getpid(), signal.SIGKILL)
@contextmanager
def half(path, whole=lakehouse.answers.raw.whole_file):
    with whole(path) as draft:
        yield draft
        draft.write_bytes(draft.read_bytes()[:5])
        die()
lakehouse.answers.raw.{moment} = half if "{moment}" == "whole_file" else die
raw.write(record("b", [2], state=DONE, content=raw.keep(b"second")))
""",
        raw.folder.parent,
    )
    assert died.returncode == -signal.SIGKILL
    assert [one.key for one in raw.records("vo", "q")] == ["a"]
    assert raw.answer(raw.record("vo", "q", "a").content) == b"first"
    assert len(list(raw.folder.rglob("*.zst"))) == (1 if moment == "whole_file" else 2)
    assert AnswerIndex(raw, "vo", "q").find(np.array([1, 2])).tolist() == [0, -1]
    kept = [path for path in raw.folder.rglob("*") if path.is_file()]
    drafts = [path for path in kept if path.suffix == ".tmp"]
    assert len(drafts) == (moment == "whole_file")
    raw.clear_abandoned_drafts()
    assert all(path.exists() for path in drafts)  # its writer may live
    for path in kept:
        os.utime(path, (0, time.time() - DEAD_S - 1))
    raw.clear_abandoned_drafts()
    assert [path for path in raw.folder.rglob("*") if path.is_file()] == [path for path in kept if path not in drafts]


def test_a_full_disk_is_one_sentence(raw, python):
    limited = python(
        WRITER
        + """
from schemas import BadInput
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
for write in (lambda: raw.keep(os.urandom(50_000)), lambda: raw.write(record("a", np.arange(50_000) ** 2))):
    try:
        write()
    except BadInput as error:
        print(error)
""",
        raw.folder.parent,
    )
    first, second = limited.stdout.splitlines()
    assert first.startswith("The disk is full") and "the answer of an archive was not written" in first
    assert "the record of a request to vo was not written" in second
    assert [path for path in raw.folder.rglob("*") if path.is_file()] == []


def test_the_index_of_prints_against_a_dictionary():
    rng = np.random.default_rng(5)
    index, known = ItemIndex(), {}
    for number in range(300):
        item_hashes = rng.integers(-RECENT * 4, RECENT * 4, rng.integers(0, 200))
        index.add(item_hashes, number)
        known |= dict.fromkeys(item_hashes.tolist(), number)
        if number % 50 == 20:
            index.drop(number - 3)
            known = {p: n for p, n in known.items() if n != number - 3}
        asked = rng.integers(-RECENT * 4, RECENT * 4, 100)
        assert index.find(asked).tolist() == [known.get(p, -1) for p in asked.tolist()]
    assert index.find(np.empty(0, np.int64)).size == 0


def test_the_ledger_is_a_copy_of_the_records_made_once(lake, raw):
    assert write_ledger(lake, "r1").rows == 0
    at = "2026-11-20T10:00:00.000001+00:00"
    attempts = [{"at": at, "seconds": 2.0, "error": "502"}, {"at": at, "seconds": 0.5, "error": None}]
    raw.write(record("a", [1, 2], content=raw.keep(b"12345"), attempts=attempts, rows=4, bytes=5, run_id="r1",
                     job_url="http://a/tap/async/77/", first_sent=at, answered=at, parameters={"x": "1"}))  # fmt: skip
    raw.write(record("b", [3], SENT, item={"lo": 3, "hi": 2**62}))
    first = write_ledger(lake, "r1")
    assert first.rows == 2
    again = write_ledger(lake, "r2")
    assert (again.rows, again.version) == (0, first.version)
    row = lake.read(RAW_ARCHIVE__REQUEST, where={"request_hash": "a"}).to_pylist()[0]
    time_of = row.pop("first_sent")
    assert time_of.isoformat() == at and row.pop("answered") == time_of
    assert row == {
        "service": "vo", "request_hash": "a", "endpoint": "here", "release": "dr1", "text": "about {items}\nx=1",
        "item": None,
        "n_item": 2, "status": "done", "job_id": "77", "n_attempt": 2, "n_row": 4, "n_byte": 5, "seconds": 2.5,
        "content_hash": raw.keep(b"12345"), "run_id": "r1", "last_error": "502",
    }  # fmt: skip
    other = lake.read(RAW_ARCHIVE__REQUEST, ["item"], where={"request_hash": "b"})["item"].to_pylist()
    assert other == [f'{{"lo": 3, "hi": {2**62}}}']
    raw.write(record("b", [3], DONE, run_id="r3"))
    raw.write(record("c", [4], FAILED))
    assert write_ledger(lake, "r3").rows == 2
    states = lake.read(RAW_ARCHIVE__REQUEST, ["request_hash", "status"])
    assert states["status"].to_pylist() == ["done", "done", "failed"]
    assert lake.read(RAW_ARCHIVE__REQUEST).equals(ledger_rows(raw.records_since()))


def test_a_ledger_that_was_killed_is_written_in_the_end(lake, raw, python):
    raw.write(record("a", [1]))
    died = python(
        WRITER
        + """
from lakehouse.delta import commit
from lakehouse.answers.ledger import write_ledger
commit._commit = lambda *a: os.kill(os.getpid(), signal.SIGKILL)
write_ledger(Lake(sys.argv[1]), "r1")
""",
        lake.path,
    )
    assert died.returncode == -signal.SIGKILL and lake.count(RAW_ARCHIVE__REQUEST) == 0
    assert write_ledger(lake, "r1").rows == 1 and write_ledger(lake, "r1").rows == 0


def test_an_old_record_is_not_read_again_for_the_ledger(lake, raw):
    raw.write(record("a", [1]))
    write_ledger(lake, "r1")
    raw.write(record("a", [1], FAILED))
    os.utime(raw.question("vo", "q") / "a.json", (time.time() - 7200,) * 2)
    raw.write(record("b", [2]))
    assert write_ledger(lake, "r2").rows == 1


def test_units_and_meanings_of_the_ledger_are_standard():
    import astropy.units as u
    from astropy.io.votable.ucd import parse_ucd

    for column in RAW_ARCHIVE__REQUEST.columns:
        assert column.doc.endswith(".")
        parse_ucd(column.ucd, check_controlled_vocabulary=True, has_colon=False)
        assert not column.unit or u.Unit(column.unit, format="vounit")
    assert set(RAW_ARCHIVE__REQUEST.key) <= set(RAW_ARCHIVE__REQUEST.columns_by_name)


def test_a_name_that_is_no_folder_is_refused_by_the_table_alone(lake, raw):
    one = record("a", [1])
    one.service = "a service"
    raw.write(one)
    with pytest.raises(BadInput, match="may hold only letters"):
        write_ledger(lake, "r1")
