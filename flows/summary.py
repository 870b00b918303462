"""The end of a run, in the terminal: what was done, how good it is, where it lies, what to type next."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from rich.console import Console
from rich.table import Table

from flows.settings import Settings
from lakehouse.delta.store import Lake
from lakehouse.run import StageResult
from schemas import TABLES
from tasks.learning.targets import KINDS
from tasks.stages.progress import pace

if TYPE_CHECKING:
    from flows.refresh import Outcome

RELEASED = re.compile(r"release (.+?)(?: is current)?$")
SHOWN = {metric for kind in KINDS.values() for metric in kind.shown}
SPLITS = {"test": "held out", "oof": "out of fold", "truth": "on truth"}


def show(outcome: Outcome, lake: Path, settings: Settings) -> None:
    """Print the summary of a run."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, 100)  # a log file has no edge: do not fold at 80
    place = Lake(lake)
    console.print(_stages(outcome))
    for stage in outcome.stages:
        for note in stage.notes:
            console.print(f"  {stage.name}: {note}", style="yellow" if "stale" in note else "dim", soft_wrap=True)
    if not any(stage.is_new for stage in outcome.stages):
        console.print("Nothing to do: everything was up to date, and no work was done again.")
    console.print(_tables(place, settings.dataset))
    rows = (
        place.read("score_model__metric", where={"dataset": settings.dataset})
        if place.exists("score_model__metric")
        else None
    )
    if rows is not None and rows.num_rows:
        console.print(_metrics(rows))
    for note in outcome.stages[-1].notes:
        if found := RELEASED.match(note):
            console.print(f"Report:  {found[1]}/report.html", soft_wrap=True)
    table = "out__catalogue" if place.exists("out__catalogue") else "feature_sample__source"
    sql = f"SELECT * FROM {table} WHERE dataset = '{settings.dataset}' LIMIT 5"
    console.print(f'Next:    argelander query "{sql}" --lake {shlex.quote(str(lake))}', soft_wrap=True, markup=False)


def line(stage: StageResult) -> str:
    """One finished stage in a line."""
    if not stage.is_new:
        return f"  {stage.name}: up to date"
    return f"  {stage.name}: {stage.done:,} of {stage.total:,} in {stage.seconds:.1f} s"


def _stages(outcome: Outcome) -> Table:
    table = Table("stage", "done", "of", "seconds", "rate", box=None, title=f"Run {outcome.run_id}",
                  title_justify="left")  # fmt: skip
    for stage in outcome.stages:
        rate = pace(stage.done, stage.seconds) if stage.is_new and stage.seconds > 0.05 else ""
        table.add_row(stage.name, f"{stage.done:,}", f"{stage.total:,}", f"{stage.seconds:.1f}", rate)
    return table


def _tables(lake: Lake, dataset: str) -> Table:
    table = Table("table", "rows", "version", box=None)
    for name, rows in lake.rows_of(dataset).items():
        if rows:
            table.add_row(name, f"{rows:,}", str(lake.version(name)))
    if not lake.exists("core_quarantine__row") or not lake.count("core_quarantine__row", dataset=dataset):
        table.add_row(TABLES["core_quarantine__row"].name, "0", "")
    return table


def _metrics(rows: pa.Table) -> Table:
    """Held-out figures of every recipe with 95 % intervals; a star marks the one that the catalogue uses."""
    table = Table("target", "recipe", "measured", *("figure", "value"), "95 % interval", "n", box=None,
                  caption="* the recipe that the catalogue uses; 95 % bootstrap intervals over objects",
                  caption_justify="left")  # fmt: skip
    order = {split: i for i, split in enumerate(SPLITS)}
    overall = rows.filter(pc.equal(rows["class"], "all")).to_pylist()
    for row in sorted(overall, key=lambda r: (r["target"], order[r["split"]], not r["is_chosen"], r["recipe"])):
        if row["split"] == "oof" or row["value"] is None or row["metric"] not in SHOWN:
            continue
        table.add_row(row["target"], row["recipe"] + " *" * row["is_chosen"], SPLITS[row["split"]], row["metric"],
                      f"{row['value']:.4g}", f"{row['lo']:.4g} to {row['hi']:.4g}", f"{row['n']:,}",
                      style="bold" if row["is_chosen"] else "dim")  # fmt: skip
    return table
