"""Which failed stages are worth another try."""

from __future__ import annotations

from typing import Any

from schemas import BadInput


def is_transient(task: Any, run: Any, state: Any) -> bool:
    """Whether a failed stage is worth another try: not where the input is at fault, which stays as it is.

    The signature is that of a Prefect `retry_condition_fn`.
    """
    return not isinstance(state.result(raise_on_failure=False), BadInput)
