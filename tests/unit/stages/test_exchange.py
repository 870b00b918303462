"""The exchange asks for what is missing, once, in requests of fixed borders, and gives the rows that were asked for."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lakehouse.answers.raw import RawStore
from tasks.archives.errors import ArchiveError
from tasks.stages.acquire.exchange import Exchange
from tests.unit.stages.archive_stand_ins import (
    QUICK,
    InProcess,
    answer_about,
    exchange,
    items,
    pairs,
    question,
    read,
    rows_about,
)


def test_only_what_is_missing_is_asked_and_the_rows_are_those_asked_for(tmp_path):
    client = InProcess()
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(), items(range(25)))) == rows_about(range(25))
        assert sorted(map(len, client.asked)) == [5, 10, 10]
        assert pairs(ask(question(), items([7, 3, 7, 21]))) == rows_about([3, 7, 21])  # unsorted, one of them twice
        assert len(client.asked) == 3
        assert pairs(ask(question(), items([*range(20, 31), 2]))) == rows_about([2, *range(20, 31)])
        # In the list of all 12 asked for, ids 25 to 28 lie within the first ten and 29, 30 in the rest.
        assert sorted(client.asked[3:]) == [[25, 26, 27, 28], [29, 30]]
        assert ask.counts()["vo"] == {
            "requests": 5, "retries": 0, "stored": 4, "bytes": sum(len(answer_about(ids)) for ids in client.asked),
            "rows": len(rows_about(range(31))),
        }  # fmt: skip
    silent = InProcess()
    with exchange(tmp_path, silent) as again:  # another program, later
        assert pairs(again(question(), items(range(31)))) == rows_about(range(31))
    assert silent.asked == []


def test_what_another_service_has_answered_is_not_asked_of_its_successor(tmp_path):
    """Not even where it is gone: an answer of it that was damaged is asked of the successor."""
    old, new = InProcess(), InProcess()
    clients, limits = {"vo": old, "tap": new}, {"vo": QUICK, "tap": QUICK}
    raw = RawStore(tmp_path / "lake")
    with Exchange(raw, clients, limits, tmp_path / "limits", "here", "r1") as ask:
        successor = question(service="tap", same_as=question())
        ask(question(), items(range(20)))
        n_old = len(old.asked)
        assert pairs(ask(successor, items(range(5, 25)))) == rows_about(range(5, 25))
        assert len(old.asked) == n_old and new.asked == [[20, 21, 22, 23, 24]]
        (first, _) = raw.records("vo", question().identity("here"))
        next(raw.folder.glob(f"blobs/*/{first.content}*")).write_bytes(b"damaged")
    with Exchange(raw, clients, limits, tmp_path / "limits", "here", "r1") as ask:
        assert pairs(ask(successor, items(range(25)))) == rows_about(range(25))
    assert len(old.asked) == n_old and sorted(new.times_asked) == [*first.item_hashes, *range(20, 25)]
    assert set(new.times_asked.values()) == {1}


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 60), max_size=40), min_size=1, max_size=5),
    st.integers(1, 15),
    st.one_of(st.none(), st.integers(1, 15)),
)
def test_however_items_are_asked_for_each_is_fetched_once(tmp_path_factory, lists, chunk, own_chunk):
    folder, client = tmp_path_factory.mktemp("law"), InProcess()
    with exchange(folder, client, replace(QUICK, chunk=chunk)) as ask:
        for ids in lists:
            rows = ask(question(chunk=own_chunk), items(ids))
            assert (pairs(rows) if ids else rows.num_rows) == (rows_about(ids) if ids else 0)
    assert client.times_asked == dict.fromkeys({i for ids in lists for i in ids}, 1)
    assert all(len(ids) <= min(chunk, own_chunk or chunk) for ids in client.asked)


def test_another_release_parameter_or_sky_is_another_question(tmp_path):
    client = InProcess()
    for endpoint, changed in [("here", {}), ("here", {"release": "dr2"}), ("here", {"parameters": {"band": "G"}}),
                              ("there", {}), ("here", {"text": "more about {items}"})]:  # fmt: skip
        with exchange(tmp_path, client, endpoint=endpoint) as ask:
            ask(question(**changed), items([1]))
    assert len(client.asked) == 5
    with exchange(tmp_path, client) as ask:  # but a changed reader is not
        rows = ask(question(read=lambda answer: read(answer).append_column("one", pa.array([1]))), items([1]))
    assert rows.column_names == ["id", "value", "one"] and len(client.asked) == 5


def test_items_with_positions_are_asked_again_where_they_moved(tmp_path):
    client = InProcess()
    place = pa.table({"id": [1, 2, 4], "ra": [10.0, 20.0, None], "name": ["a", None, "c"], "good": [True, False, None]})
    moved = place.set_column(1, "ra", pa.array([10.0, 20.5, None]))
    with exchange(tmp_path, client) as ask:
        assert pairs(ask(question(is_upload=True), place)) == rows_about([1, 2, 4])
        assert pairs(ask(question(is_upload=True), moved.select(["ra", "id", "good", "name"]))) == rows_about([1, 2, 4])
        assert client.asked == [[1, 2, 4], [2]]
        with pytest.raises(ValueError, match="vo: 1 items share their id with one that differs from them"):
            ask(question(is_upload=True), pa.concat_tables([place, moved]))
        with pytest.raises(ValueError, match="vo: 1 of 2 items have no id"):
            ask(question(), pa.table({"id": [1, None]}))


def test_ids_of_text_and_answers_of_another_type(tmp_path):
    class Named(InProcess):
        def ids(self, table):
            return [int(name) for name in table["id"].to_pylist()]

    names = pa.table({"id": ["10", "7", "8", "7"]})
    with exchange(tmp_path, Named()) as ask:
        rows = ask(question(), names)
        assert sorted(pairs(rows)) == rows_about([7, 8, 10])
        assert sorted(pairs(ask(question(), names.slice(1, 1)))) == rows_about([7])


def test_ranges_are_a_request_each_and_their_answers_follow_in_order(tmp_path):
    client = InProcess()
    ranges = pa.table({"lo": [10, 0, 20], "hi": [14, 4, 29]})
    with exchange(tmp_path, client) as ask:
        rows = ask(question(None), pa.concat_tables([ranges, ranges.slice(1, 1)]))
        assert pairs(rows) == rows_about(range(10, 15)) + rows_about(range(5)) + rows_about(range(20, 30))
        assert len(client.asked) == 3
        assert pairs(ask(question(None), ranges.slice(1, 1))) == rows_about(range(5))
    with exchange(tmp_path, client, offline=True) as ask:
        assert pairs(ask(question(None), ranges)) == pairs(rows)
    assert len(client.asked) == 3


def test_offline_no_client_is_opened_and_the_sentence_counts_what_is_missing(tmp_path):
    with exchange(tmp_path, InProcess()) as ask:
        ask(question(), items(range(10)))
    with exchange(tmp_path, None, offline=True) as ask:
        assert pairs(ask(question(), items([5, 4]))) == rows_about([4, 5])
        with pytest.raises(ArchiveError, match=r"vo: 3 of 5 items were never answered .*run without --offline"):
            ask(question(), items([8, 9, 10, 11, 12]))


def test_without_limits_or_a_client_nothing_is_asked(tmp_path):
    with exchange(tmp_path, InProcess()) as ask, pytest.raises(ArchiveError, match="No limits are known for tap"):
        ask(question(service="tap"), items([1]))
    with exchange(tmp_path, None) as ask, pytest.raises(ArchiveError, match="There is no client for vo"):
        ask(question(), items([1]))


def test_no_items_are_no_request(tmp_path):
    client = InProcess()
    with exchange(tmp_path, client) as ask:
        assert ask(question(), items([])).num_rows == 0
        assert ask(question(None), pa.table({"lo": pa.array([], pa.int64())})).num_rows == 0
    assert client.asked == []


def test_threads_that_want_the_same_items_share_one_request(tmp_path):
    client = InProcess(delay=0.005)
    wanted = [range(5 * k, 5 * k + 30) for k in range(8)]
    with exchange(tmp_path, client, replace(QUICK, parallel=4)) as ask, ThreadPoolExecutor(8) as callers:
        together = threading.Barrier(8)

        def call(ids):
            together.wait()
            return pairs(ask(question(), items(ids)))

        answers = list(callers.map(call, wanted))
        counts = ask.counts()["vo"]
    assert answers == [rows_about(ids) for ids in wanted]
    assert set(client.times_asked.values()) == {1} and len(client.times_asked) == 65
    assert counts["requests"] == len(client.asked) and counts["retries"] == 0


def test_an_answer_is_read_once_when_it_comes_and_once_when_it_is_wanted_again(tmp_path):
    seen = []

    def counted(answer):
        seen.append(threading.current_thread())
        return read(answer)

    with exchange(tmp_path, InProcess()) as ask:
        ask(question(read=counted), items(range(30)))
        assert len(seen) == 3
        ask(question(read=counted), items(range(20)))
        assert len(seen) == 5 and seen[3:] == [threading.current_thread()] * 2


def test_the_exchange_costs_a_request_little(tmp_path):
    """10,000 items in 250 requests. Processor time, the best of five parts: others use the machine and its disk too."""
    client, a_request, an_answer = InProcess(), [], []
    with exchange(tmp_path, client, replace(QUICK, chunk=40)) as ask:
        for start in range(0, 10_000, 2000):
            for seconds in (a_request, an_answer):
                began = time.process_time()
                assert ask(question(), items(np.arange(start, start + 2000))).num_rows > 0
                seconds.append((time.process_time() - began) / 50)
    assert len(client.asked) == 250
    assert min(a_request) < 0.02 and min(an_answer) < 0.01, f"{min(a_request):.5f} and {min(an_answer):.5f} s"


def test_a_closed_exchange_asks_nothing(tmp_path):
    with exchange(tmp_path, InProcess()) as ask:
        ask(question(), items([1]))
    with pytest.raises(ArchiveError, match="closed"):
        ask(question(), items([2]))
