"""Columns of somebody else's file as ours: text and numbers exactly, the rest refused in one sentence."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from tasks.folder.columns import as_floats, check_schema, read_columns, require_id, require_number

LONG = 2**60 + 1  # a float64 would lose its last digit


@pytest.fixture
def file(tmp_path):
    """A file with a dot in one of its columns' names."""
    pq.write_table(pa.table({"id": [1, 2], "mag.v": [15.0, 16.0], "other": ["x", "y"]}), tmp_path / "t.parquet")
    return tmp_path / "t.parquet"


def write(folder, **columns):
    """A file with these columns."""
    pq.write_table(pa.table(columns), folder / "t.parquet")
    return folder / "t.parquet"


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        ([LONG, None], pa.int64(), [str(LONG), None]),
        ([3.0, np.nan], pa.float64(), ["3", None]),
        ([3.5, np.inf], pa.float64(), ["3.5", None]),
        (["a", " b\t"], pa.large_string(), ["a", "b"]),
        ([b"a", b"b \0"], pa.binary(), ["a", "b"]),
        (["a", "b"], pa.dictionary(pa.int8(), pa.string()), ["a", "b"]),
    ],
)
def test_text_is_exact_and_without_padding(tmp_path, values, kind, words):
    file = write(tmp_path, a=pa.array(values, kind))
    assert read_columns(file, words={"word": "a"})["word"].to_pylist() == words
    assert read_columns(file, ids={"id": "a"})["id"].to_pylist() == words


def test_numbers_are_float64_with_nan_for_null(tmp_path):
    file = write(tmp_path, a=pa.array([1, None, 2**53 + 1], pa.int64()))
    values = as_floats(read_columns(file, numbers={"a": "a"})["a"])
    assert values.dtype == np.float64 and values[0] == 1 and np.isnan(values[1]) and values[2] == 2.0**53


def test_numbers_written_as_text_are_numbers(tmp_path):
    file = write(tmp_path, a=[" 15.25 ", "--", "", "nan", "1e2", None], b=pa.array([b"1", b"?"] * 3))
    table = read_columns(file, numbers={"a": "a", "b": "b"})
    np.testing.assert_array_equal(as_floats(table["a"]), [15.25, np.nan, np.nan, np.nan, 100, np.nan])
    np.testing.assert_array_equal(as_floats(table["b"]), [1, np.nan] * 3)


def test_text_that_is_no_number_is_counted_with_an_example(tmp_path):
    file = write(tmp_path, a=["15.2", "hot", "cool", "--", None])
    with pytest.raises(BadInput, match=r"column 'a' is string, but it must be a number \(2 of 3 values .*'(hot|co)"):
        read_columns(file, numbers={"a": "a"})
    read_columns(write(tmp_path, a=["15.2", "hot", "--", None]), numbers={"a": "a"})


def test_what_is_masked_is_null(tmp_path):
    """As astropy writes masked columns: NAME.mask beside NAME, and any value under the mask."""
    mask = pa.array([False, True, None])
    file = write(tmp_path, a=[1, 2, 3], b=["x", "y", "z"], **{"a.mask": mask, "b.mask": mask})
    table = read_columns(file, ids={"id": "a"}, words={"word": "b"}, numbers={"number": "a"})
    assert table.to_pydict() == {"id": ["1", None, "3"], "word": ["x", None, "z"], "number": [1, None, 3]}


def test_a_mask_that_is_no_truth_value_is_none(tmp_path):
    file = write(tmp_path, a=[1, 2], **{"a.mask": [0, 1]})
    assert read_columns(file, numbers={"a": "a"})["a"].to_pylist() == [1, 2]


def test_only_the_wanted_columns_are_read_under_their_roles(file):
    table = read_columns(file, ids={"object": "id"}, numbers={"mag": "mag.v"})
    assert table.to_pydict() == {"object": ["1", "2"], "mag": [15.0, 16.0]}


def test_a_missing_column_is_named_with_the_nearest(file):
    with pytest.raises(BadInput, match=r"no column 'othr' \(label\); it has id, mag.v, other.*Did you mean 'other'"):
        check_schema(file, {"label": "othr"})


def test_names_match_exactly_and_one_that_stands_twice_is_refused(tmp_path):
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"MAG": [20.5], "mag": [15.0]}), file)
    assert read_columns(file, numbers={"mag": "mag", "Mag": "MAG"}).to_pydict() == {"mag": [15.0], "Mag": [20.5]}
    with pytest.raises(BadInput, match="no column 'Mag'"):
        read_columns(file, numbers={"mag": "Mag"})
    pq.write_table(pa.table([[1.0], [2.0]], ["mag", "mag"]), file)
    with pytest.raises(BadInput, match=r"more than one column 'mag' \(lightcurves.mag\)"):
        check_schema(file, {"lightcurves.mag": "mag"})


@pytest.mark.parametrize("kind", [pa.float64(), pa.bool_(), pa.date32(), pa.list_(pa.float32())])
def test_an_id_is_text_or_whole(kind):
    with pytest.raises(BadInput, match="but ids must be text or whole numbers"):
        require_id(kind, "t")
    require_id(pa.dictionary(pa.int8(), pa.string()), "t")
    require_id(pa.uint64(), "t")
    require_id(pa.binary(8), "t")


@pytest.mark.parametrize("kind", [pa.time32("s"), pa.bool_(), pa.date32()])
def test_a_number_is_a_number_or_text_or_nothing_at_all(kind):
    with pytest.raises(BadInput, match="but it must be a number"):
        require_number(kind, "t")
    for good in (pa.int8(), pa.float16(), pa.decimal128(5, 2), pa.null(), pa.list_(pa.float32()), pa.string()):
        require_number(good, "t")
