"""What a cell says: the same word whatever the type of its column, and nothing where words say so."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.values import (
    BLANKS,
    NOTHING,
    find_mask,
    identity,
    is_bytes,
    is_list,
    is_nothing,
    is_text,
    number,
    read_words,
    unmask,
    value_type,
)

WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BLANKS))


def take(expression, *values, kind=None):
    """What the SQL of `expression` makes of each of `values`."""
    column = pa.array(values, kind)
    with duckdb.connect() as con:
        con.register("given", pa.table({"cell": column}))
        return [row[0] for row in con.execute(f"SELECT {expression('cell', column.type)} FROM given").fetchall()]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(5, 2)])
def test_whole_numbers_are_the_same_word_in_every_type(kind):
    from decimal import Decimal

    values = [Decimal(value) for value in (1, 0, 12)] if pa.types.is_decimal(kind) else [1, 0, 12]
    assert read_words(pa.array([*values, None], kind)) == ["1", "0", "12", None]


@pytest.mark.parametrize(("value", "word"), [
    (float("nan"), None), (float("inf"), None), (-0.0, "0"), (1.5, "1.5"), (2.0**60, "1.152921504606847e+18"),
])  # fmt: skip
def test_other_floats_are_as_short_as_can_be(value, word):
    assert read_words(pa.array([value])) == [word]


@pytest.mark.parametrize("kind", [
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary(4),
])  # fmt: skip
def test_text_and_bytes_are_the_same_word(kind):
    assert is_text(kind)
    padded = ["RR  ", "EA\0\0", "\t b\n", "    "]
    values = [each.encode() for each in padded] if is_bytes(kind) else padded
    assert read_words(pa.array(values, kind)) == ["RR", "EA", "b", ""]


def test_bytes_of_another_alphabet_are_escaped():
    assert read_words(pa.array([b"caf\xe9", "é".encode()])) == ["caf\\xE9", "é"]


def test_words_of_a_dictionary():
    assert read_words(pa.array(["a ", None, "b"]).dictionary_encode()) == ["a", None, "b"]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BLANKS))), st.text(BLANKS, max_size=3)
)
def test_blanks_around_a_word_never_matter(words, blanks):
    assert read_words(pa.array([blanks + word + blanks for word in words], pa.string())) == words


@pytest.mark.parametrize("word", [*NOTHING, "NaN", "None", "N/A", " -- ", "NULL", "\0"])
def test_words_for_nothing_are_no_ids(word):
    assert is_nothing(word)
    assert take(identity, word, f"{word}1") == [None, f"{word}1".strip(BLANKS)]


@pytest.mark.parametrize("word", ["0", "RR", "Nanette", "no", "none of these", "???"])
def test_other_words_are_ids(word):
    assert not is_nothing(word) and take(identity, word) == [word]


def test_a_number_is_an_id_by_its_digits():
    assert take(identity, 2**60 + 1, None, kind=pa.int64()) == [str(2**60 + 1), None]


def test_numbers_in_text_are_read_and_all_else_is_null():
    assert take(number, "15.25", " 1e2 ", "-3", "", "--", "?", "12:30:00", "15,2", None) == [
        15.25, 100, -3, *[None] * 6
    ]  # fmt: skip
    assert take(number, b"1.5", b"x", kind=pa.binary()) == [1.5, None]
    assert take(number, True, False) == [1, 0]


def test_a_mask_is_the_column_beside():
    schema = pa.schema(
        [("a", pa.int8()), ("a.mask", pa.bool_()), ("b.mask", pa.list_(pa.bool_())), ("c.mask", pa.int8())]
    )
    assert [find_mask(name, schema) for name in "abcd"] == ["a.mask", "b.mask", None, None]
    assert unmask("x", None) == "x"
    masked = ", ".join(unmask("1", mask) for mask in ("true", "false", "NULL"))
    with duckdb.connect() as con:
        assert con.execute(f"SELECT {masked}").fetchall() == [(None, 1, 1)]


@pytest.mark.parametrize("kind", [pa.list_(pa.int32()), pa.large_list(pa.int32()), pa.list_(pa.int32(), 2)])
def test_lists_hold_the_type_of_their_items(kind):
    assert is_list(kind) and value_type(kind) == pa.int32() and not is_list(value_type(kind))


def test_words_of_a_dictionary_have_their_type():
    assert value_type(pa.list_(pa.dictionary(pa.int8(), pa.string()))) == pa.string()
