"""Sending one request to an archive: within its limits, again where a fault passes, in halves where it is too much."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lakehouse.answers.answer_index import AnswerIndex
from lakehouse.answers.raw import DONE, FAILED, SENT, SPLIT, RawStore, Record, now, pack
from tasks.archives.errors import ArchiveError, BadQuestion, Refused, Retryable, TooMuch
from tasks.archives.gate import Gate
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Client, TellsOutage
from tasks.archives.request import Request
from tasks.archives.threads import Stop, Tally
from tasks.stages.acquire.checks import NONE_FOR_SOME, find_incomplete, refuse_foreign, refuse_miscounted
from tasks.stages.acquire.counting import count_request, count_rows
from tasks.stages.acquire.failures import all_kept, error_text, failure_of
from tasks.stages.progress import note, say

SAID_FROM_S = 50.0  # pauses of a minute and more are said on the screen, others in the log; they vary by a tenth


class _Job:
    """What is remembered of an asynchronous job; see `tasks.archives.question.Job`."""

    def __init__(self, url: str | None, remember: Callable[[str], None]) -> None:
        self.url, self._remember = url, remember

    def remember(self, url: str) -> None:
        self.url = url
        self._remember(url)


@dataclass(frozen=True, eq=False)
class Sender:
    """Sends the requests of one service and keeps what comes of them; `report` takes a sentence for the user."""

    service: str
    client: Client
    limits: ServiceLimits
    gate: Gate
    raw: RawStore
    stop: Stop
    tally: Tally
    endpoint: str
    run_id: str
    report: Callable[[str], None] = say
    uncounted: set[str] = field(default_factory=set)  # questions whose rows the service cannot count

    def fetch(self, request: Request, answers: AnswerIndex) -> dict[str, pa.Table]:
        """Rows of the answers that came, by the key of the request that they came to; all of them are in the store.

        Leaves out the items that are answered meanwhile, or that another thread or program asks for just now. Raises
        ArchiveError, and stops everything, where an archive cannot be used.
        """
        try:
            return self._fetch(request, answers)
        except BaseException as error:
            self.stop.set(error)
            raise

    def _fetch(self, request: Request, answers: AnswerIndex) -> dict[str, pa.Table]:
        fresh: dict[str, pa.Table] = {}
        halved: dict[str, Record] = {}  # by the key of its first half, a request that the service broke down over
        todo = [request]
        while todo:  # depth first: where a service is down, the first single item shows it, not all of them
            part = todo.pop()
            self.stop.check()
            with answers.claim(part.key, part.item_hashes) as free:
                if not free.all():
                    todo += [part.only(free)] if free.any() else []
                    continue
                if answers.children(part.key) is None:
                    record = self.begin_record(part)
                    rows = self._ask(part, record, answers)
                    if rows is not None:
                        fresh[part.key] = rows
                        self._confirm(part.key, halved, answers)
                        left = answers.find(part.item_hashes) < 0
                        todo += [part.only(left)] if left.any() else []
                        continue
                    if record.state != SPLIT:
                        halved[record.children[0]] = record
            todo += reversed(part.halves() or ())
        return fresh

    def _confirm(self, key: str, halved: dict[str, Record], answers: AnswerIndex) -> None:
        """A half was answered, so its whole was too much. Were the service down, it would be asked for whole again."""
        while (record := halved.pop(key, None)) is not None:
            record.state, key = SPLIT, record.key
            answers.finish(record)

    def _ask(self, part: Request, record: Record, answers: AnswerIndex) -> pa.Table | None:
        """Rows of the answer; None where the halves are to be asked for instead, which are the record's children."""
        n_load, known_job = 0, record.job_url
        for attempt in range(1, self.limits.attempts + 1):
            try:
                return self._attempt(part, record, answers, is_retry=attempt > 1)
            except TooMuch as error:
                self._halve(part, record, error)
                record.state = SPLIT
                answers.finish(record)
                return None
            except Retryable as error:
                answers.note(record)
                n_load += error.is_load and record.job_url is None  # a job that is there is not too much
                if n_load >= self.limits.halve_after and len(part) > 1:
                    self._halve(part, record, error)
                    return None
                if attempt < self.limits.attempts:
                    self.wait(attempt, error)
            except (Refused, BadQuestion) as error:
                raise self.fail(part, record, error) from error
        if record.job_url == known_job:  # twice found, and twice in vain: another time, another job
            record.job_url = None
        raise self.fail(part, record, Retryable(record.last_error or ""))

    def _attempt(self, part: Request, record: Record, answers: AnswerIndex, is_retry: bool) -> pa.Table:
        """Rows of the answer, which is kept with its record; raises ArchiveError where none came that can be used."""
        answer = self._uncounted_answer(record) or self.send(part, record, is_retry)
        left_out = np.zeros(len(part), bool)
        with _judging(record):
            rows = self._read(part, record, answer)
            refuse_foreign(self.service, part, rows)
        counted = self._count(part, record, answer, rows.num_rows)
        with _judging(record):
            refuse_miscounted(self.service, rows.num_rows, counted, _error_before(record))
            if counted is None:  # what a service counts is all that there is
                left_out = self._find_left_out(part, record, rows, answers)
        self.keep(record, answer, rows)
        record.items, record.left_out = pack(part.item_hashes[~left_out]), pack(part.item_hashes[left_out])
        answers.finish(record)
        return rows

    def _uncounted_answer(self, record: Record) -> bytes | None:
        """The answer that came in a run that was stopped before it was counted."""
        return self.raw.answer(record.content) if record.content else None

    def _count(self, part: Request, record: Record, answer: bytes, n_row: int) -> int | None:
        """How many rows the service counts; the answer is on record before, for the next run where this one stops."""
        request = count_request(self, part)
        if request is None:
            return None
        record.content = self.raw.keep(answer)
        self.raw.note(record)
        return count_rows(self, request, n_row)

    def keep(self, record: Record, answer: bytes, rows: pa.Table) -> None:
        """Keeps an answer, and puts it on record; the caller writes the record."""
        record.content = record.content or self.raw.keep(answer)
        record.state, record.answered, record.rows, record.bytes = DONE, now(), rows.num_rows, len(answer)
        self.tally.add(self.service, rows=rows.num_rows, bytes=len(answer))

    def send(self, part: Request, record: Record, is_retry: bool, is_vital: bool = True) -> bytes:
        """The verbatim answer, asked for within the limits of the service; the record lists the attempt.

        All stops where the service refuses, and where it does not understand what is vital.
        """
        with self.gate.hold(self.stop.pause):
            self.stop.check()
            self.tally.add(self.service, requests=1, retries=int(is_retry))
            began = time.monotonic()
            attempt: dict[str, Any] = {"at": now(), "seconds": None, "error": None}
            record.attempts.append(attempt)
            record.first_sent = record.first_sent or attempt["at"]
            job = _Job(record.job_url, partial(self._started, record))
            try:
                return self.client.send(part.question, part.items, job)
            except ArchiveError as error:
                attempt["error"] = str(error)
                # A client forgets a job that is over or lost; any other is asked about again the next time.
                record.job_url = None if isinstance(error, BadQuestion | TooMuch) else job.url
                # While the slot is held: nobody begins another request.
                if isinstance(error, Retryable) and error.after_s and error.after_s <= self.limits.job_s:
                    self.gate.rest(error.after_s)  # for every thread and program that uses the service
                if isinstance(error, Refused | BadQuestion if is_vital else Refused):
                    self.stop.set(failure_of(part, record, error, self.raw.folder))
                raise
            finally:
                attempt["seconds"] = round(time.monotonic() - began, 4)

    def _read(self, part: Request, record: Record, answer: bytes) -> pa.Table:
        """Rows of an answer that has just come: it is kept only if it can be read and is whole."""
        try:
            rows = part.question.read(answer)
        except (Retryable, TooMuch):
            raise
        except Exception as error:
            path = self.raw.set_aside(record, answer)
            raise BadQuestion(f"its answer cannot be read ({error_text(error)}; the answer is in {path})") from error
        if self.limits.row_cap is not None and rows.num_rows >= self.limits.row_cap:
            raise TooMuch(f"{rows.num_rows:,} rows came, which is the service's cap: the answer is cut off")
        return rows

    def _find_left_out(self, part: Request, record: Record, rows: pa.Table, answers: AnswerIndex) -> NDArray[np.bool_]:
        """Items, (N,), of which the answer holds less than it should, and that no answer has left out before.

        They are asked about once more, and a second answer without them is taken as true. Raises Retryable for an
        answer that leaves out all items, each time where there are NONE_FOR_SOME and more that are known to exist; and
        for an empty one where some rows are certain, which is then taken as true and reported.
        """
        known = answers.left_out(part.item_hashes)
        left_out = find_incomplete(part, rows) & ~known
        what = f"{self.service} sent {f'{rows.num_rows:,} rows' if rows.num_rows else 'an answer without a row'} about"
        if left_out.all():
            if len(part) < NONE_FOR_SOME or rows.num_rows or part.question.may_be_unknown:
                record.left_out = pack(part.item_hashes)
            raise Retryable(f"{what} any of {len(part):,} items, as if {part.question.release} had none of them.")
        is_certain = record.rows or (part.question.expects_some and len(part) >= NONE_FOR_SOME)
        if not rows.num_rows and is_certain and not left_out.any():
            if not known.all():
                record.left_out = pack(part.item_hashes)
                raise Retryable(f"{what} {len(part):,} items, of which {part.question.release} should have some.")
            self.report(f"{what} {len(part):,} items, twice, where some were expected: it was taken as it came.")
        return left_out

    def wait(self, attempt: int, error: Retryable) -> None:
        """Pauses before the next attempt; raises ArchiveError where the service asks for more than a job may take."""
        if error.after_s is None:
            first, longest = self.limits.backoff_s
            seconds = min(first * 2 ** (attempt - 1), longest) * random.uniform(0.9, 1.1)
            self._say_pause(seconds, error)
            self.stop.pause(seconds)
        elif error.after_s <= self.limits.job_s:
            self._say_pause(error.after_s, error)  # the gate is shut for so long
        else:
            raise ArchiveError(
                f"{self.service} asks for a pause of {error.after_s / 60:,.0f} minutes ({error_text(error)}): "
                f"{all_kept(self.raw.folder)}, so run the same command again after that time."
            )

    def _say_pause(self, seconds: float, error: Retryable) -> None:
        if seconds < SAID_FROM_S:
            note(f"{self.service} is asked again in {seconds:.1f} s ({error_text(error)})")
            return
        until = datetime.now() + timedelta(seconds=seconds)
        say(f"{self.service} is asked again at {until:%H:%M}, in {seconds / 60:.0f} min ({error_text(error)})")

    def _halve(self, part: Request, record: Record, reason: ArchiveError) -> None:
        halves = part.halves()
        if halves is None:
            raise self.fail(part, record, reason)
        record.job_url, record.children = None, [half.key for half in halves]

    def fail(self, part: Request, record: Record, error: ArchiveError) -> ArchiveError:
        """Puts the failure on record and stops everything; returns it as a sentence of the same kind."""
        outage = self.client.outage() if isinstance(error, Retryable) and isinstance(self.client, TellsOutage) else ""
        self.stop.set(failure := failure_of(part, record, error, self.raw.folder, outage))
        record.state = FAILED
        self.raw.note(record)
        return failure

    def begin_record(self, part: Request) -> Record:
        """The record of an earlier attempt, or a new one; a job that was sent and never answered is taken up again."""
        question = part.question
        old = self.raw.record(self.service, part.identity, part.key)
        values = (asdict(old) if old is not None else {}) | {
            "key": part.key,
            "identity": part.identity,
            "service": self.service,
            "endpoint": self.endpoint,
            "release": question.release,
            "text": question.text,
            "parameters": dict(question.parameters),
            "n_item": len(part),
            "items": pack(part.item_hashes),
            "item": _item(part),
            "state": SENT,
            "run_id": self.run_id,
            "content": old.content if old is not None and old.state in (SENT, FAILED) else None,
            "bytes": None,
            "answered": None,
            "children": [],
            "job_url": old.job_url if old is not None and old.state in (SENT, FAILED) else None,
        }
        return Record(**values)

    def _started(self, record: Record, url: str) -> None:
        record.job_url = url
        self.raw.note(record)


@contextmanager
def _judging(record: Record) -> Iterator[None]:
    """An answer that is refused inside of the block is not on record, but for the reason."""
    try:
        yield
    except ArchiveError as error:
        record.attempts[-1]["error"], record.job_url, record.content = str(error), None, None
        raise


def _error_before(record: Record) -> str | None:
    """What went wrong in the attempt before the last."""
    return record.attempts[-2]["error"] if len(record.attempts) > 1 else None


def _item(part: Request) -> dict[str, Any] | None:
    return part.items.to_pylist()[0] if len(part) == 1 else None
