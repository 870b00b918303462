"""Rows by id, nulls as NaN, hashes of 64 bits: against plain Python."""

import numpy as np
import pyarrow as pa
import pytest

from schemas.arrays import GOLDEN, align, align_all, floats, look_up, splitmix64


@pytest.mark.parametrize("n_known", [0, 1, 50])
@pytest.mark.parametrize("in_order", [True, False])
def test_each_id_finds_its_row_or_minus_one(n_known, in_order):
    rng = np.random.default_rng(n_known)
    known = np.unique(rng.integers(2**62, 2**62 + 100, n_known))  # neighbours that a float64 could not tell apart
    known = known if in_order else rng.permutation(known)
    ids = rng.integers(2**62, 2**62 + 100, 30)
    assert align(ids, known).tolist() == [known.tolist().index(i) if i in known.tolist() else -1 for i in ids.tolist()]


def test_of_equal_ids_the_first_counts():
    assert align(np.array([7, 5]), np.array([5, 7, 7, 5])).tolist() == [1, 0]


def test_an_absent_id_is_refused_with_a_count():
    assert align_all(np.array([3, 1]), np.array([1, 2, 3]), "core_sample__epoch").tolist() == [2, 0]
    with pytest.raises(ValueError, match="core_sample__epoch: 2 of 3 sources have no row"):
        align_all(np.array([3, 9, 8]), np.array([1, 2, 3]), "core_sample__epoch")


@pytest.mark.parametrize("kind", [pa.float32(), pa.int32(), pa.float64()])
def test_null_becomes_nan(kind):
    column = pa.array([1, None, 3], kind)
    for values in (floats(column), floats(pa.chunked_array([column[:1], column[1:]]))):
        assert values.dtype == np.float64
        np.testing.assert_array_equal(values, [1, np.nan, 3])


def test_splitmix64_is_the_published_generator():
    """First outputs of the reference implementation from the state 1234567 (Vigna, splitmix64.c)."""
    state = np.uint64(1234567) + GOLDEN * np.arange(1, 6, dtype=np.uint64)
    published = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]
    assert splitmix64(state).tolist() == published
    assert int(splitmix64(state[0])) == published[0]


def test_values_are_looked_up_by_id_and_null_where_there_is_none():
    ids, known = pa.chunked_array([[3, 1], [9]]), pa.chunked_array([[1, 3], [1]])
    values = look_up(ids, known, pa.chunked_array([["a", "b", "second of 1"]]))
    assert values.to_pylist() == ["b", "a", None]
    assert look_up(ids, known.slice(0, 0), pa.chunked_array([], pa.string())).to_pylist() == [None] * 3
