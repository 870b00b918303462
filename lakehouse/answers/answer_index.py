"""Which items of a question are answered, in which record, and who is asking for others just now.

Threads and programs that share a lake share the work: an item is asked for under a claim, a file that its holder has
locked, and the system frees the lock when the holder dies. A journal beside the records names those that are finished,
so that a program sees what another has fetched without reading the whole folder again.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lakehouse.answers.item_index import ItemIndex
from lakehouse.answers.raw import DONE, LOST, SPLIT, RawStore, Record, unpack
from lakehouse.delta.commit import lock

JOURNAL, CLAIMS = ".journal", ".claims"
NOTHING = np.empty(0, np.int64)


class Answer(NamedTuple):
    """A request that is answered, and the hash of its answer."""

    key: str
    content: str


class AnswerIndex:
    """The answered items of one question. Made once per question and program; threads share it.

    Answers from before `since` (Unix time) count as none, and stay where they are until there are newer ones.
    """

    def __init__(self, raw: RawStore, service: str, identity: str, since: float = 0.0) -> None:
        self.raw, self.service, self.identity, self.since = raw, service, identity, since
        self.folder = raw.question(service, identity)
        self._mutex = threading.RLock()
        self._index = ItemIndex()
        self._answers: list[Answer | None] = []  # by number
        self._numbers: dict[str, int] = {}
        self._split: dict[str, list[str]] = {}
        self._left_out = NOTHING
        self._read_to = self._journal_size()  # before the folder is read: what is written meanwhile is read twice
        for record in raw.records(service, identity):
            self._learn(record)

    def find(self, item_hashes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of the record that answers each item, (N,); -1 where none does."""
        with self._mutex:
            return self._index.find(item_hashes)

    def left_out(self, item_hashes: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which items, (N,), some answer to a request about them has left out already."""
        with self._mutex:
            return np.isin(item_hashes, self._left_out)

    def answer(self, number: int) -> Answer | None:
        """The answer with this number; None where it was lost meanwhile."""
        with self._mutex:
            return self._answers[number]

    @property
    def has_split(self) -> bool:
        """True where some request was split."""
        return bool(self._split)

    def children(self, key: str) -> list[str] | None:
        """Keys of the requests that this one was split into; None where it was not."""
        with self._mutex:
            return self._split.get(key)

    def finish(self, record: Record) -> None:
        """Writes a record that is done or split, and tells the others."""
        self.raw.write(record)
        self._tell(record)

    def note(self, record: Record) -> None:
        """Writes a record that is neither done nor split, with what its answer left out."""
        self.raw.note(record)
        self._learn(record)

    def lose(self, number: int) -> None:
        """An answer turned out to be damaged: its items count as not answered, here and on disk."""
        with self._mutex:
            old = self._answers[number]
            if old is None:
                return
            self._answers[number] = None
            self._index.drop(number)
            del self._numbers[old.key]
            record = self.raw.record(self.service, self.identity, old.key)
            if record is None or record.state != DONE:
                return
            if record.content == old.content:
                record.state = LOST
                self.raw.write(record)
            else:  # another program has asked again
                self._learn(record)

    def refresh(self) -> None:
        """Learns what other programs have finished since."""
        with self._mutex:
            if self._journal_size() <= self._read_to:
                return
            with open(self.folder / JOURNAL, "rb") as journal:
                journal.seek(self._read_to)
                lines = journal.read()
            whole = lines.rfind(b"\n") + 1
            self._read_to += whole
            for key in dict.fromkeys(lines[:whole].decode().split()):
                if key not in self._numbers and key not in self._split:
                    record = self.raw.record(self.service, self.identity, key)
                    if record is not None:
                        self._learn(record)

    @contextmanager
    def claim(self, key: str, item_hashes: NDArray[np.int64]) -> Iterator[NDArray[np.bool_]]:
        """Claims a request while the block runs. Yields which items, (N,), are neither answered nor being asked for.

        The claim stands only where that is all of them: else ask for fewer, or wait for the others.
        """
        claims = self.folder / CLAIMS
        claims.mkdir(parents=True, exist_ok=True)
        held = None
        with lock(self.folder):
            taken = [self._claimed(path) for path in claims.iterdir()]
            self.refresh()  # after the claims: what is claimed no more is in the journal by now, or has no answer
            free = (self.find(item_hashes) < 0) & ~np.isin(item_hashes, np.concatenate([NOTHING, *taken]))
            if free.all():
                held = os.open(claims / key, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o644)
                fcntl.flock(held, fcntl.LOCK_EX)  # at once: whoever looks at claims holds the folder's lock
                os.write(held, np.asarray(item_hashes, "<i8").tobytes())
        try:
            yield free
        finally:
            if held is not None:
                (claims / key).unlink(missing_ok=True)
                os.close(held)

    def _claimed(self, path: Path) -> NDArray[np.int64]:
        """Hashes of the items that a living holder asks for; none, and the claim is cleared away, where it died."""
        with suppress(FileNotFoundError), open(path, "rb") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return np.frombuffer(handle.read(), "<i8")
            record = self.raw.record(self.service, self.identity, path.name)
            if record is not None:  # the holder may have died between its record and the journal
                self._tell(record)
            path.unlink(missing_ok=True)
        return NOTHING

    def _tell(self, record: Record) -> None:
        if self._learn(record):
            with open(self.folder / JOURNAL, "ab", buffering=0) as journal:
                journal.write(f"{record.key}\n".encode())  # one write to the end of the file: whole or absent

    def _learn(self, record: Record) -> bool:
        """Takes a record in; False where there is nothing new in it."""
        if record.state == DONE and record.answered_at < self.since:
            return False
        with self._mutex:
            if record.left_out:
                self._left_out = np.union1d(self._left_out, unpack(record.left_out))
            if record.state == SPLIT:
                is_new = record.key not in self._split
                self._split[record.key] = record.children
                return is_new
            answer = Answer(record.key, record.content or "")
            if record.state != DONE or self._numbers.get(record.key, -1) >= 0:
                return False
            self._numbers[record.key] = len(self._answers)
            self._index.add(record.item_hashes, len(self._answers))
            self._answers.append(answer)
            return True

    def _journal_size(self) -> int:
        path = self.folder / JOURNAL
        return path.stat().st_size if path.exists() else 0
