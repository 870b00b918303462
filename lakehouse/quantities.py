"""The quantities of a dataset: those that every dataset knows, and those that it describes itself."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lakehouse.delta.store import Lake
from schemas import TABLES
from schemas.quantities import QUANTITIES, Quantity, quantity

OWN = TABLES["core_dataset__quantity"]
DESCRIBED = ("unit", "ucd", "is_log", "doc")


def quantity_rows(dataset: str, own: tuple[Quantity, ...]) -> pa.Table:
    """Rows of core_dataset__quantity of the quantities that a dataset describes itself."""
    rows: list[dict[str, Any]] = [{**asdict(each), "dataset": dataset, "quantity": each.name} for each in own]
    return pa.Table.from_pylist(rows, schema=OWN.arrow())


def read_quantity(lake: Lake, dataset: str, name: str) -> Quantity:
    """The quantity called `name`: as every dataset knows it, else as this one describes it, else without a unit."""
    if name in QUANTITIES or not lake.exists(OWN):
        return quantity(name)
    rows = lake.read(OWN, where={"dataset": dataset})
    own = rows.filter(pc.equal(rows["quantity"], name)).select(DESCRIBED).to_pylist()
    return replace(quantity(name), **own[0]) if own else quantity(name)
