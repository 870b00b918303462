"""Environment that must be set before Prefect is imported: quiet, local, no telemetry."""

import os
from pathlib import Path

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    "PREFECT_SERVER_API_HOST": "127.0.0.1",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # a busy machine needs more than the default 20 s
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "DASK_LOGGING__DISTRIBUTED": "error",
    "OMP_NUM_THREADS": "1",  # processes are the parallelism; threads inside them only fight for the cores
    "MPLBACKEND": "Agg",
}


def prepare(lake: Path) -> None:
    """Set what the user has not set. The orchestrator's own state lives in the lake, not in the home folder."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    home = Path(os.environ.setdefault("PREFECT_HOME", str(lake.resolve() / ".prefect")))
    home.mkdir(parents=True, exist_ok=True)
