"""What a user reads where an archive cannot be used: one sentence each, with what to do."""

from __future__ import annotations

from pathlib import Path

from lakehouse.answers.raw import Record
from tasks.archives.errors import ArchiveError, BadQuestion, Refused, TooMuch
from tasks.archives.request import Request


def failure_of(part: Request, record: Record, error: ArchiveError, folder: Path, outage: str = "") -> ArchiveError:
    """The error to raise for a request that failed for good: of the same kind as `error`, its message one sentence.

    `folder` is where the answers are kept; `outage` what the service says about being down.
    """
    service, kept = record.service, all_kept(folder)
    hint = f" {part.question.hint}." if part.question.hint else ""
    what = f"a request about {len(part):,} items" if len(part) > 1 else f"a request about {_only_item(part)}"
    if isinstance(error, Refused):
        return Refused(
            f"{service} refuses all requests ({error_text(error)}): stopped at once, because asking again makes it "
            f"worse; {kept}: wait until the archive gives access again, or write to its help desk, and run the same "
            "command to go on from here."
        )
    if isinstance(error, TooMuch):
        return TooMuch(
            f"{service}: {what} cannot be divided further ({error_text(error)}): {kept}; "
            "ask for less, or raise the row_cap in the limits of this service if it allows more."
        )
    if isinstance(error, BadQuestion):
        return BadQuestion(f"{service} has no usable answer to {what}: {error_text(error)}; {kept}.{hint}")
    down = f"; it says of itself that it is down{outage}" if outage else ""
    return ArchiveError(
        f"{service} failed {len(record.attempts)} times to answer {what} (last: {error_text(error)}{down}): "
        f"{kept}, so run the same command again later to go on from here.{hint}"
    )


def all_kept(folder: Path) -> str:
    """The part of a sentence that says where the answers so far are."""
    return f"nothing is lost, all answers so far are kept in {folder}"


def error_text(error: BaseException) -> str:
    """The message of an error without its full stop, to stand inside of a sentence."""
    return str(error).strip().rstrip(".") or type(error).__name__


def _only_item(part: Request) -> str:
    return ", ".join(f"{name} {value}" for name, value in part.items.to_pylist()[0].items())
