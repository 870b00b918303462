"""The tables of `benchmarks/models.py`: a line for each recipe, the forest beside it, and what others published."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from lakehouse.machine import code_version
from tasks.learning.metrics import Metric
from tasks.learning.paired import Resamples, subtract

PUBLISHED = Path(__file__).with_name("published.toml")
WORDS = {"accuracy": "accuracy", "macro_f1": "macro F1", "rmse": "RMSE", "mae": "MAE", "log_loss": "log loss",
         "coverage": "coverage"}  # fmt: skip
BESIDE = ("log_loss", "coverage")  # not compared: they are told as they are


@dataclass(frozen=True, eq=False)
class Measured:
    """Out-of-fold figures of one recipe on one target of one set.

    `metrics` with their intervals; `resamples` of what is compared, of the n objects `key`; `seconds` (K,) of processor
    time of each training. Or `failure`, why there are none.
    """

    recipe: str
    metrics: Sequence[Metric] = ()
    resamples: Resamples | None = None
    key: str = ""
    seconds: np.ndarray | None = None
    failure: str = ""


def head(command: str) -> list[str]:
    """The page's first lines: where its figures come from."""
    return [
        "# Results of the models",
        "",
        "<!-- written by benchmarks/models.py: do not edit -->",
        f"`{command}`, {date.today()}, {code_version()}.",
        "",
        "Figures are out of fold, pooled over the folds: every labelled star is predicted once, by a model that never",
        "saw it (folds are of stars, not of light curves). Calibration and the rule by which a class is decided are",
        "fitted on the other folds. In brackets 95 % bootstrap intervals over the stars; a difference to the forest",
        "is of the same stars in every resample. Seconds are processor time of one core for each fold.",
    ]


def tell(name: str, target: str, rows: Sequence[Measured], reference: str) -> Iterator[str]:
    """Lines of the Markdown table of one target of a set: its recipes, best first, and what others published."""
    done = [row for row in rows if row.resamples is not None]
    if done:
        names = [*done[0].resamples]
        by_name = {row.recipe: row for row in done}
        n = next(metric.n for metric in done[0].metrics if metric.metric == names[0])
        yield from ("", f"## {name}: {target}, {n:,} stars", "")
        columns = [*(WORDS[each] for each in names), *(f"{WORDS[each]} - {reference}" for each in names)]
        beside = [each for each in BESIDE if any(metric.metric == each for metric in done[0].metrics)]
        yield "| " + " | ".join(["recipe", *columns, *(WORDS[each] for each in beside), "s / fold"]) + " |"
        yield "|---" * (len(columns) + len(beside) + 2) + "|"
        for row in sorted(done, key=_rank):
            yield _line(row, names, beside, by_name.get(reference))
    for row in rows:
        if row.failure:
            yield f"\n{row.recipe}: {row.failure}"
    for each in published(name, target):
        yield f"\nPublished: {each}"


def published(name: str, target: str) -> Iterator[str]:
    """What others published on a target of a set, each in a line with its source."""
    for each in tomllib.loads(PUBLISHED.read_text())["figure"]:
        if (each["set"], each["target"]) == (name, target):
            figures = ", ".join(f"{WORDS[figure]} {_round(value)}" for figure, value in each["figures"].items())
            yield f"{figures}; {each['who']}; {each['on']}."


def _rank(row: Measured) -> float:
    """Best first, by what decides: the last of the shares, the first of the errors."""
    assert row.resamples is not None
    return -row.resamples["macro_f1"][0] if "macro_f1" in row.resamples else row.resamples["rmse"][0]


def _line(row: Measured, names: Sequence[str], beside: Sequence[str], reference: Measured | None) -> str:
    own = {metric.metric: metric for metric in row.metrics if metric.name == "all"}
    cells = [row.recipe, *(_with_interval(own[name]) for name in names)]
    if reference is None or reference is row or reference.key != row.key:
        cells += [""] * len(names)
    else:
        differences = subtract(row.resamples, reference.resamples, own[names[0]].n)
        cells += [_with_interval(each, "+") for each in differences]
    cells += [_round(own[name].value) if name in own else "" for name in beside]
    return "| " + " | ".join([*cells, f"{row.seconds.mean():.1f}"]) + " |"


def _with_interval(metric: Metric, sign: str = "") -> str:
    return f"{_round(metric.value, sign)} [{_round(metric.lo, sign)}, {_round(metric.hi, sign)}]"


def _round(value: float | None, sign: str = "") -> str:
    """Three decimals of a share or of dex, none of kelvins."""
    return "" if value is None else f"{value:{sign}.3f}" if abs(value) < 10 else f"{value:{sign}.0f}"
