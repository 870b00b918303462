"""Small charts beside the tables: epochs removed, seconds spent, and recipes against each other."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.reporting.figures.canvas import ACCENT, FILL, MUTED, drawing, in_style, quiet_bars, sheet, write_beside
from tasks.reporting.notation import IN_UNITS, interval, metric_label, plural, short, split_label, target_label, unit_of
from tasks.reporting.parts import Drawing


@in_style
def bars(
    name: str, labels: Sequence[str], values: Sequence[float], words: Sequence[str], alt: str, caption: str
) -> Drawing:
    """Horizontal bars of `values` (R,), NaN as nothing, each named by its label and followed by its words."""
    rows = np.arange(len(labels))
    lengths = np.nan_to_num(np.asarray(values, dtype=np.float64))
    figure = sheet(9.4, 0.25 + 0.25 * len(labels), left=0.22, right=0.86, top=0.99, bottom=0.02)
    axes = figure.add_subplot()
    axes.barh(rows, lengths, height=0.58, color=FILL, alpha=0.85)
    for row, text in enumerate(words):
        write_beside(axes, text, (lengths[row], row), (6, 0), va="center", color=MUTED, size=8)
    axes.set_yticks(rows, [short(label, 30) for label in labels])
    axes.set_xlim(0, max(lengths.max(), 1e-12))
    quiet_bars(axes, len(rows))
    return drawing(figure, name, alt=alt, caption=caption)


@in_style
def contest(target: str, rows: Sequence[dict[str, Any]]) -> Drawing:
    """One metric of every recipe with its 95 % interval; the chosen recipe in colour. `rows` share one metric."""
    metric = rows[0]["metric"]
    y = np.arange(len(rows))
    height = 0.65 + 0.27 * len(rows)
    figure = sheet(9.4, height, left=0.22, right=0.80, top=0.99, bottom=0.42 / height)
    axes = figure.add_subplot()
    for place, row in enumerate(rows):
        colour = ACCENT if row["is_chosen"] else MUTED
        if row["lo"] is not None and row["hi"] is not None:
            axes.plot([row["lo"], row["hi"]], [place, place], color=colour, linewidth=1.6, solid_capstyle="butt")
        axes.plot([row["value"]], [place], "o", color=colour, markersize=6)
        words = interval(row["value"], row["lo"], row["hi"])
        side = axes.get_yaxis_transform()
        write_beside(axes, words, (1, place), (10, 0), xycoords=side, va="center", size=8, color=colour)
    several = len({row["split"] for row in rows}) > 1
    labels = [short(row["recipe"], 26) + (f" ({split_label(row['split'])})" if several else "") for row in rows]
    axes.set_yticks(y, labels)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    unit = unit_of(target) if metric in IN_UNITS else ""
    axes.set_xlabel(metric_label(metric) + (f" ({unit})" if unit else ""))
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    counts = sorted({row["n"] for row in rows if row["n"] is not None})
    n = f" n = {counts[0]:,}" + (f" to {counts[-1]:,}" if len(counts) > 1 else "") + "." if counts else ""
    return drawing(
        figure,
        f"contest-{target}-{metric}-{rows[0]['split']}",
        alt=f"{metric_label(metric)} of {plural(len(rows), 'recipe')} with intervals.",
        caption=f"{target_label(target)}: {metric_label(metric)} of every recipe and baseline, with 95 % intervals; "
        f"in colour, the recipe that the catalogue uses.{n}",
    )
