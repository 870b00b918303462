"""Which failures a user can do something about, wherever in the machinery they surface."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from schemas import BadInput

FULL_DISK = ("no space left", "file too large", "disk is full", "disk full", "out of disk", "disk quota")


def explain_failure(error: BaseException) -> str | None:
    """The sentence for an error that a user can mend, or None for a defect of ours."""
    for cause in chain(error):
        if isinstance(cause, BadInput):
            return str(cause)
        if isinstance(cause, OSError) and cause.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            return full_disk(cause)
        if any(words in str(cause).lower() for words in FULL_DISK):
            return full_disk(cause)
        if cause is error and isinstance(cause, OSError):
            return f"{str(cause).splitlines()[0]}: check the path and its rights."
        if isinstance(cause, RuntimeError) and "ephemeral" in str(cause):
            return f"The orchestrator's own server did not start ({cause}); run the same command again."
    if is_lost_server(error):
        return f"The orchestrator's server was lost ({error}): run the same command again, it goes on where it stopped."
    return None


def is_lost_server(error: BaseException) -> bool:
    """True where a Prefect server could not be reached: its client speaks httpx, and nothing else here does."""
    return any(type(cause).__module__.partition(".")[0] in ("httpx", "httpcore") for cause in chain(error))


def full_disk(cause: BaseException) -> str:
    """One sentence for a disk, quota or file-size limit that is reached."""
    return (
        f"The disk is full or a file-size limit is reached ({str(cause).splitlines()[0][:120]}): nothing partial is "
        "visible in the lake. Make room and run the same command again; it goes on where it stopped."
    )


def chain(error: BaseException) -> Iterator[BaseException]:
    """An error, its causes and contexts, and the members of groups, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *getattr(one, "exceptions", ())]
