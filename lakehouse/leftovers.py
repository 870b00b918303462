"""What runs that were killed left in a lake and in its release folder; the next run clears it away and counts it."""

from __future__ import annotations

from pathlib import Path

from lakehouse.delta.staging import clear_committed, clear_staged
from lakehouse.delta.store import Lake
from lakehouse.disk import clear_drafts
from lakehouse.manifest import RUN_FOLDER
from lakehouse.models import MODEL_FOLDER


def clear_before(lake: Lake, dataset: str, release: Path) -> int:
    """Clear half-written files, and staged rows that a commit holds already; returns how many files and folders.

    The caller holds the lease of `dataset`.
    """
    models = lake.path / MODEL_FOLDER / dataset
    folders = [lake.path / RUN_FOLDER, release, models, *models.glob("*/")]
    return clear_committed(lake) + sum(clear_drafts(folder) for folder in folders)


def clear_after(lake: Lake, dataset: str) -> int:
    """At the end of a run that did every stage: clear what runs with other settings staged; returns how many stages.

    The caller holds the lease of `dataset`.
    """
    return clear_staged(lake, dataset)
