"""Leases: who may do something in a lake just now, such as refresh a dataset or train a model; all others wait.

A lease ends with its holder, however that dies. Here it is a lock of the system on a file of the lake, which any
program of the machine sees; storage without such locks needs another implementation of `Leases`.
"""

from __future__ import annotations

import fcntl
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, TextIO

LEASE_FOLDER = ".leases"


def print_aside(sentence: str) -> None:
    """A sentence on standard error."""
    print(sentence, file=sys.stderr, flush=True)


class Leases(Protocol):
    """The leases of one lake."""

    def hold(self, name: str, what: str, tell: Callable[[str], None] = print_aside) -> AbstractContextManager[None]:
        """The lease `name`, for as long as the block lasts.

        While another holds it, this waits, and tells since when the other does `what`.
        """


def leases_of(lake_path: str | Path) -> Leases:
    """The leases of a lake, by what its storage can do."""
    return FileLeases(Path(lake_path) / LEASE_FOLDER)


@dataclass(frozen=True)
class FileLeases:
    """Leases on a disk of this machine: a locked file each, which says since when and by whom it is held."""

    folder: Path

    @contextmanager
    def hold(self, name: str, what: str, tell: Callable[[str], None] = print_aside) -> Iterator[None]:
        """See `Leases.hold`."""
        path = self.folder / f"{name}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            with open(path, "a+") as file:
                _lock(file, what, tell)
                if not _is_at(file, path):
                    continue
                _sign(file)
                try:
                    yield
                finally:
                    path.unlink()
                return


def _lock(file: TextIO, what: str, tell: Callable[[str], None]) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        tell(f"Another {what} runs since {_read(file)}: waiting for its end.")
        fcntl.flock(file, fcntl.LOCK_EX)


def _is_at(file: TextIO, path: Path) -> bool:
    """False where the holder before removed the file that this one waited for."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _sign(file: TextIO) -> None:
    file.truncate(0)
    file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC (process {os.getpid()} on {socket.gethostname()})")
    file.flush()


def _read(file: TextIO) -> str:
    file.seek(0)
    return file.read() or "just now"
