"""Rendering of ADQL templates: typed literals, and nothing else, enter a query."""

import math

import pyarrow as pa
import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from tasks.archives.adql import item_list, literal, render
from tasks.archives.errors import BadQuestion

IDS = pa.table({"source_id": pa.array([1, -2, 2**62], pa.int64())})
QUERY = "SELECT * FROM t WHERE id IN {items}"


def test_integers_stand_in_a_list():
    assert render(QUERY, IDS, "source_id", {}) == f"SELECT * FROM t WHERE id IN (1,-2,{2**62})"


def test_texts_stand_in_quotes_which_are_doubled():
    items = pa.table({"id": ["a", "b'c", "{lo}"]})
    assert render(QUERY, items, "id", {"lo": "7"}) == "SELECT * FROM t WHERE id IN ('a','b''c','{lo}')"


@given(st.lists(st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"])), min_size=1, max_size=5))
def test_no_text_escapes_from_its_literal(texts):
    printable = [text for text in texts if text.isprintable()]
    if not printable:
        return
    parsed = sqlglot.parse_one(
        f"SELECT 1 FROM t WHERE id IN {item_list(pa.table({'id': printable}), 'id')}", read="trino"
    )
    assert [found.this for found in parsed.find(exp.In).expressions] == printable


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**63), 2**63 - 1))
def test_numbers_keep_their_value(number):
    assert type(number)(literal(number)) == number


def test_ranges_stand_where_their_names_do():
    items = pa.table({"lo": pa.array([5], pa.int64()), "hi": pa.array([9], pa.int64())})
    text = "SELECT * FROM t WHERE id BETWEEN {lo} AND {hi} AND m < {limit} AND c = {column}"
    rendered = render(text, items, None, {"limit": "20.5", "column": "t.flag"})
    assert rendered == "SELECT * FROM t WHERE id BETWEEN 5 AND 9 AND m < 20.5 AND c = t.flag"


def test_a_range_is_one_item():
    items = pa.table({"lo": [1, 2], "hi": [3, 4]})
    with pytest.raises(BadQuestion, match="2 items: set the question's chunk to 1"):
        render("SELECT {lo} {hi}", items, None, {})


@pytest.mark.parametrize(
    "value", ["1; DROP TABLE t", "a b", "'x'", "nan", "inf", "1e999", "x--", "", "a.b.", "1.2.3", "f()"]
)
def test_parameters_are_numbers_or_names(value):
    with pytest.raises(BadQuestion):
        render("SELECT {x}", IDS, None, {"x": value})


@pytest.mark.parametrize(
    ("text", "items", "key"),
    [
        ("SELECT {unknown}", IDS, None),
        ("SELECT {", IDS, None),
        ("SELECT {a b}", IDS, None),
        ("SELECT {{items}}", IDS, "source_id"),
        (QUERY, IDS, None),
        (QUERY, IDS, "other"),
        (QUERY, IDS.slice(0, 0), "source_id"),
        (QUERY, pa.table({"id": [1, None]}), "id"),
        (QUERY, pa.table({"id": [1.5]}), "id"),
        (QUERY, pa.table({"id": ["a\nb"]}), "id"),
        ("SELECT {lo}", pa.table({"lo": [math.nan]}), None),
    ],
)
def test_what_cannot_be_rendered_is_a_bad_question(text, items, key):
    with pytest.raises(BadQuestion):
        render(text, items, key, {})
