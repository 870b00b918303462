"""Asynchronous jobs of TAP services (IVOA UWS 1.1): waiting, fetching, clearing away, and finding again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from tasks.archives.errors import Retryable, TooMuch
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job
from tasks.archives.replies import BadReply, complaint, csv_answer
from tasks.archives.transport import quietly

ENDED = frozenset(("COMPLETED", "ERROR", "ABORTED", "ARCHIVED"))
WAITING = frozenset(("PENDING", "QUEUED", "HELD"))
UNDER_WAY = WAITING | frozenset(("EXECUTING", "SUSPENDED", "UNKNOWN"))
# A job that is still PENDING when asked the third time was never told to run.
PENDING_AT_MOST = 2
LONGER = 1.5  # each pause, than the one before


class QueueStalled(Retryable):
    """A job waited in the queue of its service for as long as the limits allow, and was given up."""


class RemoteJob(Protocol):
    """A job at the service, through the library that speaks to it."""

    id: str

    def phase(self) -> str:
        """The phase in which the job is, in the words of UWS."""

    def start(self) -> None:
        """Tells the service to run the job."""

    def result(self) -> bytes:
        """The answer of a completed job."""

    def error(self) -> str:
        """The message of a failed job."""

    def remove(self) -> None:
        """Deletes the job at the service."""


def answer(
    service: str, limits: ServiceLimits, job: Job, launch: Callable[[], RemoteJob], attach: Callable[[str], RemoteJob]
) -> bytes:
    """The CSV answer of a job: of the one that `job` remembers, else of a new one.

    `launch` creates a job and has `job` remember it at once, `attach` finds the job with an id. A job that the
    service no longer knows, that failed, or that waits (QueueStalled) or runs for longer than its limits allow is
    forgotten and removed, so that the next attempt begins a new one; any other fault leaves it, and the next attempt
    finds it again. To be called inside of `transport.wire`.
    """
    try:
        remote = attach(job.url.rstrip("/").rsplit("/", 1)[-1]) if job.url else launch()
        phase = _wait(service, remote, limits, job)
        body = remote.result() if phase == "COMPLETED" else b""
    except BadReply as reply:
        # pyvo looks at a new job before it tells us of it: then the address alone says that it was one.
        if reply.status not in (404, 410) or (job.url is None and "/async/" not in reply.url):
            raise
        job.url = None
        raise Retryable(f"{service} no longer knows a job of ours (status {reply.status}).", 0.0) from None
    if phase == "ERROR":
        message = _error_of(remote)
        _clear_away(service, remote, limits, job)
        raise complaint(service, message, f"job {remote.id} in phase {phase}")
    if phase != "COMPLETED":
        _clear_away(service, remote, limits, job)
        raise Retryable(f"{service} ended a job of ours without an answer (job {remote.id} in phase {phase}).")
    try:
        body = csv_answer(service, body, limits.row_cap)
    except TooMuch:
        _clear_away(service, remote, limits, job)
        raise
    quietly(service, limits.timeout_s, remote.remove)
    return body


def _error_of(remote: RemoteJob) -> str:
    """The message of a failed job; empty where there is none."""
    try:
        return remote.error()
    except BadReply as reply:
        if reply.status in (404, 410):
            return ""
        raise


def _wait(service: str, remote: RemoteJob, limits: ServiceLimits, job: Job) -> str:
    """The phase in which the job ended; it is asked for after pauses from the shortest to the longest of the limits."""
    pause, longest = limits.poll_s
    until = time.monotonic() + limits.job_s
    queued_until = time.monotonic() + (limits.job_s if limits.queue_s is None else limits.queue_s)
    n_pending = 0
    while True:
        time.sleep(pause)
        phase = remote.phase().strip().upper()
        if phase in ENDED:
            return phase
        if phase not in UNDER_WAY:
            raise Retryable(
                f"{service} answered with something else than the phase of job {remote.id}: {phase[:60]!r}."
            )
        if time.monotonic() >= until:
            _clear_away(service, remote, limits, job)
            late = f"{service} did not finish a job within {limits.job_s:g} s (job {remote.id} in {phase})."
            raise Retryable(late, is_load=True)
        if phase in WAITING and time.monotonic() >= queued_until:
            _clear_away(service, remote, limits, job)
            raise QueueStalled(f"{service} kept a job waiting for {limits.queue_s:g} s (job {remote.id} in {phase}).")
        n_pending = n_pending + 1 if phase in ("PENDING", "HELD") else 0
        if n_pending > PENDING_AT_MOST:
            quietly(service, limits.timeout_s, remote.start)
            n_pending = 0
        pause = min(pause * LONGER, longest)


def _clear_away(service: str, remote: RemoteJob, limits: ServiceLimits, job: Job) -> None:
    job.url = None
    quietly(service, limits.timeout_s, remote.remove)
