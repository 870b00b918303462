"""What a user reads where an archive cannot be used: the kind of error stays, and one sentence says what to do."""

from pathlib import Path

import numpy as np
import pytest

from lakehouse.answers.raw import Record
from tasks.archives.errors import ArchiveError, BadQuestion, Refused, Retryable, TooMuch
from tasks.archives.request import Request
from tasks.stages.acquire.failures import error_text, failure_of
from tests.unit.stages.archive_stand_ins import items, question

FOLDER = Path("/lake/raw")


def failure(error, n=3, attempts=2):
    request = Request(question(), "q", items(range(7, 7 + n)), np.arange(n))
    record = Record("k", "q", "vo", "here", "dr1", "about", attempts=[{"at": "", "error": "x"}] * attempts)
    return failure_of(request, record, error, FOLDER)


@pytest.mark.parametrize("error", [Refused("403."), TooMuch("cap"), BadQuestion("no column"), ArchiveError("x")])
@pytest.mark.parametrize("n", [1, 3])
def test_the_kind_stays_and_the_sentence_is_one(error, n):
    found = failure(error, n)
    assert type(found) is type(error) and found is not error
    text = str(found)
    assert text.startswith("vo") and text.endswith(".") and ". " not in text and "\n" not in text
    assert f"all answers so far are kept in {FOLDER}" in text and error_text(error) in text


def test_what_passes_but_did_not_is_an_error_that_counts_the_attempts():
    found = failure(Retryable("502 Bad Gateway", 3.0), n=1, attempts=5)
    assert type(found) is ArchiveError
    assert str(found).startswith("vo failed 5 times to answer a request about id 7 (last: 502 Bad Gateway): ")


def test_a_request_is_named_by_its_item_or_by_how_many_it_has():
    assert "about id 7 cannot be divided" in str(failure(TooMuch("cap"), n=1))
    assert "about 1,200 items cannot be divided" in str(failure(TooMuch("cap"), n=1200))


@pytest.mark.parametrize(
    ("error", "text"),
    [(ValueError(" two words. "), "two words"), (KeyError(), "KeyError"), (ValueError("why?"), "why?")],
    ids=repr,
)
def test_the_message_of_an_error_stands_inside_of_a_sentence(error, text):
    assert error_text(error) == text
