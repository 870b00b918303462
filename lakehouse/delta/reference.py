"""References that cross task borders in place of rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class TableRef:
    """One version of one table; `rows` is how many rows the commit wrote."""

    table: str
    version: int
    rows: int


@dataclass(frozen=True)
class Version:
    """One commit in a table's history; `rows` is how many rows the table holds since then, `source` as in `Stamp`."""

    version: int
    time: datetime
    run_id: str
    stage: str
    operation: str
    rows: int
    source: str = ""


@dataclass(frozen=True)
class Stamp:
    """What every commit carries: who wrote it, in which stage, how, and the token that makes it happen once.

    `source` is the fingerprint of what the rows were made of, where the writer says it.
    """

    run_id: str
    operation: str
    token: str
    stage: str = ""
    source: str = ""
