"""The end of a run, in the terminal: what was done, how good it is, where it lies, what to type next."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from flows.pointers import QUARANTINE, SOURCE, count_stars, query_to_type
from flows.settings import Settings
from lakehouse.delta.store import Lake
from lakehouse.models import ModelPlace
from lakehouse.run import StageResult
from tasks.learning.targets import KINDS
from tasks.stages.progress import pace

if TYPE_CHECKING:
    from flows.refresh import Outcome

RELEASED = re.compile(r"release (.+?)(?: is current)?$")
DECIDING = {kind.decides for kind in KINDS.values() if isinstance(kind.decides, str)}
SPLITS = {"oof": "out of fold", "test": "held out", "truth": "on truth"}
METRIC = "score_model__metric"


def show(outcome: Outcome, lake: Path, settings: Settings) -> None:
    """Print the summary of a run: its stages, the recipe of each target and how good it is, and where to look next."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 100)  # a log file has no edge: do not fold at 80
    place = Lake(lake)
    console.print(_stages(outcome))
    for stage in outcome.stages:
        for note in stage.notes:
            style = "yellow" if "stale" in note else "dim"
            console.print(f"  {stage.name}: {note}", style=style, markup=False, soft_wrap=True)
    if not any(stage.is_new for stage in outcome.stages):
        console.print("Nothing to do: everything was up to date, and no work was done again.")
    models = ModelPlace.parse(settings.models, str(lake), settings.dataset)
    if figures := chosen_figures(Lake(models.lake), models.dataset):
        console.print(_figures(figures))
    console.print(_where_to_look(outcome, place, settings.dataset), soft_wrap=True, markup=False)


def _where_to_look(outcome: Outcome, lake: Lake, dataset: str) -> str:
    """How many stars there are, the rows that were put aside, the report, and a command to type next."""
    aside = lake.count(QUARANTINE, dataset=dataset) if lake.exists(QUARANTINE) else 0
    lines = [f"Stars:   {count_stars(lake, dataset)}"] if lake.exists(SOURCE) else []
    lines.append(f"Aside:   {aside:,} rows in {QUARANTINE}")
    if folder := find_released(outcome.stages):
        lines.append(f"Report:  {folder}/report.html")
    lines.append(f"Next:    {query_to_type(lake, dataset)}")
    return "\n".join(lines)


def find_released(stages: Sequence[StageResult]) -> Path | None:
    """The release that a run wrote or found current."""
    found = (RELEASED.match(note) for note in stages[-1].notes)
    return next((Path(match[1]) for match in found if match), None)


def line(stage: StageResult) -> str:
    """One finished stage in a line."""
    if not stage.is_new:
        return f"  {stage.name}: up to date"
    return f"  {stage.name}: {stage.done:,} of {stage.total:,} in {stage.seconds:.1f} s"


def _stages(outcome: Outcome) -> Table:
    table = Table(
        "stage", "done", "of", "seconds", "rate", box=None, title=f"Run {outcome.run_id}", title_justify="left"
    )
    for stage in outcome.stages:
        rate = pace(stage.done, stage.seconds) if stage.is_new and stage.seconds > 0.05 else ""
        table.add_row(stage.name, f"{stage.done:,}", f"{stage.total:,}", f"{stage.seconds:.1f}", rate)
    return table


def chosen_figures(lake: Lake, dataset: str) -> list[dict[str, Any]]:
    """Rows of score_model__metric that tell how good the catalogue is: the measure that decided, of each target."""
    if not lake.exists(METRIC):
        return []
    rows = lake.read(METRIC, where={"dataset": dataset, "class": "all", "is_chosen": True})
    return [row for row in rows.to_pylist() if row["metric"] in DECIDING and row["value"] is not None]


def _figures(rows: list[dict[str, Any]]) -> Table:
    """A line for each target: the recipe that the catalogue uses and its figures, with 95 % intervals."""
    by_split = {(row["target"], row["split"]): row for row in rows}
    has_held_out = {target for target, split in by_split if split == "test"}
    by_split = {key: row for key, row in by_split.items() if key[1] != "oof" or key[0] not in has_held_out}
    splits = [name for name in SPLITS if any(split == name for _, split in by_split)]
    table = Table(
        "target",
        "recipe",
        "figure",
        *(SPLITS[name] for name in splits),
        box=None,
        caption="95 % bootstrap intervals over objects; the report has all figures of all recipes",
        caption_justify="left",
    )
    for target in dict.fromkeys(row["target"] for row in rows):
        own = next(row for row in rows if row["target"] == target)
        cells = [escape(with_interval(by_split.get((target, name)))) for name in splits]
        table.add_row(target, own["recipe"], own["metric"], *cells)
    return table


def with_interval(row: dict[str, Any] | None) -> str:
    """A figure and its interval, and of how many objects it is; nothing where there is none."""
    if row is None or row["value"] is None:
        return ""
    ends = "" if row["lo"] is None else f" [{row['lo']:.3g}, {row['hi']:.3g}]"
    return f"{row['value']:.3g}{ends} of {row['n']:,}"
