"""Column lists of archives, kept as CSV files beside the surveys that ask for them."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa

FOLDER = Path(__file__).parent


def read_rows(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file of this folder, by the names in its header."""
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))


def read_types(name: str) -> dict[str, pa.DataType]:
    """Column `name` of a CSV file to the Arrow type in its column `type`, in the file's order."""
    return {row["name"]: pa.type_for_alias(row["type"]) for row in read_rows(name)}
