"""Threads that ask one service, what they have asked so far, and how they stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class Stop:
    """The first error ends everything that waits or has not begun."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self._is_set, self._mutex = threading.Event(), threading.Lock()

    def set(self, error: BaseException) -> None:
        """Stops, for this reason unless there is one already."""
        with self._mutex:
            self.error = self.error or error
            self._is_set.set()

    def check(self) -> None:
        """Raises the reason, where there is one."""
        if self.error is not None:
            raise self.error

    def pause(self, seconds: float) -> None:
        """Waits, but not longer than until the stop."""
        self._is_set.wait(seconds)
        self.check()


class SendingThreads:
    """Threads that send for one service.

    They are daemons: a program that ends does not wait for an archive's job, whose address is on record.
    """

    def __init__(self, n_thread: int, name: str) -> None:
        self._n_thread, self._name = n_thread, name
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._mutex = threading.Lock()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """The call, begun when a thread is free; it may be cancelled until then."""
        future: Future[T] = Future()
        self._jobs.put((future, call))
        with self._mutex:
            if len(self._threads) < self._n_thread:
                self._threads.append(threading.Thread(target=self._work, name=self._name, daemon=True))
                self._threads[-1].start()
        return future

    def close(self) -> None:
        """The threads end when what was submitted is done."""
        for _ in self._threads:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, call = job
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del job, future, call  # an answer is not kept alive by a thread that waits for the next


@dataclass
class Counts:
    """What was asked of one service: requests sent, how many of them again, and what came of them."""

    requests: int = 0
    retries: int = 0
    stored: int = 0  # answers that were in the store already
    bytes: int = 0
    rows: int = 0


class Tally:
    """Counts by service, shared by threads."""

    def __init__(self) -> None:
        self._counts: dict[str, Counts] = {}
        self._mutex = threading.Lock()

    def add(self, service: str, **more: int) -> None:
        """Adds to the counts of a service."""
        with self._mutex:
            counts = self._counts.setdefault(service, Counts())
            for name, n in more.items():
                setattr(counts, name, getattr(counts, name) + n)

    def counts(self) -> dict[str, dict[str, int]]:
        """The counts so far."""
        with self._mutex:
            return {service: asdict(counts) for service, counts in self._counts.items()}
