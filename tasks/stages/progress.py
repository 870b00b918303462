"""How far a stage is: a live bar on a terminal, a line now and then elsewhere, and to whoever listens."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

SECONDS_BETWEEN_LINES = 10.0
_LIVE: list[Callable[[str], None]] = []  # what writes above the bar that is live, if there is one
_LISTENERS: list[Listener] = []  # what hears everything that is said here


class Listener(Protocol):
    """Who follows a run from elsewhere, such as the page of an orchestrator. It returns at once and raises nothing."""

    def count(self, label: str, done: int, total: int, seconds: float) -> None:
        """So many are done of `total` (0 where unknown), that many seconds after the first began."""

    def tell(self, sentence: str) -> None:
        """A sentence for the log of the run."""


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Within the block `listener` hears what is said, in whichever thread."""
    _LISTENERS.append(listener)
    try:
        yield
    finally:
        _LISTENERS.remove(listener)


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives a function to be told how many more are done. `total` is how many there will be, 0 where unknown.

    A live bar with counts and rates on a terminal; elsewhere a line on stderr at most every ten seconds.
    """
    with (_bar if sys.stderr.isatty() else _lines)(label, total) as advance:
        yield _and_listeners(advance, label, total) if _LISTENERS else advance


def _and_listeners(advance: Callable[[int], None], label: str, total: int) -> Callable[[int], None]:
    """`advance`, and all listeners are told as well."""
    started, done = time.monotonic(), 0

    def advance_all(n: int) -> None:
        nonlocal done
        done += n
        advance(n)
        for listener in _LISTENERS:
            listener.count(label, done, total, time.monotonic() - started)

    return advance_all


def say(sentence: str) -> None:
    """A sentence for who watches the run, on standard error and to listeners; above the bar, where there is one."""
    for write in _LIVE or [_write]:
        write(f"  {sentence}")
    note(sentence)


def note(sentence: str) -> None:
    """A sentence for listeners alone: what a log should hold and a terminal need not show."""
    for listener in _LISTENERS:
        listener.tell(sentence)


def _write(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _bar(label: str, total: int) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    rate = TextColumn("{task.fields[rate]}")
    columns = (TextColumn("  {task.description:<10}"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        _LIVE[:] = [partial(bar.console.print, markup=False, highlight=False, soft_wrap=True)]
        task = bar.add_task(label, total=total or None, rate="")
        started, done = time.monotonic(), 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            bar.update(task, advance=n, rate=pace(done, time.monotonic() - started))

        try:
            yield advance
        finally:
            _LIVE.clear()


@contextmanager
def _lines(label: str, total: int) -> Iterator[Callable[[int], None]]:
    started = last_line = time.monotonic()
    done, of_total = 0, f" of {total:,}" if total else ""

    def advance(n: int) -> None:
        nonlocal last_line, done
        done += n
        now = time.monotonic()
        if now - last_line > SECONDS_BETWEEN_LINES:
            last_line = now
            print(f"  {label}: {done:,}{of_total}, {pace(done, now - started)}", file=sys.stderr, flush=True)

    yield advance


def pace(n: int, seconds: float) -> str:
    """A rate in words: per second, or per minute where that says more."""
    rate = n / max(seconds, 1e-9)
    return f"{rate:,.0f}/s" if rate >= 2 else f"{60 * rate:,.0f}/min"
