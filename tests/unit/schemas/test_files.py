"""What a file says of itself: its columns, and the values of those that have few."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas import BadInput
from schemas.files import column_names, find_few_values, holds_numbers, parquet_schema


@pytest.mark.parametrize("read", [column_names, parquet_schema])
def test_a_file_that_is_missing_or_no_parquet_is_refused(tmp_path, read):
    with pytest.raises(BadInput, match=r"There is no x.parquet in"):
        read(tmp_path / "x.parquet")
    (tmp_path / "x.parquet").write_text("id,mag\n")
    with pytest.raises(BadInput, match=r"x.parquet cannot be read as Parquet .*: write it again\.$"):
        read(tmp_path / "x.parquet")


@pytest.fixture
def file(tmp_path):
    """Columns of one to five values in several forms, in row groups of three."""
    columns = {
        "text": pa.array(["r", "g", "r", None, "g", "g"]),
        "a.b": pa.array([2, 1, 2, None, 3, 3], pa.int8()),
        "words": pa.array(["x"] * 6).dictionary_encode(),
        "lists": pa.array([["r", "g"], ["r"], [], None, ["i"], ["z", "y"]], pa.large_list(pa.string())),
        "TEXT": pa.array(["R"] * 6),
    }
    pq.write_table(pa.table(columns), tmp_path / "t.parquet", row_group_size=3)
    return tmp_path / "t.parquet"


def test_few_values_are_sorted_text_and_columns_with_more_are_left_out(file):
    names = ["text", "a.b", "words", "lists", "TEXT"]
    found = {"text": ("g", "r"), "a.b": ("1", "2", "3"), "words": ("x",), "TEXT": ("R",)}
    assert find_few_values(file, names, 5) == found | {"lists": ("g", "i", "r", "y", "z")}
    assert find_few_values(file, names, 3) == found
    assert find_few_values(file, ["lists"], 1) == {} == find_few_values(file, [], 1)


def test_text_holds_numbers_where_most_of_its_words_are_some(tmp_path):
    columns = {"a": ["1.5", "--", "2", None], "b": ["12:30:45", "1.5", "1:2:3", ""], "c": [1, 2, 3, 4], "d": [None] * 4}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert [holds_numbers(tmp_path / "t.parquet", name) for name in "abcd"] == [True, False, True, True]


def test_a_name_that_stands_twice_is_left_to_the_reader(tmp_path):
    twins = pa.Table.from_arrays([pa.array(["a"]), pa.array([1.0])], names=["ra", "ra"])
    pq.write_table(twins, tmp_path / "t.parquet")
    assert holds_numbers(tmp_path / "t.parquet", "ra")


def test_what_is_masked_or_says_nothing_is_no_value(tmp_path):
    mask = [False, True, False, False]
    columns = {"a": ["g", "0", "nan", "r "], "a.mask": mask, "b": pa.array([1.0, 9.0, None, 2.0]), "b.mask": mask}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    assert find_few_values(tmp_path / "t.parquet", ["a", "b"], 2) == {"a": ("g", "r"), "b": ("1", "2")}


def test_a_damaged_file_is_one_sentence(tmp_path):
    file = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": np.arange(20_000)}), file, compression="none", use_dictionary=False)
    content = bytearray(file.read_bytes())
    content[4:400] = b"\xff" * 396
    file.write_bytes(content)
    with pytest.raises(BadInput, match=r"t\.parquet cannot be read as Parquet"):
        find_few_values(file, ["x"], 3)
