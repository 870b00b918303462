import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.delta.keys import find_duplicates, find_matches, sort_rows

rows = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["a", "b", "δ Sct", None])), max_size=20)


def table(pairs):
    return pa.table(
        {"n": pa.array([p[0] for p in pairs], pa.int64()), "s": pa.array([p[1] for p in pairs], pa.string())}
    )


@given(rows)
def test_sort_is_the_sort_of_tuples_and_stable(pairs):
    marked = table(pairs).append_column("place", pa.array(np.arange(len(pairs))))
    found = sort_rows(marked, ["s", "n"])["place"].to_pylist()
    assert found == sorted(range(len(pairs)), key=lambda i: (pairs[i][1] is not None, pairs[i][1] or "", pairs[i][0]))


@given(rows)
def test_duplicates_are_all_but_the_first(pairs):
    expected = [pair in pairs[:i] for i, pair in enumerate(pairs)]
    assert find_duplicates(table(pairs), ["n", "s"]).tolist() == expected


@given(rows, rows)
def test_matches_is_membership(pairs, others):
    assert find_matches(table(pairs), table(others), ["n", "s"]).tolist() == [pair in others for pair in pairs]


@given(rows, rows)
def test_matches_of_keys_with_an_id_is_membership_too(pairs, others):
    named, other = (table(which).rename_columns(["source_id", "s"]) for which in (pairs, others))
    assert find_matches(named, other, ["source_id", "s"]).tolist() == [pair in others for pair in pairs]
    ids = [pair[0] for pair in others]
    assert find_matches(named, other, ["source_id"]).tolist() == [pair[0] in ids for pair in pairs]


def test_sorted_rows_are_not_copied():
    sorted_table = pa.table({"n": [1, 2, 3]})
    assert sort_rows(sorted_table, ["n"]) is sorted_table
