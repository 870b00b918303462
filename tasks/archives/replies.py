"""What an archive's reply means: data, a page, a refusal, a fault that passes."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from tasks.archives.csv import count_rows
from tasks.archives.errors import ArchiveError, BadQuestion, Refused, Retryable, TooMuch
from tasks.archives.services import SERVICES

WORDS = 240  # how much of a reply is quoted
_LOOKED_AT = 1 << 16
# Where ESA's pages and the VOTables of TAP services put their message.
_MESSAGES = (
    re.compile(r"<li>\s*<b>Message:\s*</b>(.*?)</li>", re.DOTALL | re.IGNORECASE),
    re.compile(r"<INFO\b[^>]*\bQUERY_STATUS\b[^>]*>(.*?)</INFO>", re.DOTALL | re.IGNORECASE),
)
_ERROR = re.compile(rb'<INFO\b(?=[^>]*\bname="QUERY_STATUS")[^>]*\bvalue="ERROR"')
_FURNITURE = re.compile(r"<(head|style|script)\b.*?</\1\s*>|<[^>]*>", re.DOTALL | re.IGNORECASE)
# Messages of faults that pass. All others mean the question, where they speak of one, and are tried again where not.
_PASSING = re.compile(
    r"\btime[d ]?[- ]?out|\babort|\bcancel|try again|unavailable|overload|connection|deadlock|shut ?down|restart|quota"
    r"|too many (requests|jobs|quer|connections)|out of memory|disk",
    re.IGNORECASE,
)
_TOO_LONG = re.compile(r"\btime[d ]?[- ]?out|out of memory", re.IGNORECASE)
_OF_THE_QUESTION = re.compile(
    r"adql|syntax|pars(e|ing)|encountered|unsupported|not supported|unknown|unresolved|does not exist|not found|no such"
    r"|ambiguous|incorrect|invalid|illegal|not allowed|mismatch|usagefault|bad request|missing|refuse|cannot be",
    re.IGNORECASE,
)
_TOO_MUCH = re.compile(r"maximum number of (source ids|rows|records)|too many (rows|records|ids)", re.IGNORECASE)


class BadReply(Exception):
    """A reply that is no answer. Stays inside the clients: `transport.wire` makes it one of the archives' errors."""

    def __init__(self, status: int, body: bytes, headers: Mapping[str, str], url: str = "") -> None:
        self.status = status
        self.url = url
        self.words = words(body)
        self.after_s = _after_s({name.lower(): value for name, value in headers.items()}.get("retry-after"))
        super().__init__(f"{status}: {self.words}")


def words(body: bytes) -> str:
    """The first words of a reply in plain text, whatever markup they came in."""
    text = body[:_LOOKED_AT].decode(errors="replace")
    message = next(
        (found.group(1) for pattern in _MESSAGES if (found := pattern.search(text)) and found.group(1)), text
    )
    plain = " ".join(html.unescape(_FURNITURE.sub(" ", message)).split())
    return plain if len(plain) <= WORDS else plain[:WORDS].rstrip() + " ..."


def is_page(body: bytes) -> bool:
    """Whether a reply is a web page, which archives under maintenance send with status 200."""
    start = body[:1024].lstrip().lower()
    return start.startswith(b"<") and (b"<!doctype html" in start or b"<html" in start)


def failure(service: str, reply: BadReply) -> ArchiveError:
    """The error that a status means, with the service, the status and the first words of the reply in its sentence."""
    status, detail = reply.status, f": {reply.words}" if reply.words else ""
    if status == 403:
        return Refused(
            f"{service} refuses all requests (status 403){detail}. Asking again makes it worse: stop, and write to the "
            "archive."
        )
    if status == 401:
        return Refused(f"{service} wants a login that it accepts (status 401){detail}.")
    if status < 400:
        return Retryable(f"{service} answered with a page instead of data (status {status}){detail}.", reply.after_s)
    if status in (408, 425, 429) or status >= 500:
        if _TOO_MUCH.search(reply.words):
            return TooMuch(f"{service} was asked for too much at once (status {status}){detail}.")
        is_load = status >= 500 and reply.after_s is None  # who names a time is busy, whatever is asked
        return Retryable(f"{service} cannot answer now (status {status}){detail}.", reply.after_s, is_load)
    if status in (413, 414):
        return TooMuch(f"{service} finds the request too long (status {status}){detail}.")
    if status == 400:
        return complaint(service, reply.words, "status 400", unclear=BadQuestion)
    return BadQuestion(f"{service} does not know what was asked for (status {status}){detail}.")


def complaint(service: str, message: str, where: str, unclear: type[ArchiveError] = Retryable) -> ArchiveError:
    """The error that a service's own message means; `unclear` where it speaks neither of time nor of the question."""
    detail = f": {message}" if message else ""
    if _TOO_MUCH.search(message):
        return TooMuch(f"{service} was asked for too much at once ({where}){detail}.")
    if _PASSING.search(message):
        return Retryable(f"{service} did not finish ({where}){detail}.", is_load=bool(_TOO_LONG.search(message)))
    if _OF_THE_QUESTION.search(message):
        return BadQuestion(f"{service} does not understand the question ({where}){detail}.")
    return unclear(f"{service} failed ({where}){detail}.")


def csv_answer(service: str, body: bytes, row_cap: int | None = None) -> bytes:
    """`body`, checked to be CSV and not cut off: raises Retryable on a page or nothing, TooMuch at `row_cap` rows.

    Some services put the message of a failed query into a VOTable with status 200: that raises what it says. An answer
    of a service that ends its lines was cut in the middle of one where it does not end with a newline.
    """
    start = body[:1024].lstrip()
    if not start:
        raise Retryable(f"{service} answered with nothing at all (status 200).")
    if start.startswith(b"<") and not is_page(body) and b"QUERY_STATUS" in body[:_LOOKED_AT]:
        _refuse_overflow(service, body)
        raise complaint(service, words(body), "status 200")
    if start[:1] in (b"<", b"{"):
        raise failure(service, BadReply(200, body, {}))
    if not body.endswith(b"\n") and service in SERVICES and SERVICES[service].ends_lines:
        raise Retryable(f"{service} sent an answer that ends in the middle of a line, after {len(body):,} bytes.")
    if row_cap is not None and (rows := count_rows(body)) >= row_cap:
        raise TooMuch(f"{service} cut its answer off at {rows} rows (its cap is {row_cap}): ask for less at once.")
    return body


def votable_answer(service: str, body: bytes) -> bytes:
    """`body`, checked to be a VOTable to its end: raises Retryable where it is not, TooMuch where it lacks rows.

    A message of the service inside of one raises what it says.
    """
    if not body.strip():
        raise Retryable(f"{service} answered with nothing at all (status 200).")
    if is_page(body) or b"<VOTABLE" not in body[:_LOOKED_AT]:
        raise failure(service, BadReply(200, body, {}))
    if not body.rstrip().endswith(b"</VOTABLE>"):
        raise Retryable(f"{service} sent a VOTable that breaks off after {len(body):,} bytes.")
    _refuse_overflow(service, body)
    if _ERROR.search(body[:_LOOKED_AT]):
        raise complaint(service, words(body), "status 200")
    return body


def _refuse_overflow(service: str, body: bytes) -> None:
    """TooMuch where a VOTable says that it lacks rows; DALI allows it before the table and behind it."""
    if b'value="OVERFLOW"' in body:
        raise TooMuch(f"{service} says that there are more rows than it gave (OVERFLOW).")


def _after_s(value: str | None) -> float | None:
    """Seconds to wait by a Retry-After header, which is a number of seconds or a date (RFC 9110, 10.2.3)."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
