"""Which periods each class has: one thin histogram per class on a common logarithmic axis."""

import numpy as np
from matplotlib.axes import Axes

from tasks.reporting.data import ClassPeriods
from tasks.reporting.figures.canvas import GRID, MUTED, drawing, in_style, sheet
from tasks.reporting.notation import count, plural, short
from tasks.reporting.parts import Drawing, Remark

_N_BIN = 90


@in_style
def period_histogram(periods: ClassPeriods | None, colours: dict[str, str]) -> Drawing | Remark:
    """Ridge of period histograms, each scaled to its own maximum."""
    if periods is None:
        return Remark("No periods were searched for in this dataset.")
    period = np.asarray(periods.period_day, dtype=np.float64)
    valid = np.isfinite(period) & (period > 0)
    if not valid.any():
        return Remark("No object has a period, so there is no period distribution.")
    log_period = np.log10(period[valid])
    classes = np.asarray(periods.class_pred, dtype=object)[valid]
    present = [name for name in colours if (classes == name).any()]
    low, high = log_period.min() - 0.05, log_period.max() + 0.05
    edges = np.linspace(low, high, _N_BIN + 1)
    height = 0.7 + 0.42 * len(present)
    figure = sheet(9.4, height, left=0.16, right=0.98, top=1 - 0.05 / height, bottom=0.48 / height)
    axes = figure.add_subplot()
    for row, name in enumerate(present):
        values = log_period[classes == name]
        heights, _ = np.histogram(values, edges)
        tops = row + 1 - 0.86 * heights / heights.max()
        axes.stairs(tops, edges, baseline=row + 1, fill=True, color=colours[name], alpha=0.9, linewidth=0)
        side, n = axes.get_yaxis_transform(), count(len(values))
        axes.text(1, row + 0.93, n, transform=side, ha="right", va="bottom", color=MUTED, size=7.5)
    _period_axis(axes, low, high)
    axes.set_yticks(np.arange(len(present)) + 0.75, [short(name, 18) for name in present])
    axes.set_ylim(len(present), -0.02)
    axes.hlines(np.arange(1, len(present) + 1), low, high, color=GRID, linewidth=0.7)
    missing = f"; {plural(int((~valid).sum()), 'object')} without a period not shown" if (~valid).any() else ""
    return drawing(
        figure,
        "periods",
        alt=f"Histograms of the period of {plural(int(valid.sum()), 'object')}, one per predicted class.",
        caption="Periods found, per predicted class, each histogram scaled to its own maximum; on the right, the "
        f"number of objects. n = {count(valid.sum())}{missing}.",
    )


def _period_axis(axes: Axes, low: float, high: float) -> None:
    """Decades with their names, and unnamed ticks at 2..9 between them."""
    minor = np.log10(np.outer(10.0 ** np.arange(-4, 6), np.arange(2, 10))).ravel()
    axes.set_xticks(minor[(minor > low) & (minor < high)], minor=True)
    decades = np.arange(np.ceil(low), np.floor(high) + 1)
    if len(decades) < 2:  # a narrow range: name a few round periods instead
        decades = np.log10([0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 3, 5, 7, 10, 20, 30, 50, 100, 200, 300, 500, 1000])
        decades = decades[(decades > low) & (decades < high)]
    axes.set_xticks(decades, [f"{10**d:g}" for d in decades])
    axes.set_xlim(low, high)
    axes.set_xlabel("Period (d)")
    axes.grid(True, axis="x")
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
