"""Work spread over Dask: a cluster, and many coarse calls on it whose results come as they finish."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import dask
from distributed import Client, Future, LocalCluster, as_completed
from distributed.security import Security

from lakehouse.disk import private_folder
from schemas import BadInput
from tasks.stages.progress import progress

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
SECURITY: dict[str, Security] = {}  # keys of the clusters that this process runs, by their address


@contextmanager
def open_cluster(n_workers: int, scheduler: str | None = None) -> Iterator[str]:
    """Address of the running scheduler, or of a local cluster of one-thread processes that ends with the block.

    A scheduler runs whatever code it is sent, so the local one takes connections with its own certificate alone, which
    lives in the memory of its processes: other users of the machine have none.
    """
    if scheduler is not None:
        require_scheduler(scheduler)
        yield scheduler
        return
    dask.config.set({"distributed.nanny.pre-spawn-environ": WORKER_ENVIRONMENT, **QUIET})
    with LocalCluster(
        n_workers=n_workers,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        memory_limit=0,
        silence_logs=logging.CRITICAL,  # what a worker raises is raised here, once
        local_directory=str(private_folder()),
        security=Security.temporary(),
    ) as local:
        SECURITY[local.scheduler_address] = local.security
        try:
            yield local.scheduler_address
        finally:
            del SECURITY[local.scheduler_address]


def connect(address: str, **options: Any) -> Client:
    """A client of the scheduler at `address`, with the key of a cluster of this process."""
    return Client(address, security=SECURITY.get(address), set_as_default=False, **options)


def require_scheduler(address: str) -> None:
    """Raise BadInput where no scheduler answers at `address`; print a line where it has no worker yet."""
    try:
        with connect(address, timeout=ANSWER_S) as client:
            n_workers = len(client.scheduler_info(n_workers=-1)["workers"])
    except (OSError, ValueError, OverflowError) as error:
        raise BadInput(
            f"no Dask scheduler answers at {address} within {ANSWER_S} s: start one with `dask scheduler`, "
            "or leave compute.scheduler out for a cluster of this machine."
        ) from error
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
    counts = list(sizes) if sizes is not None else [1] * len(jobs)
    return _spread(address, function, jobs, label, counts, retries, Future.result)


def try_all(
    address: str, function: Callable[..., object], jobs: Sequence[tuple[Any, ...]], label: str, retries: int = 2
) -> list[Exception | None]:
    """Call ``function(*job)`` for every job as `fan_out` does; a job that fails fails alone.

    Returns the error of each job, None where it was done, in the order of `jobs`. A job fails, too, that ends the
    processes of several workers, one after the other.
    """
    return _spread(address, function, jobs, label, [1] * len(jobs), retries, Future.exception)


def _spread(
    address: str,
    function: Callable[..., object],
    jobs: Sequence[tuple[Any, ...]],
    label: str,
    counts: Sequence[int],
    retries: int,
    outcome: Callable[[Future], Any],
) -> list[Any]:
    """The `outcome` of every job in the order of `jobs`; each is released when it is there."""
    if not jobs:
        return []
    with connect(address) as client, progress(label, sum(counts)) as advance:
        futures = [client.submit(function, *job, pure=False, retries=retries) for job in jobs]
        position = {future.key: i for i, future in enumerate(futures)}
        results: dict[int, Any] = {}
        for future in as_completed(futures, loop=client.loop):
            i = position[future.key]
            results[i] = outcome(future)
            future.release()
            advance(counts[i])
        return [results[i] for i in range(len(futures))]
