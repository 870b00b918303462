"""Asynchronous jobs of the TAP services: their phases, and who waits for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

ACTIVE = ("PENDING", "QUEUED", "EXECUTING")
# Queries at once, over all services. DuckDB spreads each over the processor's cores by itself.
WORKERS = 4


@dataclass
class Answer:
    """What a query gives: a document, its media type, its file's suffix (".vot.gz") and Content-Encoding."""

    body: bytes = field(repr=False)
    media: str
    suffix: str = ""
    encoding: str | None = None


@dataclass
class Job:
    """One asynchronous job; `result` is there in phase COMPLETED, `error` in phase ERROR."""

    id: str
    service: str
    parameters: dict[str, str]
    uploads: dict[str, bytes] = field(default_factory=dict, repr=False)
    phase: str = "PENDING"
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    started: datetime | None = None
    ended: datetime | None = None
    result: Answer | None = None
    error: str | None = None
    fault: Any = None  # the content fault (`state.Fault`) that its answer will have
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def become(self, phase: str, result: Answer | None = None, error: str | None = None) -> bool:
        """Change the phase; False where the job had ended or was aborted before."""
        with self._lock:
            if self.phase not in ACTIVE:
                return False
            now = datetime.now(UTC)
            if phase == "EXECUTING":
                self.started = now
            elif phase not in ACTIVE:
                self.ended = now
            self.result, self.error, self.phase = result, error, phase
            return True


class Jobs:
    """All jobs of a server, by service and id; they run in a small pool of threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[tuple[str, str], Job] = {}
        self._count = 0
        self._pool = ThreadPoolExecutor(WORKERS, "job")
        self._started = int(time.time() * 1000)
        self._closing = threading.Event()

    def create(self, service: str, parameters: dict[str, str], uploads: dict[str, bytes]) -> Job:
        """Add a job of the service, which waits for `run`."""
        with self._lock:
            self._count += 1
            # Gaia's ids are a time in milliseconds and a letter; a restarted server does not know the old ones.
            job = Job(f"{self._started + self._count}O", service, parameters, uploads)
            self._jobs[service, job.id] = job
            return job

    def get(self, service: str, id: str) -> Job | None:
        """The job of the service with this id, or None."""
        return self._jobs.get((service, id))

    def of(self, service: str) -> list[Job]:
        """All jobs of the service, in the order in which they were created."""
        with self._lock:
            return [job for (owner, _), job in self._jobs.items() if owner == service]

    def active(self, service: str) -> int:
        """How many jobs of the service run or wait to run."""
        return sum(job.phase in ("QUEUED", "EXECUTING") for job in self.of(service))

    def remove(self, service: str, id: str) -> bool:
        """Forget a job and its result; False where there is none."""
        with self._lock:
            job = self._jobs.pop((service, id), None)
        if job is not None:
            job.become("ABORTED")
        return job is not None

    def run(self, job: Job, work: Callable[[Job], Answer], queue_s: float = 0.0) -> None:
        """Queue a job, for `queue_s` at least; whatever `work` raises becomes its error document's text."""
        if job.phase == "PENDING" and job.become("QUEUED"):
            self._pool.submit(self._run, job, work, time.monotonic() + queue_s)

    def close(self) -> None:
        """Start no further job, and do not wait for those that run."""
        self._closing.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, job: Job, work: Callable[[Job], Answer], not_before: float) -> None:
        if not self._closing.wait(max(0.0, not_before - time.monotonic())):
            _run(job, work)


def _run(job: Job, work: Callable[[Job], Answer]) -> None:
    if not job.become("EXECUTING"):
        return
    try:
        answer = work(job)
    except Exception as error:
        job.become("ERROR", error=str(error) or type(error).__name__)
    else:
        job.become("COMPLETED", result=answer)
