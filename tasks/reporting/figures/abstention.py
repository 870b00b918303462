"""How much better the classes are of the objects that a classifier is surest of."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from tasks.reporting.figures.canvas import ACCENT, MUTED, drawing, in_style, sheet
from tasks.reporting.notation import count, decimal, is_number, metric_label, split_label
from tasks.reporting.parts import Drawing

_CURVES = ("accuracy", "macro_f1")
_KEPT = ":kept "

Record = dict[str, Any]


@in_style
def abstention_curves(metrics: Sequence[Record], target: str, split: str) -> Drawing | None:
    """Accuracy and macro F1 against the kept share of objects, the surest first: the chosen recipe over all others.

    None where no curve was measured.
    """
    points = (row for row in metrics if _KEPT in row["metric"] and is_number(row["value"]))
    rows = [row for row in points if (row["target"], row["split"]) == (target, split)]
    chosen = [row for row in rows if row["is_chosen"]]
    if not chosen:
        return None
    figure = sheet(9.4, 3.3, left=0.075, right=0.985, top=0.97, bottom=0.15, wspace=0.22)
    for panel, metric in zip(figure.subplots(1, len(_CURVES), sharex=True), _CURVES, strict=True):
        _draw_curves(panel, [row for row in rows if row["metric"].startswith(metric + _KEPT)], metric)
    name, value = chosen[0]["recipe"], {row["metric"]: decimal(row["value"], 3) for row in chosen}
    half, whole = (value.get(f"macro_f1{_KEPT}{kept}", "undefined") for kept in ("0.5", "1.0"))
    said = f"macro F1 is {half} for the surest half and {whole} for all"
    return drawing(
        figure,
        f"abstention-{target}",
        alt=f"Accuracy and macro F1 of {name} against the kept share of objects; {said}.",
        caption=f"Accuracy and macro F1 of {name} when only the objects that it is surest of are kept "
        f"({split_label(split)}), with a 95 % bootstrap band; in grey every other recipe. Of {name} {said}. "
        f"n = {count(max(row['n'] for row in chosen))}.",
    )


def _draw_curves(axes: Axes, rows: Sequence[Record], metric: str) -> None:
    """One line for each recipe, the chosen one with its band above the others."""
    axes.grid(True)
    for recipe, is_chosen in sorted({(row["recipe"], row["is_chosen"]) for row in rows}, key=itemgetter(1)):
        mine = sorted((row for row in rows if row["recipe"] == recipe), key=itemgetter("metric"))
        kept = [float(row["metric"].partition(_KEPT)[2]) for row in mine]
        look: dict[str, Any] = {"color": MUTED, "linewidth": 0.8, "alpha": 0.6}
        if is_chosen:
            look = {"color": ACCENT, "linewidth": 1.6}
        axes.plot(kept, [row["value"] for row in mine], **look)
        if is_chosen:
            lo, hi = (np.array([row[end] for row in mine], float) for end in ("lo", "hi"))
            axes.fill_between(kept, lo, hi, color=ACCENT, alpha=0.18, linewidth=0)
    axes.set(xlim=(0, 1), xlabel="Kept share of objects, the surest first", ylabel=metric_label(metric).rstrip(" ↑↓"))
