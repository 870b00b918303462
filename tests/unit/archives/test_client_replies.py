"""What replies mean: which are asked again, which stop the run, and what is said of them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tasks.archives.errors import BadQuestion, Refused, Retryable, TooMuch
from tasks.archives.replies import WORDS, BadReply, complaint, csv_answer, failure, is_page, words

ESA_PAGE = (
    b"<html><head><title>Apache</title><style>b {color: red}</style></head><body><h1>HTTP Status 500</h1><ul>"
    b"<li><b>Type: </b>report</li><li><b>Message: </b>Invalid Data Structure parameter: &#39;X&#39;</li></ul></body>"
    b"</html>"
)
VOTABLE = (
    b'<?xml version="1.0"?><VOTABLE><RESOURCE type="results">'
    b'<INFO name="QUERY_STATUS" value="ERROR">UsageFault: bad ID</INFO></RESOURCE></VOTABLE>'
)
PAGE = b"\n<!DOCTYPE html><html><head><title>x</title></head><body>Down for <b>maintenance</b></body></html>"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, Refused), (401, Refused), (408, Retryable), (429, Retryable), (500, Retryable), (502, Retryable),
        (503, Retryable), (504, Retryable), (200, Retryable), (400, BadQuestion), (404, BadQuestion),
        (405, BadQuestion), (413, TooMuch), (414, TooMuch),
    ],
)  # fmt: skip
def test_each_status_means_what_is_to_be_done(status, kind):
    error = failure("some_service", BadReply(status, b"the <i>first</i> words", {}))
    assert type(error) is kind
    sentence = str(error)
    assert "some_service" in sentence and str(status) in sentence and "the first words" in sentence
    assert sentence.endswith((".", "why.")) and "\n" not in sentence


def test_a_query_that_ran_out_of_time_is_asked_again_though_the_status_blames_it():
    assert type(failure("s", BadReply(400, b"Query timed out", {}))) is Retryable


def test_too_many_ids_are_split_though_the_status_blames_the_server():
    reply = BadReply(500, b"Maximum number of Source Ids reached (max: 5000, found: 6000)", {})
    assert type(failure("s", reply)) is TooMuch


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (ESA_PAGE, "Invalid Data Structure parameter: 'X'"),
        (VOTABLE, "UsageFault: bad ID"),
        (PAGE, "Down for maintenance"),
        (b"plain\n  text", "plain text"),
        (b"", ""),
    ],
)
def test_the_message_is_found_in_whatever_markup(body, said):
    assert words(body) == said


def test_long_replies_are_quoted_in_part():
    assert len(words(b"long " * 10_000)) <= WORDS + 4


def test_retry_after_in_seconds_or_as_a_date():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=90), usegmt=True)
    assert failure("s", BadReply(429, b"", {"retry-after": "17"})).after_s == 17
    assert 80 < failure("s", BadReply(503, b"", {"Retry-After": later})).after_s <= 90
    assert failure("s", BadReply(503, b"", {"Retry-After": "soon"})).after_s is None
    assert failure("s", BadReply(503, b"", {"Retry-After": "Sun, 06 Nov 1994 08:49:37 GMT"})).after_s == 0


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Job aborted after 5400 s", Retryable),
        ("Query timed out", Retryable),
        ("execution time-out", Retryable),
        ("DB quota exceeded for user anonymous", Retryable),
        ("Cannot parse query 'SELECT g_transit_time FROM x': Encountered \"FORM\"", BadQuestion),
        ("Unknown table gaiadr9.gaia_source", BadQuestion),
        ("ADQL: unsupported function ESDC_X", BadQuestion),
        ("maximum number of rows exceeded", TooMuch),
        ("something", Retryable),
        ("", Retryable),
    ],
)
def test_messages_of_failed_jobs_tell_faults_that_pass_from_bad_questions(message, kind):
    error = complaint("s", message, "job 7 in phase ERROR")
    assert type(error) is kind and "job 7" in str(error) and message in str(error)


def test_csv_passes_verbatim():
    body = b"a,b\r\n1,2\r\n"
    assert csv_answer("s", body, 2) is body


@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"", Retryable), (PAGE, Retryable), (b"<VOTABLE/>", Retryable), (b'{"detail": "x"}', Retryable),
     (VOTABLE, BadQuestion)],
)  # fmt: skip
def test_what_is_no_csv_does_not_pass(body, kind):
    with pytest.raises(kind):
        csv_answer("s", body)


@pytest.mark.parametrize("n_row", [3, 4])
def test_as_many_rows_as_the_cap_are_an_answer_cut_off(n_row):
    with pytest.raises(TooMuch, match=f"{n_row} rows"):
        csv_answer("s", b"a\n" + b"1\n" * n_row, 3)


def test_pages_are_told_from_tables():
    assert is_page(PAGE) and is_page(b'<?xml version="1.0"?>\n<!DOCTYPE HTML PUBLIC "x"><HTML>')
    assert not is_page(VOTABLE) and not is_page(b"a,b\n<html>,2\n")
