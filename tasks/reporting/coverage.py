"""The table of what sets and intervals of the chosen recipe hold, beside what they promise."""

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.reporting.notation import ABSENT, count, interval, metric_label, split_label, target_label
from tasks.reporting.parts import Cell, Line, Table
from tasks.reporting.tables import digits

_METRICS = ("set_coverage", "coverage", "coverage_95", "skill")

SKILL = (
    " Skill is 1 less the ratio of the RMSE to that of the median of the star's class: where its interval, a 95 % "
    "bootstrap, is not above 0, the class says as much as the value."
)
Record = dict[str, Any]


def coverage_table(records: Sequence[Record], target: str, split: str, colours: Mapping[str, str]) -> Table | None:
    """Coverage of the chosen recipe: of all objects, then of each class, then by magnitude; None where not measured."""
    mine = [r for r in records if r["target"] == target and r["split"] == split and r["is_chosen"]]
    found = {(r["metric"].partition(":")[0], r["metric"].partition(":")[2] or r["class"]): r for r in mine}
    metrics = [metric for metric in _METRICS if (metric, "all") in found]
    if not metrics:
        return None
    names = dict.fromkeys(name for metric, name in found if metric in metrics)
    groups = sorted(names, key=lambda name: (name != "all", name.endswith(" mag"), [*names].index(name)))
    lines = [_line(name, [found.get((metric, name)) for metric in metrics], colours) for name in groups]
    header = (Cell("Objects"), digits("n"), *(digits(metric_label(metric)) for metric in metrics))
    caption = (
        f"{target_label(target)}: share of the objects whose label is in the set or interval that was given, "
        f"{split_label(split)}, with 95 % binomial intervals; by label and by mean magnitude."
        f"{SKILL if 'skill' in metrics else ''}"
    )
    return Table(caption, header, lines)


def _line(name: str, mine: Sequence[Record | None], colours: Mapping[str, str]) -> Line:
    present = [row for row in mine if row is not None]
    shares = [digits(interval(row["value"], row["lo"], row["hi"]) if row else ABSENT) for row in mine]
    head = Cell("All" if name == "all" else name, colour=colours.get(name, ""))
    return Line((head, digits(count(max(row["n"] for row in present))), *shares))
