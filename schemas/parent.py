"""Processes that end with the one that started them: servers and replicas, which nobody would stop else."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

PR_SET_PDEATHSIG = 1  # linux/prctl.h
WATCH_S = 0.5


def die_with_parent() -> None:
    """Ask the kernel, where it is Linux, to kill this process with the thread that started it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def end_with(parent: int) -> None:
    """Have this process, a child of the process `parent`, end with it, however that ends."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    """End this process as soon as it is no longer the parent's child."""
    while os.getppid() == parent:
        time.sleep(WATCH_S)
    os._exit(1)
