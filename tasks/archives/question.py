"""What is asked of an archive: one question about many items, cut into requests by whoever sends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True)
class Question:
    """One kind of question to one service.

    `service` is a name in `services.SERVICES`. `text` is what is asked, in the service's own words: ADQL in which
    ``{items}`` stands for the list of ids of a request (or ``TAP_UPLOAD.items`` for its table), or the name of a
    product; `parameters` are the rest of it. `key` names the column, of the items and of the answer, that says
    which item a row of the answer is about; None where the answer does not say (a selection). `is_upload`: the
    items travel as a table. `chunk` is how many items a request may hold, where that is less than the service's
    limits say. `expects_all`: every item ought to have rows, so one that has none is asked about once more. `read`
    turns a verbatim answer into a table; it is no part of what is asked, so a changed reader reads again and does
    not ask again. `order` gives each item a number (N,): items with like ones belong in one request; without it
    they are ordered by their key. None of the following is part of what is asked either. `spelling`: where the service
    has two names for a parameter's value, it maps the value to the name that is tried first. `is_sync` asks without
    the service's queue. `timeout_s` is how long a reply may take, where that is more than the service's limits say.
    `hint` ends the sentence about a question that is not understood. `same_as` is a question that means the same to
    another service, by the same key and with the same columns: what is kept of its answers is not asked for again.

    The rest says what an answer must be like, and is no part of what is asked. `within` names the column of the answer
    that lies between an item's `lo` and `hi`. `expects_some`: of ten items or more some have rows. `n_expected`: a
    table of the key and `n_row`, how many rows an item has as far as is known. `may_be_unknown`: the items were given
    by a user, so that an answer may hold none of them, however many they are.
    """

    service: str
    text: str
    release: str
    read: Callable[[bytes], pa.Table] = field(compare=False)
    parameters: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    is_upload: bool = False
    chunk: int | None = None
    expects_all: bool = False
    order: Callable[[pa.Table], NDArray[np.int64]] | None = field(default=None, compare=False)
    spelling: Mapping[str, str] = field(default_factory=dict, compare=False)
    is_sync: bool = field(default=False, compare=False)
    timeout_s: float | None = field(default=None, compare=False)
    hint: str = field(default="", compare=False)
    same_as: Question | None = field(default=None, compare=False)
    within: str | None = field(default=None, compare=False)
    expects_some: bool = field(default=False, compare=False)
    n_expected: pa.Table | None = field(default=None, compare=False, repr=False)
    may_be_unknown: bool = field(default=False, compare=False)

    def identity(self, endpoint: str) -> str:
        """Hash of everything that is asked but for the items, (32 hex digits); `endpoint` names the archives asked."""
        parts = (endpoint, self.service, self.release, self.text, repr(sorted(self.parameters.items())), self.key or "")
        return blake2b("\0".join(parts).encode(), digest_size=16).hexdigest()


class Job(Protocol):
    """What the sender remembers of an asynchronous job, so that a restart finds it again."""

    url: str | None

    def remember(self, url: str) -> None:
        """Remember the job before anything else is done with it."""


class Client(Protocol):
    """A client of one service. Errors are those of `tasks.archives.errors`, and no others."""

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer to one request, checked to be an answer."""


@runtime_checkable
class TellsOutage(Protocol):
    """A client whose service says whether it is up."""

    def outage(self) -> str:
        """What the service says of being down, to end a sentence: " until ... (why)"; "" where it says nothing."""
