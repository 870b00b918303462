"""Where copies of tables lie while a process needs them: a folder of its own, and none of processes that are gone.

A killed process cannot remove its folder: the next one does, where nobody holds the lock in it any more.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

PREFIX = "argelander-copies-"
LOCK = "lock"


@functools.cache
def scratch_folder() -> Path:
    """The folder of this process for copies of tables; it goes with the process."""
    _clear()
    folder = _hold()
    return Path(folder.name)


@functools.cache
def _hold() -> TemporaryDirectory[str]:
    """A new folder with a lock that its process, and those that it forks, hold until they end."""
    folder = TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True)
    draft = Path(folder.name) / "draft"
    lock = os.open(draft, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    draft.rename(draft.with_name(LOCK))  # there only once it is held
    return folder


def _clear() -> None:
    """Remove the folders whose locks are free."""
    for path in Path(gettempdir()).glob(f"{PREFIX}*"):
        try:
            with (path / LOCK).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path)
        except OSError:  # in use, of another user, or not complete yet
            continue
