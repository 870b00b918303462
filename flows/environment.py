"""Environment that must be set before Prefect is imported: quiet, local, no telemetry."""

import os
import tempfile
from pathlib import Path

ROOM_BYTES = 32 * 2**20

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_API_HOST": "127.0.0.1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",  # a busy machine needs more than the default 20 s
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "DASK_LOGGING__DISTRIBUTED": "critical",
    "OMP_NUM_THREADS": "1",  # processes are the parallelism; threads inside them only fight for the cores
    "MPLBACKEND": "Agg",
}


def quiet() -> None:
    """Set what the user has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def prepare(lake: Path) -> None:
    """Make ready for a run on `lake`: the orchestrator's own state lives there, not in the home folder."""
    quiet()
    home = Path(os.environ.setdefault("PREFECT_HOME", str(lake.resolve() / ".prefect")))
    home.mkdir(mode=0o700, parents=True, exist_ok=True)  # the server keeps its secrets there
    _require_room(home)


def _require_room(folder: Path) -> None:
    """Reserve and give back what a run needs at the least; OSError where the disk or a limit does not allow it.

    Asked before anything starts: an orchestrator without room for its database only falls silent.
    """
    with tempfile.TemporaryFile(dir=folder) as probe:
        os.posix_fallocate(probe.fileno(), 0, ROOM_BYTES)
