"""Counting the rows of a list at its service, before its answer is taken for whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lakehouse.answers.raw import FAILED, Record
from tasks.archives.counts import count_question
from tasks.archives.errors import ArchiveError, BadQuestion, Retryable, TooMuch
from tasks.archives.request import Request
from tasks.archives.services import SERVICES

if TYPE_CHECKING:
    from tasks.stages.acquire.sending import Sender


def count_request(sender: Sender, part: Request) -> Request | None:
    """The request for the number of rows of the answer to `part`; None where the service cannot be asked for it."""
    is_tap = sender.service in SERVICES and SERVICES[sender.service].is_tap
    if (question := count_question(part.question) if is_tap else None) is None:
        return None
    request = Request(question, question.identity(sender.endpoint), part.items, part.item_hashes)
    return None if request.identity in sender.uncounted else request


def count_rows(sender: Sender, request: Request, n_row: int) -> int | None:
    """The answer to a request for a number of rows, of which `n_row` came; None where the service cannot say.

    It is asked within its limits, and again where a fault passes; not where a run that was stopped has counted as many.
    That it does not understand the count is reported once, and its answers are then taken as they come. Raises
    ArchiveError, and stops everything, where the faults do not pass.
    """
    if n_row and _count_on_record(sender, request) == n_row:
        return n_row
    record = sender.begin_record(request)
    record.items = ""  # it is about the list as a whole: no item is answered by it
    for attempt in range(1, sender.limits.attempts + 1):
        try:
            return _count_once(sender, request, record, is_retry=attempt > 1)
        except Retryable as error:
            if attempt == sender.limits.attempts:
                raise sender.fail(request, record, error) from error
            sender.wait(attempt, error)
        except (BadQuestion, TooMuch):
            sender.stop.check()  # of another request, which ends this one too
            break
    record.state = FAILED
    sender.raw.note(record)
    sender.uncounted.add(request.identity)
    sender.report(f"{sender.service} did not count the rows of a list ({record.last_error}): it was taken as it came.")
    return None


def _count_on_record(sender: Sender, request: Request) -> int | None:
    before = sender.raw.record(sender.service, request.identity, request.key)
    answer = sender.raw.answer(before.content) if before is not None and before.content else None
    return None if answer is None else int(request.question.read(answer)["n_row"][0].as_py())


def _count_once(sender: Sender, request: Request, record: Record, is_retry: bool) -> int:
    answer = sender.send(request, record, is_retry, is_vital=False)
    try:
        rows = request.question.read(answer)
    except ArchiveError as error:
        record.attempts[-1]["error"], record.job_url = str(error), None
        raise
    sender.keep(record, answer, rows)
    sender.raw.write(record)
    return int(rows["n_row"][0].as_py())
