"""Limits that hold for all programs of this machine: so many requests to a service at a time, so many begun a second.

A request holds one of the service's slots, a file locked by its program; the system frees the lock when the program
dies, also when it is killed. A program writes its limits into a file of its own, locked as long as it lives:
where two programs disagree, the lower limit holds for both. Machines do not know of each other: share out the limits
where several run at the same time.
"""

from __future__ import annotations

import os
import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from tasks.archives.errors import ArchiveError
from tasks.archives.limits import ServiceLimits
from tasks.archives.services import SERVICES

POLL_S = (0.01, 0.05)
LONGEST_REST_S = 14_400.0  # a later time than this from now means that the clock was set back


def limits_folder() -> Path:
    """Folder of the limits of this user's programs: ARGELANDER_LIMITS, else below XDG_STATE_HOME."""
    if chosen := os.environ.get("ARGELANDER_LIMITS"):
        return Path(chosen)
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "argelander" / "limits"


def gate_name(service: str, address: str) -> str:
    """Name of the gate of a service at a base address: a replica and the real archive have limits of their own."""
    group = SERVICES[service].group if service in SERVICES else ""
    host = urlsplit(address).netloc or address
    return re.sub(r"[^\w.-]", "_", f"{group or service}@{host}")


class Gate:
    """The way to one service. Threads share it; programs meet in its folder."""

    def __init__(self, folder: str | Path, name: str, limits: ServiceLimits | None) -> None:
        if limits is None:
            raise ArchiveError(f"No limits are known for {name}: nothing is asked of it; add it to the services.")
        self.limits = limits
        self.folder = Path(folder) / name
        self._own: FileLock | None = None

    @contextmanager
    def hold(self, pause: Callable[[float], None] = time.sleep) -> Iterator[None]:
        """One request while the block runs: waits until there is room for it.

        `pause` waits for some seconds; it may raise to give up waiting.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        slot = None
        try:
            while True:
                with self._mutex():
                    limit, pace = self._limits()
                    slot = slot or self._slot(limit)
                    wait = self._wait_s(pace) if slot is not None else random.uniform(*POLL_S)
                if slot is not None and wait <= 0:
                    break
                pause(wait)
            yield
        finally:
            if slot is not None:
                slot.release()

    def rest(self, seconds: float) -> None:
        """No request begins for so long (at most LONGEST_REST_S), because the archive asked for a pause."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._mutex():
            last, until = self._times()
            self._write_times(last, max(until, time.time() + min(seconds, LONGEST_REST_S)))

    def close(self) -> None:
        """This program asks no more: its limits no longer hold for others."""
        if self._own is not None:
            self._own.release()
            self._own = None

    # The caller of what follows holds the mutex.

    def _limits(self) -> tuple[int, float | None]:
        """Requests at a time, and begun a second where that is limited: the lowest that a living program keeps."""
        others = self._others()
        paces = [pace for pace in (self.limits.per_second, *(pace for _, pace in others)) if pace]
        return min([self.limits.parallel, *(parallel for parallel, _ in others)]), min(paces, default=None)

    def _slot(self, limit: int) -> FileLock | None:
        """A free slot, held; None where `limit` are held already."""
        # Slots beyond the limit count too: a program with a higher one may have begun before a stricter one came.
        beyond = [path for path in self.folder.glob("slot-*.lock") if int(path.stem[5:]) >= limit]
        n_held, kept = sum(not _is_free(path) for path in beyond), None
        for number in range(limit):
            path = self.folder / f"slot-{number}.lock"
            if kept is None:
                kept = _try(path)
                n_held += kept is None
            elif n_held:
                n_held += not _is_free(path)
        if kept is not None and n_held >= limit:
            kept.release()
            kept = None
        return kept

    def _wait_s(self, pace: float | None) -> float:
        """Seconds to wait before the next request may begin; 0 where it may, and then it has."""
        last, until = self._times()
        now = time.time()
        wait = last + 1 / pace - now if pace and last <= now else 0.0
        if 0 < until - now < LONGEST_REST_S:
            wait = max(wait, until - now)
        if wait <= 0 and pace:
            self._write_times(now, until)
        return max(wait, 0.0)

    def _others(self) -> list[tuple[int, float]]:
        """Limits, (parallel, per second or 0), of the other living programs."""
        if self._own is None:
            name = f"{secrets.token_hex(6)}_{self.limits.parallel}_{self.limits.per_second or 0}.program"
            self._own = FileLock(self.folder / name, thread_local=False)
            self._own.acquire()
        living = []
        for path in self.folder.glob("*.program"):
            if str(path) == self._own.lock_file:
                continue
            if (dead := _try(path)) is not None:
                path.unlink(missing_ok=True)
                dead.release()
                continue
            _, parallel, per_second = path.stem.split("_")
            living.append((int(parallel), float(per_second)))
        return living

    def _mutex(self) -> FileLock:
        return FileLock(self.folder / "mutex.lock", poll_interval=0.002)

    def _times(self) -> tuple[float, float]:
        """When the last request began and until when nobody may begin one, Unix time."""
        try:
            last, until = (self.folder / "times").read_text().split()
            return float(last), float(until)
        except (FileNotFoundError, ValueError):
            return 0.0, 0.0

    def _write_times(self, last: float, until: float) -> None:
        (self.folder / "times").write_text(f"{last:.6f} {until:.6f}\n")


def _try(path: Path) -> FileLock | None:
    slot = FileLock(path, thread_local=False)
    with suppress(Timeout):
        slot.acquire(timeout=0)
        return slot
    return None


def _is_free(path: Path) -> bool:
    if (slot := _try(path)) is not None:
        slot.release()
    return slot is not None
