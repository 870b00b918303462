"""The exchange: asks the archives for what is not in the raw store, and gives the rows of all that was asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from lakehouse.answers.answer_index import Answer, AnswerIndex
from lakehouse.answers.raw import RawStore, Record
from tasks.archives.errors import ArchiveError
from tasks.archives.gate import Gate, gate_name, limits_folder
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Client, Question
from tasks.archives.request import Request, cut, distinct
from tasks.archives.threads import SendingThreads, Stop, Tally
from tasks.stages.acquire.failures import error_text
from tasks.stages.acquire.sending import Sender

POLL_S = 0.03
LAST_REPLIES_S = 30.0  # what was on its way at a stop may still arrive and is kept; a job waits at its archive


@dataclass(frozen=True, eq=False)
class _Inquiry:
    """One call of the exchange: a question, the index of its answers, and the most items that a request may hold.

    `fresh` holds the rows that came since the call began, by the key of their request.
    """

    question: Question
    identity: str
    answers: AnswerIndex
    size: int
    fresh: dict[str, pa.Table] = field(default_factory=dict)


class Exchange:
    """Call it with a question and a table of items: an `Ask` of `tasks.surveys.survey`. Threads share it.

    `clients` are opened, one for each service that is asked, when there is something to send. `addresses` are the
    base addresses of the services, whose hosts name the machine-wide gates in `gates` (by default those of
    `tasks.archives.gate.limits_folder`); a service without one has the name of the `endpoint` instead. `offline` takes
    every answer from the store; `since` holds for some services from when on (Unix time) answers count. `notes` is what
    the user should know. Close it in the end, or use it in a with block: then its limits no longer bind others.
    """

    def __init__(
        self,
        raw: RawStore,
        clients: Mapping[str, Client],
        limits: Mapping[str, ServiceLimits],
        gates: str | Path | None,
        endpoint: str,
        run_id: str,
        offline: bool = False,
        addresses: Mapping[str, str] | None = None,
        since: Mapping[str, float] | None = None,
    ) -> None:
        self.raw, self.endpoint, self.run_id, self.offline = raw, endpoint, run_id, offline
        self.notes: list[str] = []
        self._clients, self._limits, self._addresses, self._since = clients, limits, addresses or {}, since or {}
        self._gates = Path(gates) if gates is not None else limits_folder()
        self._indexes: dict[tuple[str, str], AnswerIndex] = {}
        self._senders: dict[str, tuple[Sender, SendingThreads]] = {}
        self._mutex, self._stop, self._tally = threading.RLock(), Stop(), Tally()
        raw.clear_abandoned_drafts()

    def __call__(self, question: Question, items: pa.Table) -> pa.Table:
        """Rows of the answers about `items`, each item once.

        With a key, the rows are those of the items asked for, ascending by it; an item about which the archive has
        nothing has none. Without, each item is one request, and the answers follow in the order of the items. No
        items: no rows, and the columns of `items`, for nothing was answered. Raises ArchiveError, after which the
        exchange asks nothing more.
        """
        self._stop.check()
        items, item_hashes = distinct(question, items)
        if not items.num_rows:
            return items
        if question.same_as is not None:
            return self._ask_for_the_rest(question, items, item_hashes)
        inquiry = self._begin(question)
        while True:
            if question.key is None:
                items, item_hashes = _divide_items(inquiry, items, item_hashes)
            numbers = inquiry.answers.find(item_hashes)
            if (missing := numbers < 0).any():
                self._ask_for(inquiry, items, item_hashes, missing)
            elif (rows := self._collect(inquiry, items, numbers)) is not None:
                return rows

    def _ask_for_the_rest(self, question: Question, items: pa.Table, item_hashes: NDArray[np.int64]) -> pa.Table:
        """Rows about `items` (N,): what another service has answered as it is kept, the rest by asking."""
        assert question.same_as is not None and question.key is not None
        own, other = self._begin(question), self._begin(question.same_as)
        while True:
            numbers = other.answers.find(item_hashes)
            kept = (own.answers.find(item_hashes) < 0) & (numbers >= 0)
            if not kept.any():
                return self(replace(question, same_as=None), items)
            if (rows := self._collect(other, items.filter(pa.array(kept)), numbers[kept])) is not None:
                break
        rest = items.filter(pa.array(~kept))
        new = [self(replace(question, same_as=None), rest)] if rest.num_rows else []
        return _sort_by(pa.concat_tables([rows, *new], promote_options="default"), question.key)

    def _begin(self, question: Question) -> _Inquiry:
        """A question before anything is asked: a request holds one item where there is no key."""
        limits, identity = self._limits_of(question.service), question.identity(self.endpoint)
        size = min(question.chunk or limits.chunk, limits.chunk) if question.key is not None else 1
        return _Inquiry(question, identity, self._answers_to(question.service, identity), size)

    def _ask_for(
        self, inquiry: _Inquiry, items: pa.Table, item_hashes: NDArray[np.int64], missing: NDArray[np.bool_]
    ) -> None:
        """Sends requests about the items (N,) that are `missing`; waits where all of them are asked for elsewhere."""
        self._refuse_offline(inquiry.question, missing)
        requests = cut(inquiry.question, inquiry.identity, items, item_hashes, missing, inquiry.size)
        inquiry.fresh.update(new := self._fetch(requests, inquiry.answers))
        if not new:
            self._stop.pause(POLL_S)

    def counts(self) -> dict[str, dict[str, int]]:
        """By service: requests sent, retries among them, answers from the store, bytes and rows that came."""
        return self._tally.counts()

    def records_since(self, when: float) -> Iterator[Record]:
        """Records of the requests that were written since `when` (Unix time), by whichever program."""
        return self.raw.records_since(when)

    def close(self) -> None:
        """Asks nothing more."""
        self._stop.set(ArchiveError("The exchange is closed and asks nothing more."))
        with self._mutex:
            for sender, threads in self._senders.values():
                threads.close()
                sender.gate.close()

    def __enter__(self) -> Exchange:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fetch(self, requests: list[Request], answers: AnswerIndex) -> dict[str, pa.Table]:
        """Sends the requests; what came, by key. Where one fails, those that are on their way may still arrive."""
        sender, threads = self._sender(requests[0].question.service)
        futures = [threads.submit(partial(sender.fetch, request, answers)) for request in requests]
        done, _ = wait(futures, return_when=FIRST_EXCEPTION)
        if any(future.exception() for future in done):
            begun = [future for future in futures if not future.cancel()]
            wait(begun, timeout=min(sender.limits.timeout_s, LAST_REPLIES_S))
            self._stop.check()
        return {key: rows for future in futures for key, rows in future.result().items()}

    def _collect(self, inquiry: _Inquiry, items: pa.Table, numbers: NDArray[np.int64]) -> pa.Table | None:
        """The rows of the answers with these `numbers` (one for each item, (N,)); None where one turns out damaged."""
        key = inquiry.question.key
        order = np.argsort(numbers, kind="stable") if key is not None else np.arange(numbers.size)
        edges = np.flatnonzero(np.diff(numbers[order])) + 1
        pieces = []
        for part in np.split(order, edges):
            rows = self._rows(inquiry, int(numbers[part[0]]))
            if rows is None:
                return None
            pieces.append(rows if key is None else _select_about(rows, key, items[key].take(pa.array(part))))
        rows = pa.concat_tables(pieces, promote_options="default")
        return rows if key is None else _sort_by(rows, key)

    def _rows(self, inquiry: _Inquiry, number: int) -> pa.Table | None:
        """The rows of one answer, as they came or from the store; None where it is missing or damaged there."""
        answer = inquiry.answers.answer(number)
        if answer is None:
            return None
        if (rows := inquiry.fresh.pop(answer.key, None)) is not None:
            return rows
        verbatim = self.raw.answer(answer.content)
        if verbatim is None:
            inquiry.answers.lose(number)
            return None
        self._tally.add(inquiry.question.service, stored=1)
        try:
            return inquiry.question.read(verbatim)
        except Exception as error:
            self._set_aside(inquiry, verbatim, answer, error)
            inquiry.answers.lose(number)
            return None

    def _set_aside(self, inquiry: _Inquiry, verbatim: bytes, answer: Answer, error: Exception) -> None:
        """Puts aside a stored answer that cannot be read, so that it is asked for again; ArchiveError offline."""
        service = inquiry.question.service
        record = self.raw.record(service, inquiry.identity, answer.key)
        if self.offline or record is None or isinstance(error, MemoryError):
            raise ArchiveError(
                f"{service}: an answer in the store cannot be read any more ({error_text(error)}) and nothing is asked "
                "offline: run without --offline, or go back to the version of argelander that could."
            ) from error
        path = self.raw.set_aside(record, verbatim)
        self._report(
            f"{service}: a stored answer could not be read ({error_text(error)}): asked again; it is in {path}."
        )

    def _report(self, sentence: str) -> None:
        with self._mutex:
            if sentence not in self.notes:
                self.notes.append(sentence)

    def _refuse_offline(self, question: Question, missing: NDArray[np.bool_]) -> None:
        if self.offline:
            raise ArchiveError(
                f"{question.service}: {int(missing.sum()):,} of {missing.size:,} items were never answered "
                f"({question.release}, {self.endpoint}) and nothing is asked offline: run without --offline."
            )

    def _limits_of(self, service: str) -> ServiceLimits:
        limits = self._limits.get(service)
        if limits is None:
            raise ArchiveError(f"No limits are known for {service}: nothing is asked of it; add it to the services.")
        return limits

    def _answers_to(self, service: str, identity: str) -> AnswerIndex:
        with self._mutex:
            if (service, identity) not in self._indexes:
                since = self._since.get(service, 0.0)
                self._indexes[service, identity] = AnswerIndex(self.raw, service, identity, since)
            return self._indexes[service, identity]

    def _sender(self, service: str) -> tuple[Sender, SendingThreads]:
        with self._mutex:
            if service not in self._senders:
                if (client := self._clients.get(service)) is None:
                    raise ArchiveError(f"There is no client for {service}; known are {', '.join(self._clients)}.")
                limits = self._limits_of(service)
                gate = Gate(self._gates, gate_name(service, self._addresses.get(service, self.endpoint)), limits)
                shared = gate, self.raw, self._stop, self._tally, self.endpoint, self.run_id, self._report
                sender = Sender(service, client, limits, *shared)
                self._senders[service] = sender, SendingThreads(limits.parallel, f"send-{service}")
            return self._senders[service]


def _divide_items(
    inquiry: _Inquiry, items: pa.Table, item_hashes: NDArray[np.int64]
) -> tuple[pa.Table, NDArray[np.int64]]:
    """The items with their hashes, each one whose request was split replaced by its halves."""
    if not inquiry.answers.has_split:
        return items, item_hashes
    question, identity = inquiry.question, inquiry.identity
    todo = [Request(question, identity, items.slice(i, 1), item_hashes[i : i + 1]) for i in range(items.num_rows)][::-1]
    whole: list[Request] = []
    while todo:
        request = todo.pop()
        if inquiry.answers.children(request.key) is None:
            whole.append(request)
        else:
            todo += reversed(request.halves() or ())
    return pa.concat_tables([request.items for request in whole]), np.concatenate([r.item_hashes for r in whole])


def _select_about(rows: pa.Table, key: str, ids: pa.ChunkedArray) -> pa.Table:
    """The rows whose `key` is one of `ids`."""
    if key not in rows.column_names:
        raise ValueError(f"The answer's reader gives no column {key!r}, which says what a row is about.")
    return rows.filter(pc.is_in(rows[key], value_set=ids.combine_chunks().cast(rows[key].type)))


def _sort_by(rows: pa.Table, key: str) -> pa.Table:
    return rows.take(pc.sort_indices(rows, sort_keys=[(key, "ascending")]))
