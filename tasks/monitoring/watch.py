"""A stage on its task's page: a bar that moves while it runs, what it says in the log, and at its end a table."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable
from typing import ParamSpec

from lakehouse.run import StageResult
from tasks.monitoring.post import Page, find_page
from tasks.stages.progress import heard_by, pace

P = ParamSpec("P")
SECONDS_BETWEEN_BARS, SECONDS_BETWEEN_LINES = 3.0, 60.0


def watched(stage: Callable[P, StageResult]) -> Callable[P, StageResult]:
    """`stage`, a function of a run, shown on the page of its task run; as it is where nobody listens."""

    @functools.wraps(stage)
    def shown(*args: P.args, **kwargs: P.kwargs) -> StageResult:
        page = find_page()
        if page is None:
            return stage(*args, **kwargs)
        watch = Watch(page, f"{args[0].dataset}-{stage.__name__}")  # type: ignore[attr-defined]
        with heard_by(watch):
            try:
                done = stage(*args, **kwargs)
            except BaseException as error:
                page.log(f"{stage.__name__} ended early: {str(error) or type(error).__name__}", is_error=True)
                raise
        watch.end(done)
        return done

    return shown


class Watch:
    """Listens to one stage; `key` names its artifacts."""

    def __init__(self, page: Page, key: str) -> None:
        self._page, self._key = page, key
        self._began = self._line_at = time.monotonic()
        self._bar_at = 0.0
        self._change: Callable[[object, str], None] | None = None

    def count(self, label: str, done: int, total: int, seconds: float) -> None:
        """Move the bar, at most every few seconds, and say so in the log once a minute."""
        now = time.monotonic()
        if total and now - self._bar_at > SECONDS_BETWEEN_BARS:
            self._bar_at = now
            self._move(min(100.0 * done / total, 100.0), f"{label}: {done:,} of {total:,}, {pace(done, seconds)}")
        if now - self._line_at > SECONDS_BETWEEN_LINES:
            self._line_at = now
            self.tell(f"{label}: {done:,}{f' of {total:,}' if total else ''}, {pace(done, seconds)}")

    def tell(self, sentence: str) -> None:
        """A line in the log of the task run."""
        self._page.log(sentence)

    def end(self, done: StageResult) -> None:
        """The bar is full, the log says what was done and how fast, and a table lists what came of it."""
        seconds = time.monotonic() - self._began
        sentence = describe_stage(done, seconds)
        if done.is_new:
            self._move(100.0, sentence)
        for line in (sentence, *(f"{done.name}: {note}" for note in done.notes)):
            self.tell(line)
        self._page.put("table", self._key, json.dumps(list_facts(done, seconds)), sentence)

    def _move(self, percent: float, words: str) -> None:
        if self._change is None:
            self._change = self._page.put("progress", f"{self._key}-progress", percent, words)
        else:
            self._change(percent, words)


def describe_stage(done: StageResult, seconds: float) -> str:
    """A finished stage in a line: how many of how many, how long, how fast."""
    if not done.is_new:
        return f"{done.name}: up to date, {done.total:,} looked at in {seconds:.1f} s"
    return f"{done.name}: {done.done:,} of {done.total:,} in {seconds:.1f} s, {pace(done.done, seconds)}"


def list_facts(done: StageResult, seconds: float) -> list[dict[str, str]]:
    """What a stage did as rows of a table: counts, tables with the versions that it wrote, notes."""
    rate = {"rate": pace(done.done, seconds)} if done.is_new else {}
    counts = {"done": f"{done.done:,}", "of": f"{done.total:,}", "seconds": f"{seconds:.1f}", **rate}
    counts |= {name: f"{value:,}" for name, value in done.counts.items()}
    rows = [
        *counts.items(),
        *(("wrote", f"{ref.table}@{ref.version}, {ref.rows:,} rows") for ref in done.tables if ref.rows),
    ]
    return [{"what": what, "value": value} for what, value in [*rows, *(("note", note) for note in done.notes)]]
