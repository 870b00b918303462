"""The feature dictionary in docs/feature_dictionary.md, generated from what the families declare."""

from __future__ import annotations

import sys
from pathlib import Path

from schemas.column import Column
from tasks.features import order_features
from tasks.features.feature import Feature

PAGE = Path("docs/feature_dictionary.md")
HEADER = """# Feature dictionary

Generated from `tasks/features/` by `make docs`; do not edit. `{band}` stands for a column of each band, `{pair}` for
one of each pair of neighbouring bands and of the first with the last, `{survey}` for one of each survey where there
are several, `{candidate}` for one of each of the four candidate periods, the chosen one first. "Made
with" names the values of catalogues that a column was computed with. How to add a family: [features.md](features.md).
"""


def dictionary() -> str:
    """Markdown page of all families, in the order in which they are computed."""
    return HEADER + "".join(section(feature) for feature in order_features())


def section(feature: Feature) -> str:
    """One family: what it is, its sources, what it asks for, and a row per column."""
    module = sys.modules[feature.compute.__module__]
    about = (module.__doc__ or "").split("\n\n")[0].replace("\n", " ")
    asks = [
        f"needs {', '.join(f'`{name}`' for name in feature.needs)}" if feature.needs else "",
        f"reads {', '.join(f'`{name}`' for name in feature.inputs)} of the object" if feature.inputs else "",
        f"with `--set features.{feature.setting}=true`" if feature.setting else "",
    ]
    asked = "".join(f"; {text}" for text in asks if text)
    head = f"\n## {feature.name}\n\n{about}\n\nVersion {feature.version}{asked}. Source: {feature.source}\n\n"
    return (
        head
        + "| column | unit | UCD | range | made with | definition |\n|---|---|---|---|---|---|\n"
        + "".join(map(_row, feature.columns))
    )


def _row(column: Column) -> str:
    low, high = column.range or (None, None)
    ends = ("" if end is None else f"{end:g}" for end in (low, high))
    span = "" if low is high is None else " .. ".join(ends)
    made_with = ", ".join(value.rpartition(".")[2] for value in column.derived_from)
    doc = column.doc.replace("|", chr(92) + "|")
    return f"| `{column.name}` | {column.unit} | {column.ucd} | {span} | {made_with} | {doc} |\n"


if __name__ == "__main__":
    PAGE.write_text(dictionary())
