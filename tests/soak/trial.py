"""What a trial is, and the command line run inside this process, which spares each trial the start of another."""

from __future__ import annotations

import signal
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from typer.testing import CliRunner

LONGEST_S = 300  # a trial that takes longer hangs
ANSWERED, REFUSED, FAULT = "answered", "refused", "fault"


@dataclass(frozen=True)
class Verdict:
    """How a trial ended: an answer, one sentence that refuses it, or a fault, whose traceback `words` hold."""

    outcome: str
    words: str


def generator(part: str, number: int, seed: int) -> np.random.Generator:
    """The random numbers of a trial."""
    return np.random.default_rng([seed, number, *part.encode()])


def run_command(arguments: Sequence[object]) -> Verdict:
    """`argelander` with these arguments. Several sentences, or none where it failed, are a fault too."""
    from flows.cli import app

    with _deadline():
        result = CliRunner().invoke(app, [str(each) for each in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return Verdict(FAULT, "".join(traceback.format_exception(result.exception)))
    if result.exit_code == 0:
        return Verdict(ANSWERED, result.output[-500:])
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
    if result.exit_code == 2 and (len(errors) == 1 or "Usage:" in result.stderr):
        return Verdict(REFUSED, errors[0] if errors else result.stderr[-300:])
    return Verdict(FAULT, f"exit code {result.exit_code}\n{result.output[-3000:]}\n{result.stderr[-3000:]}")


@contextmanager
def _deadline() -> Iterator[None]:
    """TimeoutError in the main thread after `LONGEST_S`."""

    def stop(number: int, frame: Any) -> None:
        raise TimeoutError(f"no end within {LONGEST_S} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
