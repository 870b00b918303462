"""Which code on which machine: what a manifest says of where a run was made."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@cache
def code_version() -> str:
    """`git describe` of the repository the code lies in, else the version of the installed package."""
    if (ROOT / ".git").exists():
        try:
            text = subprocess.run(
                ["git", "describe", "--always", "--dirty", "--tags"],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=True,
                timeout=20,
            ).stdout.strip()
            return text or "uncommitted"
        except (OSError, subprocess.SubprocessError):
            pass  # no git here, or no commit yet: the package says which code this is
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("argelander")
    except PackageNotFoundError:
        return "unknown"


@cache
def lock_hash() -> str:
    """SHA-256 of requirements.lock, else of the names and versions of everything installed."""
    lock = ROOT / "requirements.lock"
    if lock.exists():
        return hashlib.sha256(lock.read_bytes()).hexdigest()
    from importlib.metadata import distributions

    installed = sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions()})
    return hashlib.sha256("\n".join(installed).encode()).hexdigest()


def hardware() -> dict[str, Any]:
    """Processor, cores this program may use, memory in GiB, graphics card (None where there is none), system."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu(),
        "cores": cores,
        "memory_gib": round(pages / 2**30, 1),
        "gpu": _gpu(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _gpu() -> str | None:
    cards = sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
    lines = [line for card in cards for line in card.read_text().splitlines() if line.startswith("Model:")]
    return ", ".join(line.split(":", 1)[1].strip() for line in lines) or None
