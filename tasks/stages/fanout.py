"""Fan work out over Dask: many coarse calls, results as they finish, progress as they come."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import dask
from distributed import Client, LocalCluster, as_completed

from schemas import BadInput

T = TypeVar("T")

# Dask tells workers to hand freed memory back at once, which costs networks a third of their time in page faults.
WORKER_ENVIRONMENT = {
    "MALLOC_TRIM_THRESHOLD_": str(2**27),
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "OMP_NUM_THREADS": "1",
}
# Dask watches itself many times a second, which costs a few percent of every core; chunks take seconds.
QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "60s",
    "distributed.admin.system-monitor.interval": "2s",
}
ANSWER_S = 10  # within which a scheduler must answer


@contextmanager
def cluster(n_workers: int, scheduler: str | None = None) -> Iterator[str]:
    """Address of the running scheduler, or of a local cluster of one-thread processes that ends with the block."""
    if scheduler is not None:
        require(scheduler)
        yield scheduler
        return
    dask.config.set({"distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT, **QUIET})
    with LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        silence_logs=logging.ERROR,
    ) as local:
        yield local.scheduler_address


def require(address: str) -> None:
    """Says so where the scheduler at `address` has no worker yet; BadInput where none answers."""
    try:
        with Client(address, timeout=ANSWER_S, set_as_default=False) as client:
            n_workers = len(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, ValueError) as error:
        raise BadInput(f"no Dask scheduler answers at {address} within {ANSWER_S} s: start one with `dask scheduler`, "
                       "or leave compute.scheduler out for a cluster of this machine.") from error  # fmt: skip
    if not n_workers:
        print(f"The scheduler at {address} has no worker yet: waiting for one.", file=sys.stderr, flush=True)


def fan_out(
    address: str,
    function: Callable[..., T],
    jobs: Sequence[tuple[Any, ...]],
    label: str,
    sizes: Sequence[int] | None = None,
    retries: int = 2,
) -> list[T]:
    """``function(*job)`` for every job on the cluster at `address`; results in the order of `jobs`.

    Jobs carry paths and ids, never tables. `sizes` are the objects in each job, for the progress line.
    A job that fails `retries` times more raises its own error here, and the others are given up.
    """
    if not jobs:
        return []
    counts = list(sizes) if sizes is not None else [1] * len(jobs)
    results: dict[int, T] = {}
    with Client(address, set_as_default=False) as client, progress(label, sum(counts)) as advance:
        futures = [client.submit(function, *job, pure=False, retries=retries) for job in jobs]
        position = {future.key: i for i, future in enumerate(futures)}
        for future in as_completed(futures, loop=client.loop):
            i = position[future.key]
            results[i] = future.result()
            future.release()
            advance(counts[i])
    return [results[i] for i in range(len(jobs))]


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[int], None]]:
    """A live bar with counts and rates on a terminal; elsewhere a line at most every ten seconds. 0: total unknown."""
    if sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("  {task.description:<10}"), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
        )  # fmt: skip
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=total or None, rate="")
            started, done = time.monotonic(), [0]

            def advance(n: int) -> None:
                done[0] += n
                bar.update(task, advance=n, rate=pace(done[0], time.monotonic() - started))

            yield advance
        return
    started = said = time.monotonic()
    count = 0

    def say(n: int) -> None:
        nonlocal said, count
        count += n
        now = time.monotonic()
        if now - said > 10:
            said = now
            of = f" of {total:,}" if total else ""
            print(f"  {label}: {count:,}{of}, {pace(count, now - started)}", file=sys.stderr, flush=True)

    yield say


def pace(n: int, seconds: float) -> str:
    """A rate in words: per second, or per minute where that says more."""
    rate = n / max(seconds, 1e-9)
    return f"{rate:,.0f}/s" if rate >= 2 else f"{60 * rate:,.0f}/min"
