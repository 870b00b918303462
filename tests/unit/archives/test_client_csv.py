"""Reading CSV answers: by name, with given types, nothing guessed."""

import io

import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.archives.csv import count_rows, read_csv
from tasks.archives.errors import BadQuestion, Retryable

AB = {"a": pa.int64(), "b": pa.float64()}


def test_columns_are_found_by_name_whatever_its_case_and_order():
    body = b'Extra,SOURCE_ID,Ra,"obj ID"\nx,9007199254740993,1.5,7\n'
    table = read_csv(body, {"ra": pa.float64(), "source_id": pa.int64(), "OBJ id": pa.int32()}, "It")
    assert table.to_pydict() == {"ra": [1.5], "source_id": [9007199254740993], "OBJ id": [7]}
    assert table.schema.types == [pa.float64(), pa.int64(), pa.int32()]


def test_empty_cells_are_null_whatever_the_type():
    body = b"a,b,c,d\n,,,\nnull,NaN,null,null\n1,2.5,true,x\n"
    table = read_csv(body, AB | {"c": pa.bool_(), "d": pa.string()}, "It")
    assert table.to_pydict() == {
        "a": [None, None, 1],
        "b": [None, None, 2.5],
        "c": [None, None, True],
        "d": [None, None, "x"],
    }


@pytest.mark.parametrize(("yes", "no"), [("true", "false"), ("True", "False"), ("t", "f"), ("1", "0"), ("T", "F")])
def test_booleans_as_archives_write_them(yes, no):
    table = read_csv(f"a\n{yes}\n{no}\n".encode(), {"a": pa.bool_()}, "It")
    assert table["a"].to_pylist() == [True, False]


@pytest.mark.parametrize("body", [b"a,b\n", b"a,b", b"a,b\r\n", b"\xef\xbb\xbfa,b\n"])
def test_a_header_alone_is_an_empty_table(body):
    assert read_csv(body, AB, "It").equals(pa.schema(list(AB.items())).empty_table())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\n <html><body>Down</body>", "a page instead of data"),
        (b'<?xml version="1.0"?><VOTABLE>', "a page instead of data"),
        (b"a,b\n1,2\n3", "broken"),
    ],
)
def test_what_is_no_csv_is_asked_again(body, words):
    with pytest.raises(Retryable, match=f"^The answer of x .*{words}"):
        read_csv(body, AB, "The answer of x")


def test_a_missing_column_is_named():
    with pytest.raises(BadQuestion, match="The answer of x lacks 1 of 2 columns, first 'b'; it has a, c"):
        read_csv(b"a,C\n1,2\n", AB, "The answer of x")


def test_a_column_that_is_there_twice_is_named():
    with pytest.raises(BadQuestion, match="first 'a'"):
        read_csv(b"a,b,A\n1,2,3\n", AB, "It")
    assert read_csv(b"x,a,b,x\n1,2,3,4\n", AB, "It").to_pydict() == {"a": [2], "b": [3.0]}


def test_a_value_of_another_type_is_named_with_its_column():
    with pytest.raises(BadQuestion, match=r"column 'b'.*'high'"):
        read_csv(b"c,a,b\n0,1,high\n", AB, "It")


@given(
    st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False) | st.none()), max_size=20),
    st.booleans(),
)
def test_values_survive_the_way_through_csv(rows, is_reversed):
    table = pa.table(
        {"a": pa.array([a for a, _ in rows], pa.int64()), "b": pa.array([b for _, b in rows], pa.float64())}
    )
    body = io.BytesIO()
    pyarrow.csv.write_csv(table.select(["b", "a"] if is_reversed else ["a", "b"]), body)
    assert read_csv(body.getvalue(), AB, "It").to_pydict() == table.to_pydict()
    assert count_rows(body.getvalue()) == len(rows)


def test_the_last_row_counts_without_its_line_break():
    assert [count_rows(body) for body in (b"a", b"a\n", b"a\n1", b"a\n1\n", b"")] == [0, 0, 1, 1, 0]
