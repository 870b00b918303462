"""Which rows a filter takes, and which files it lets a reader skip."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.delta.files import DataFile
from lakehouse.delta.filters import select_partition, select_touched, to_expression
from schemas import TABLES, BadInput

SOURCE = TABLES["core_sample__source"]
TABLE = pa.table({"name": ["a", "b", "c", None], "n": [1, 2, 3, 4]})
FILES = [DataFile(f"{dataset}{tile}", 1, 1, {"dataset": dataset, "tile": str(tile)})
         for dataset in ("demo", "other") for tile in (0, 1)]  # fmt: skip


def rows(where):
    expression = to_expression(where)
    return (TABLE if expression is None else TABLE.filter(expression))["n"].to_pylist()


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, [1, 2, 3, 4]),
        ({}, [1, 2, 3, 4]),
        ({"name": "b"}, [2]),
        ({"name": ["a", "c"]}, [1, 3]),
        ({"name": {"a", "c"}}, [1, 3]),
        ({"n": (2, 4)}, [2, 4]),
        ({"n": np.array([1, 9])}, [1]),
        ({"n": pa.array([4])}, [4]),
        ({"n": pa.chunked_array([[1], [2]])}, [1, 2]),
        ({"name": ["a", "b"], "n": [2, 3]}, [2]),
        ({"n": np.array([], np.int64)}, []),
        (pc.field("n") > 2, [3, 4]),
    ],
)
def test_a_value_many_values_or_an_expression(where, expected):
    assert rows(where) == expected


@pytest.mark.parametrize(
    ("partition", "paths"),
    [
        ({}, ["demo0", "demo1", "other0", "other1"]),
        ({"dataset": "demo"}, ["demo0", "demo1"]),
        ({"tile": 1}, ["demo1", "other1"]),
        ({"dataset": "other", "tile": 0}, ["other0"]),
        ({"dataset": "absent"}, []),
    ],
)
def test_files_of_one_partition(partition, paths):
    assert [file.path for file in select_partition(SOURCE, FILES, partition)] == paths


def test_a_column_that_is_no_partition_is_refused():
    with pytest.raises(ValueError, match="is not partitioned by 'ra', but by dataset, tile"):
        select_partition(SOURCE, FILES, {"ra": 1.0})
    with pytest.raises(BadInput, match="may hold only letters"):
        select_partition(SOURCE, FILES, {"dataset": "../demo"})


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 5)), max_size=8), st.sets(st.integers(-12, 12)))
def test_the_files_touched_are_those_whose_span_holds_an_id(spans, wanted):
    files = [DataFile(str(i), 1, 1, {}, low, low + width) for i, (low, width) in enumerate(spans)]
    found = select_touched(files, np.array(sorted(wanted), np.int64))
    assert found == [file for file in files if any(file.lowest <= i <= file.highest for i in wanted)]


def test_a_file_without_a_span_may_hold_any_id():
    assert select_touched([FILES[0]], np.array([5])) == [FILES[0]]
    assert select_touched([DataFile("p", 1, 1, {}, 3, 4)], None) != []
