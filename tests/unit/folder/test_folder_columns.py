"""Columns of somebody else's file as ours: text and numbers exactly, the rest refused in one sentence."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from tasks.folder.columns import (
    check_schema,
    numbers,
    read_columns,
    require_id,
    require_number,
    text,
)

LONG = 2**60 + 1  # a float64 would lose its last digit


def column(values, kind=None):
    """A column in one chunk."""
    return pa.chunked_array([pa.array(values, kind)])


@pytest.fixture
def file(tmp_path):
    """A file with a dot in one of its columns' names."""
    pq.write_table(pa.table({"id": [1, 2], "mag.v": [15.0, 16.0], "other": ["x", "y"]}), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([LONG, None], pa.int64(), [str(LONG), None]),
        ([3.0, np.nan], pa.float64(), ["3", None]),
        ([3.5, np.inf], pa.float64(), ["3.5", None]),
        (["a", ""], pa.large_string(), ["a", ""]),
        (["a", "b"], pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
    ],
)
def test_text_is_exact(values, kind, words):
    assert text(column(values, kind)).to_pylist() == words


def test_numbers_are_float64_with_nan_for_null():
    values = numbers(column([1, None, 2**53 + 1], pa.int64()))
    assert values.dtype == np.float64 and values[0] == 1 and np.isnan(values[1]) and values[2] == 2.0**53


def test_only_the_wanted_columns_are_read_under_their_roles(file):
    table = read_columns(file, {"object": "id", "mag": "mag.v"})
    assert table.to_pydict() == {"object": [1, 2], "mag": [15.0, 16.0]}


def test_a_missing_column_is_named_with_the_nearest(file):
    with pytest.raises(BadInput, match=r"no column 'othr' \(label\); it has id, mag.v, other.*Did you mean 'other'"):
        check_schema(file, {"label": "othr"})


def test_names_match_exactly_and_one_that_stands_twice_is_refused(tmp_path):
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"MAG": [20.5], "mag": [15.0]}), file)
    assert read_columns(file, {"mag": "mag", "other": "MAG"}).to_pydict() == {"mag": [15.0], "other": [20.5]}
    with pytest.raises(BadInput, match="no column 'Mag'"):
        read_columns(file, {"mag": "Mag"})
    pq.write_table(pa.table([[1.0], [2.0]], ["mag", "mag"]), file)
    with pytest.raises(BadInput, match=r"more than one column 'mag' \(lightcurves.mag\)"):
        check_schema(file, {"lightcurves.mag": "mag"})


@pytest.mark.parametrize("kind", [pa.float64(), pa.bool_(), pa.date32(), pa.list_(pa.float32())])
def test_an_id_is_text_or_whole(kind):
    with pytest.raises(BadInput, match="but ids must be text or whole numbers"):
        require_id(kind, "t")
    require_id(pa.dictionary(pa.int8(), pa.string()), "t")
    require_id(pa.uint64(), "t")


@pytest.mark.parametrize("kind", [pa.string(), pa.bool_(), pa.date32()])
def test_a_number_is_a_number_or_nothing_at_all(kind):
    with pytest.raises(BadInput, match="but it must be a number"):
        require_number(kind, "t")
    for good in (pa.int8(), pa.float16(), pa.decimal128(5, 2), pa.null(), pa.list_(pa.float32())):
        require_number(good, "t")
