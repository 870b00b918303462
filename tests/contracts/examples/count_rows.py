"""A flow: how many rows each table of a lake has."""

from __future__ import annotations

from pathlib import Path

from prefect import flow

from lakehouse.delta.store import Lake


@flow(name="count-rows")
def count_rows(lake: Path = Path("lake")) -> dict[str, int]:
    """Rows of every table of the lake, by its name."""
    place = Lake(lake)
    return {name: place.count(name) for name in place.tables()}
