"""Questions put straight to the archives, without a lake: what a check asks, and nothing that a catalogue holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from schemas.inputs import ArchiveSource
from tasks.archives.clients import open_clients
from tasks.archives.errors import Retryable
from tasks.archives.question import Question
from tasks.stages.acquire.addresses import addresses, limits_of

REPLY_S, JOB_S = 300.0, 300.0  # at most, for one reply and for an asynchronous job


@dataclass(frozen=True)
class Archives:
    """Archives that can be asked: `send` puts a question about items, in so many attempts; `describe` gives the columns
    of Gaia's tables without a query (`tasks.archives.vosi`). `cdn` is the folder of the bulk files."""

    send: Callable[[Question, pa.Table, int], bytes]
    describe: Callable[[], pa.Table]
    name: str
    cdn: str


@dataclass
class UnkeptJob:
    """A job that nobody looks for again: a check that ends asks anew."""

    url: str | None = None

    def remember(self, url: str) -> None:
        """Remember the job for the rest of this attempt."""
        self.url = url


@contextmanager
def open_archives(source: ArchiveSource, folder: Path) -> Iterator[Archives]:
    """The archives of `source`; `folder` is where a replica that is started for them has its tables.

    A question is put in so many attempts, with the pauses of the archives' limits, and never cut into smaller ones;
    `send` raises what the clients raise.
    """
    limits = {
        name: replace(each, timeout_s=min(each.timeout_s, REPLY_S), job_s=min(each.job_s, JOB_S))
        for name, each in limits_of(source).items()
    }
    with addresses(source, folder) as endpoints:
        clients = open_clients(endpoints, limits)

        def send(question: Question, items: pa.Table, attempts: int) -> bytes:
            pause = limits[question.service].backoff_s[0]
            for left in reversed(range(attempts)):
                try:
                    return clients[question.service].send(question, items, UnkeptJob())
                except Retryable as error:
                    if not left:
                        raise
                    time.sleep(pause if error.after_s is None else min(error.after_s, pause))
            raise ValueError("a question is put at least once")

        def describe() -> pa.Table:
            from tasks.archives.vosi import describe_tables  # pyvo, which takes a second

            return describe_tables("gaia_tap", endpoints.addresses["gaia_tap"], limits["gaia_tap"])

        yield Archives(send, describe, endpoints.name, endpoints.addresses["gaia_cdn"])
