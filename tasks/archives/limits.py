"""The limits of a service: how many requests at a time, how often, how large, and how long to wait."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ServiceLimits:
    """Limits of one service.

    `parallel` requests at a time and `per_second` of them begun, over all programs of this machine; `chunk` items a
    request; `timeout_s` of silence from the server, `job_s` for a whole asynchronous job, asked after every `poll_s`
    (first and longest pause); `attempts` in all, with pauses of `backoff_s` (first and longest, doubling); a request
    over which the server broke down or ran out of time `halve_after` times is halved; `row_cap` rows mean that it was
    cut off. A whole reply takes at most `reply_s`, however it trickles, and has at most `reply_bytes`; the files in a
    zip file have at most `unpacked_bytes` together. A job that waits for `queue_s` in the service's queue
    is given up, and asked for without the queue.
    """

    parallel: int
    chunk: int
    timeout_s: float
    per_second: float | None = None
    job_s: float = 7200.0
    poll_s: tuple[float, float] = (2.0, 30.0)
    attempts: int = 5
    backoff_s: tuple[float, float] = (30.0, 900.0)
    halve_after: int = 3
    row_cap: int | None = None
    queue_s: float | None = None
    reply_s: float = 1800.0
    reply_bytes: int = 1 << 30
    unpacked_bytes: int = 1 << 28

    def without_waiting(self) -> ServiceLimits:
        """The same chunks and caps with short pauses: for a server on this machine."""
        queue_s = None if self.queue_s is None else 5.0
        short = replace(self, per_second=None, timeout_s=20.0, reply_s=120.0, job_s=120.0, queue_s=queue_s)
        return replace(short, poll_s=(0.01, 0.5), backoff_s=(0.05, 0.5))


@dataclass(frozen=True)
class Pace:
    """Seconds that a service takes for a request, each item of it and each KiB of its reply; `source` says so."""

    request_s: float
    item_s: float
    kib_s: float
    source: str

    def seconds(self, requests: float, items: float, kib: float) -> float:
        """Seconds that so many requests take one after the other."""
        return requests * self.request_s + items * self.item_s + kib * self.kib_s
