"""What an answer must be like to be taken."""

import numpy as np
import pyarrow as pa
import pytest

from tasks.archives.errors import Retryable, TooMuch
from tasks.archives.question import Question
from tasks.archives.request import Request
from tasks.stages.acquire.checks import find_incomplete, refuse_foreign, refuse_miscounted


def part(items, **question):
    asked = Question("vo", "text", "dr1", len, **question)
    return Request(asked, "identity", pa.table(items), np.arange(len(next(iter(items.values())))))


def test_rows_about_others_are_refused():
    asked = part({"id": [1, 2]}, key="id")
    refuse_foreign("vo", asked, pa.table({"id": [2, 2, 1]}))
    refuse_foreign("vo", asked, pa.table({"id": pa.array([], pa.int64())}))
    for ids in ([1, 3], [None, 1]):
        with pytest.raises(Retryable, match="vo sent 1 rows of 2 about others than were asked for"):
            refuse_foreign("vo", asked, pa.table({"id": pa.array(ids, pa.int64())}))


def test_ids_may_come_in_another_type():
    refuse_foreign("vo", part({"id": ["1", "2"]}, key="id"), pa.table({"id": [2]}))
    with pytest.raises(Retryable):
        refuse_foreign("vo", part({"id": [1]}, key="id"), pa.table({"id": ["2"]}))


def test_rows_outside_of_the_range_are_refused():
    asked = part({"lo": [10], "hi": [20]}, within="id")
    refuse_foreign("vo", asked, pa.table({"id": [10, 20]}))
    for stranger in (9, 21):
        with pytest.raises(Retryable, match="1 rows of 2"):
            refuse_foreign("vo", asked, pa.table({"id": [15, stranger]}))


def test_a_selection_that_does_not_say_takes_all():
    refuse_foreign("vo", part({"lo": [10], "hi": [20]}), pa.table({"id": [99]}))


def test_as_many_rows_as_counted_or_not_counted_are_taken():
    refuse_miscounted("vo", 5, 5, None)
    refuse_miscounted("vo", 5, None, None)
    refuse_miscounted("vo", 0, 0, "anything")


@pytest.mark.parametrize(("n_row", "counted"), [(0, 5), (4, 5), (6, 5), (1, 0)])
def test_another_number_is_asked_for_again(n_row, counted):
    with pytest.raises(Retryable, match=f"vo sent {n_row} rows of a list of {counted}, by its own count"):
        refuse_miscounted("vo", n_row, counted, None)


def test_the_same_part_of_a_list_twice_is_a_cap():
    with pytest.raises(Retryable) as first:
        refuse_miscounted("vo", 4, 5, None)
    with pytest.raises(TooMuch):
        refuse_miscounted("vo", 4, 5, str(first.value))
    for n_row, counted in ((3, 5), (0, 5), (6, 5)):  # another part, nothing, or too many: no cap does that
        with pytest.raises(Retryable):
            refuse_miscounted(
                "vo", n_row, counted, f"vo sent {4 if n_row == 3 else n_row} rows of a list of 5, by its own count."
            )


def test_items_without_rows_are_incomplete_where_all_should_have_some():
    rows = pa.table({"id": [1, 3, 3]})
    assert find_incomplete(part({"id": [1, 2, 3]}, key="id", expects_all=True), rows).tolist() == [False, True, False]
    assert not find_incomplete(part({"id": [1, 2, 3]}, key="id"), rows).any()
    assert not find_incomplete(part({"lo": [1], "hi": [3]}), rows).any()


@pytest.mark.parametrize(("known", "is_short"), [(3, True), (2, False), (1, False), (None, False)])
def test_the_item_at_the_end_is_incomplete_with_fewer_rows_than_known(known, is_short):
    n_expected = pa.table({"id": [1, 3], "n_row": pa.array([9, known], pa.int32())})
    asked = part({"id": [1, 3]}, key="id", n_expected=n_expected)
    assert find_incomplete(asked, pa.table({"id": [1, 3, 3]})).tolist() == [False, is_short]
    assert not find_incomplete(asked, pa.table({"id": [7]})).any()
