"""The ledger of requests: the raw store's records as a table. The records are the truth, the table a copy."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pyarrow as pa

from lakehouse.answers.raw import RawStore, Record
from lakehouse.delta.reference import TableRef
from lakehouse.delta.store import Lake
from schemas.tables.request import RAW_ARCHIVE__REQUEST as REQUEST

OVERLAP_S = 3600.0  # records written while an earlier ledger was: looked at again


def write_ledger(lake: Lake, run_id: str) -> TableRef:
    """Merges the records that differ from the table into it, in one commit; none where all are there already."""
    fresh = ledger_rows(RawStore(lake.path).records_since(_last_written(lake)))
    if lake.exists(REQUEST) and fresh.num_rows:
        known = set(map(_identity, lake.read(REQUEST).to_pylist()))
        fresh = fresh.filter(pa.array([_identity(row) not in known for row in fresh.to_pylist()], pa.bool_()))
    return lake.merge(run_id, REQUEST, fresh, stage="acquire")


def ledger_rows(records: Iterable[Record]) -> pa.Table:
    """The records as rows of raw_archive__request."""
    return pa.Table.from_pylist([_row(record) for record in records], schema=REQUEST.arrow())


def _row(record: Record) -> dict[str, Any]:
    parameters = "".join(f"\n{name}={value}" for name, value in sorted(record.parameters.items()))
    return {
        "service": record.service,
        "request_hash": record.key,
        "endpoint": record.endpoint,
        "release": record.release,
        "text": record.text + parameters,
        "item": json.dumps(record.item) if record.item else None,
        "n_item": record.n_item,
        "status": record.state,
        "job_id": record.job_url.rstrip("/").rsplit("/", 1)[-1] if record.job_url else None,
        "n_attempt": len(record.attempts),
        "n_row": record.rows,
        "n_byte": record.bytes,
        "seconds": sum(attempt["seconds"] or 0.0 for attempt in record.attempts),
        "content_hash": record.content,
        "first_sent": _time(record.first_sent),
        "answered": _time(record.answered),
        "run_id": record.run_id,
        "last_error": record.last_error,
    }


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _identity(row: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(row.values())


def _last_written(lake: Lake) -> float:
    """Unix time from which on records may differ from the table; 0 where nothing was ever merged."""
    if not lake.exists(REQUEST):
        return 0.0
    merges = [version.time.timestamp() for version in lake.versions(REQUEST) if version.operation == "merge"]
    return max(merges[0] - OVERLAP_S, 0.0) if merges else 0.0
