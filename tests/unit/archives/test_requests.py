"""Requests are cut at fixed places, halved the same way every time, and named by all that they ask."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.archives.question import Question
from tasks.archives.request import Request, cut, distinct, hash_items

BY_ID = Question("vo", "about {items}", "dr1", bytes, key="id")
BY_RANGE = Question("vo", "from {lo} to {hi}", "dr1", bytes)


def one(question, items):
    return Request(question, "0" * 32, items, hash_items(items, question.key))


@given(st.sets(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=60), st.integers(1, 20), st.data())
def test_borders_do_not_depend_on_what_is_answered_already(ids, size, data):
    items, own = distinct(BY_ID, pa.table({"id": pa.array(sorted(ids), pa.int64())}))
    wanted = np.array(data.draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids))))
    whole = cut(BY_ID, "q", items, own, np.ones(len(ids), bool), size)
    assert [len(request) for request in whole[:-1]] == [size] * (len(whole) - 1)
    left = {tuple(request.item_hashes) for request in cut(BY_ID, "q", items, own, wanted, size)}
    keep = set(own[wanted].tolist())
    expected = {tuple(i for i in request.item_hashes.tolist() if i in keep) for request in whole} - {()}
    assert left == expected
    untouched = {request.key for request in whole if set(request.item_hashes.tolist()) <= keep}
    assert untouched <= {request.key for request in cut(BY_ID, "q", items, own, wanted, size)}


@given(st.integers(-(2**62), 2**62), st.integers(0, 2**61))
def test_the_halves_of_a_range_have_every_id_once(lo, width):
    hi = lo + width
    halves = one(BY_RANGE, pa.table({"lo": [lo], "hi": [hi], "score": [0.5]})).halves()
    if width == 0:
        assert halves is None
        return
    (a, b), (c, d) = ((h.items["lo"][0].as_py(), h.items["hi"][0].as_py()) for h in halves)
    assert (a, d) == (lo, hi) and c == b + 1 and a <= b and c <= d and abs((b - a) - (d - c)) <= 1
    assert halves[0].items["score"][0].as_py() == 0.5 and halves[0].key != halves[1].key


def test_what_cannot_be_divided_has_no_halves():
    assert one(BY_ID, pa.table({"id": [1]})).halves() is None
    assert one(BY_RANGE, pa.table({"cell": [1]})).halves() is None
    by_id_with_range = one(BY_ID, pa.table({"id": [1], "lo": [1], "hi": [9]}))
    assert by_id_with_range.halves() is None  # the range is about the item, not of ids


@pytest.mark.parametrize(
    "changed, is_same",
    [
        ({"ra": [10.0 * (1 + 1e-15), 20.0]}, True), ({"ra": [10.0 * (1 + 1e-9), 20.0]}, False),
        ({"ra": [20.0, 10.0]}, False), ({"ra": [None, 20.0]}, False), ({"band": ["g", "g"]}, False),
        ({"n": [1, 2]}, False), ({"good": [True, True]}, False), ({"n": pa.array([1, 1], pa.int32())}, True),
        ({"more": [1, 2]}, False),
    ],
)  # fmt: skip
def test_a_print_stands_for_the_whole_row(changed, is_same):
    columns = {"id": [1, 2], "ra": [10.0, 20.0], "band": ["g", "r"], "n": [1, 1], "good": [True, False]}
    old, new = hash_items(pa.table(columns), "id"), hash_items(pa.table(columns | changed), "id")
    assert np.array_equal(old, new) == is_same
    assert np.array_equal(old, hash_items(pa.table(dict(reversed(columns.items()))), "id"))


def test_prints_stay_the_same_from_version_to_version():
    table = pa.table({"id": [5853498713190525696, -1], "ra": [217.4, None], "band": ["g", None], "good": [True, None]})
    assert hash_items(table.select(["id"]), "id").tolist() == [5853498713190525696, -1]
    assert hash_items(table, "id").tolist() == [5557386142936525338, 1647684102958976935]
    assert one(BY_ID, table.select(["id"])).key == "5fcacb2ebd748e0200afae81d8b95c85"


def test_prints_do_not_collide_in_a_million_rows():
    n = 10**6
    table = pa.table({"id": np.arange(n) // 1000, "ra": np.arange(n) % 1000 * 1e-7})
    assert np.unique(hash_items(table, "id")).size == n
