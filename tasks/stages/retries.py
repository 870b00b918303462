"""Which failed stages are worth another try."""

from __future__ import annotations

from typing import Protocol

from schemas import BadInput


class Outcome(Protocol):
    """How a stage ended."""

    def result(self, *, raise_on_failure: bool) -> object:
        """What the stage returned; what it raised where it failed and `raise_on_failure` is false."""


def is_transient(task: object, run: object, outcome: Outcome) -> bool:
    """Whether a failed stage is worth another try: not where the input is at fault, which stays as it is.

    It is asked of the outcome alone: an orchestrator that calls it with the task and its run finds them ignored.
    """
    return not isinstance(outcome.result(raise_on_failure=False), BadInput)
