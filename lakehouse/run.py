"""Who is writing, where, and with what: stamped on every commit."""

from __future__ import annotations

from dataclasses import dataclass, field

from lakehouse.delta.reference import TableRef


@dataclass(frozen=True)
class Run:
    """One run of the catalogue: its id, its lake and dataset, and where its work is done."""

    run_id: str
    lake: str
    dataset: str
    scheduler: str
    chunk_objects: int = 500
    retries: int = 2


@dataclass(frozen=True)
class StageResult:
    """What a stage did: `done` of `total` objects; the rest was up to date."""

    name: str
    done: int
    total: int
    tables: tuple[TableRef, ...] = ()
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def is_new(self) -> bool:
        """True where the stage had anything to do."""
        return self.done > 0
