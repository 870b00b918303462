"""The data dictionary in docs/tables.md, generated from the declarations."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.column import Column
from schemas.table import TableSpec

HEADER = """# Tables

Generated from `schemas/tables/` by `python -m schemas.dictionary`; do not edit. A name such as `prob_{class}` stands
for a family of columns, one for each class. Light-curve tables hold one row per (source, survey) with list columns.
"""


def dictionary(tables: Iterable[TableSpec]) -> str:
    """Markdown data dictionary of `tables`."""
    return HEADER + "".join(section(spec) for spec in tables)


def section(spec: TableSpec) -> str:
    """One table of the dictionary: its meaning, key and partition, and a row per column."""
    key, partition = (", ".join(names) for names in (spec.key, spec.partition))
    head = f"\n## {spec.name}\n\n{spec.doc}\n\nVersion {spec.version}; key ({key}); partition ({partition}).\n\n"
    rows = "".join(_row(column) for column in spec.columns)
    return head + "| column | type | unit | UCD | null | range | meaning |\n|---|---|---|---|---|---|---|\n" + rows


def _row(c: Column) -> str:
    low, high = c.range or (None, None)
    span = "" if c.range is None else f"{'' if low is None else f'{low:g}'} .. {'' if high is None else f'{high:g}'}"
    null = "yes" if c.nullable else ""
    return f"| `{c.name}` | {c.type} | {c.unit} | {c.ucd} | {null} | {span} | {c.doc} |\n"


if __name__ == "__main__":
    from pathlib import Path

    from schemas.tables import TABLES

    Path("docs/tables.md").write_text(dictionary(TABLES.values()))
