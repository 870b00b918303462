"""Names, types and units of every released table version, frozen in schema.lock.json.

`python -m schemas.lock` adds new versions to the lock and refuses to rewrite one that is in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from schemas.table import TableSpec

LOCK = Path(__file__).with_name("schema.lock.json")


def shape(spec: TableSpec) -> dict[str, object]:
    """What must not change without a new version: key, partition, and each column's type, unit and nullability."""
    columns = {c.name: [str(c.type), c.unit, "null" if c.nullable else "not null"] for c in spec.columns}
    return {"key": list(spec.key), "partition": list(spec.partition), "columns": columns}


def read_lock() -> dict[str, dict[str, object]]:
    """The lock: table@version to its shape."""
    return json.loads(LOCK.read_text()) if LOCK.exists() else {}


def find_changed(tables: Iterable[TableSpec], lock: dict[str, dict[str, object]]) -> list[str]:
    """Tables whose shape differs from the lock, or that it does not hold, each as one sentence."""
    complaints = []
    for spec in tables:
        locked = lock.get(f"{spec.name}@{spec.version}")
        if locked is None:
            complaints.append(f"{spec.name} version {spec.version} is not in the lock: run python -m schemas.lock.")
        elif locked != shape(spec):
            complaints.append(f"{spec.name} version {spec.version} changed its shape: raise its version.")
    return complaints


def main() -> None:
    """Add what is new to the lock; exit with a sentence where a locked version changed."""
    from schemas.tables import TABLES

    lock = read_lock()
    for spec in TABLES.values():
        lock.setdefault(f"{spec.name}@{spec.version}", shape(spec))
    if complaints := find_changed(TABLES.values(), lock):
        raise SystemExit("\n".join(complaints))
    LOCK.write_text(json.dumps(lock, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
