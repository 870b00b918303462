"""Regressed quantities: prediction against label, residuals, and whether the stated intervals hold."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from numpy.typing import NDArray
from scipy.special import ndtri

from schemas.quantities import quantity
from tasks.learning.bootstrap import wilson
from tasks.reporting.data import HeldOutQuantity
from tasks.reporting.figures.canvas import ACCENT, ALARM, MUTED, PAPER, dots, drawing, in_style, scale_by_decades, sheet
from tasks.reporting.notation import count, interval, plural, target_label
from tasks.reporting.parts import Drawing, Remark

_DOT = "#3f7fb8"  # accent for rasterised dots, readable on both papers
_LOG_RANGE = 20.0  # a positive quantity that spans more than this factor is drawn on logarithmic axes
_MOST_BARS = 300  # with more objects the interval bars would only be a grey cloud
_LEVELS = np.arange(0.05, 0.96, 0.05)


def coverage(held_out: HeldOutQuantity, levels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of labels inside the interval of each of `levels` (L,), shape (L,).

    Only one interval is stated, at `held_out.level`; for the others each side is stretched as a Gaussian's would be,
    by ndtri((1 + p) / 2) / ndtri((1 + level) / 2). At the stated level nothing is assumed.
    """
    below, above = held_out.mean - held_out.lo, held_out.hi - held_out.mean
    miss = held_out.y - held_out.mean
    side = np.where(miss < 0, below, above)
    stretch = ndtri((1 + levels) / 2) / ndtri((1 + held_out.level) / 2)
    return (np.abs(miss)[:, None] <= side[:, None] * stretch).mean(axis=0)


@in_style
def quantity_figure(held_out: HeldOutQuantity) -> Drawing | Remark:
    """Prediction against label, the residuals below, and stated against measured coverage beside them."""
    name = target_label(held_out.quantity)
    finite = np.isfinite(held_out.y) & np.isfinite(held_out.mean)
    if not finite.any():
        return Remark(f"{name}: no held-out object has both a label and a prediction.")
    kept = held_out.select(finite)
    figure = sheet(9.4, 4.5, left=0.075, right=0.985, top=0.97, bottom=0.105, wspace=0.3, hspace=0.09)
    grid = figure.add_gridspec(2, 2, width_ratios=[1.55, 1], height_ratios=[2.5, 1])
    axes, below = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
    is_log = _is_log(kept)
    _scatter(axes, kept, is_log)
    _residuals(below, kept, is_log)
    bounded = np.isfinite(kept.lo) & np.isfinite(kept.hi)
    words = _coverage_panel(figure, grid[:, 1], kept, bounded)
    origin = f" ({held_out.origin})" if held_out.origin else ""
    dropped = f" {plural(int((~finite).sum()), 'object')} without a finite value left out." if (~finite).any() else ""
    return drawing(
        figure,
        f"quantity-{held_out.quantity}",
        alt=f"{name}: predicted against label for {plural(len(kept.y), 'held-out object')}, with residuals. {words}",
        caption=f"{name}: prediction of {held_out.recipe or 'the chosen regressor'} against the label{origin} of "
        f"held-out objects; below, prediction minus label with its running median. {words} n = {count(len(kept.y))}."
        + dropped,
    )


def _is_log(kept: HeldOutQuantity) -> bool:
    low = min(kept.y.min(), kept.mean.min())
    return bool(low > 0 and np.quantile(kept.y, 0.99) / max(np.quantile(kept.y, 0.01), 1e-12) > _LOG_RANGE)


def _scatter(axes: Axes, kept: HeldOutQuantity, is_log: bool) -> None:
    both = np.concatenate([kept.y, kept.mean])
    low, high = np.quantile(both, [0.0, 1.0])
    pad = 0.04 * (high - low) or 0.5
    limits = (low / 1.15, high * 1.15) if is_log else (low - pad, high + pad)
    if len(kept.y) <= _MOST_BARS:
        axes.vlines(kept.y, kept.lo, kept.hi, color=_DOT, linewidth=0.6, alpha=0.45, rasterized=True)
    dots(axes, kept.y, kept.mean, _dot_area(kept, 12), _DOT, alpha=0.6)
    axes.plot(limits, limits, color=MUTED, linewidth=0.8, dashes=(4, 3))
    axes.set(xlim=limits, ylim=limits, ylabel=f"Predicted {_axis(kept)}")
    if is_log:
        scale_by_decades(axes, "x", "y")
    axes.tick_params(labelbottom=False)
    axes.grid(True)


def _dot_area(kept: HeldOutQuantity, largest: float) -> float:
    """Area of a point in points squared: smaller where there are many."""
    return float(np.clip(4000 / len(kept.y), 1.2, largest))


def _axis(kept: HeldOutQuantity) -> str:
    return quantity(kept.quantity).symbol + _unit(kept)


def _unit(kept: HeldOutQuantity) -> str:
    return f" ({kept.unit})" if kept.unit else ""


def _residuals(axes: Axes, kept: HeldOutQuantity, is_log: bool) -> None:
    """Residuals, in dex where the axes are logarithmic; the vertical range holds 98 % of them."""
    residual = np.log10(kept.mean / kept.y) if is_log else kept.mean - kept.y
    dots(axes, kept.y, residual, _dot_area(kept, 10), _DOT, alpha=0.6)
    axes.axhline(0, color=MUTED, linewidth=0.8, dashes=(4, 3))
    if len(residual) >= 30:
        groups = np.array_split(np.argsort(kept.y, kind="stable"), min(15, len(residual) // 10))
        x, y = ([np.median(values[group]) for group in groups] for values in (kept.y, residual))
        axes.plot(x, y, color=ALARM, linewidth=1.3)
    edge = max(1.25 * float(np.quantile(np.abs(residual), 0.98)), 1e-12)
    axes.set(ylim=(-edge, edge), xlabel=f"Label {_axis(kept)}", ylabel="Δ (dex)" if is_log else f"Δ{_unit(kept)}")
    if is_log:
        scale_by_decades(axes, "x")
    axes.set_xlim(_scatter_limits(axes))
    axes.grid(True)


def _scatter_limits(axes: Axes) -> tuple[float, float]:
    """Label limits of the panel above, so that both share one axis."""
    figure = axes.figure
    left, right = figure.axes[0].get_xlim()
    return left, right


def _coverage_panel(figure: Figure, cell: SubplotSpec, kept: HeldOutQuantity, bounded: NDArray[np.bool_]) -> str:
    """Draw stated against measured coverage; return the sentence that says it."""
    if not bounded.any():
        return "No interval is stated, so its coverage cannot be measured."
    part = kept.select(bounded)
    n = len(part.y)
    measured = float(coverage(part, np.array([part.level]))[0])
    lo, hi = wilson(measured * n, n)
    axes = figure.add_subplot(cell)
    axes.grid(True)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, dashes=(4, 3))
    axes.plot(_LEVELS, coverage(part, _LEVELS), color=ACCENT, linewidth=1.3, alpha=0.65)
    axes.vlines([part.level], lo, hi, color=ALARM, linewidth=1.4)
    axes.plot([part.level], [measured], "o", color=ALARM, markeredgecolor=PAPER, markersize=7)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="Stated coverage", ylabel="Measured coverage")
    axes.set_aspect("equal", adjustable="box", anchor="N")
    return (
        f"Right: share of labels inside the interval; the point is the stated {100 * part.level:.0f} % interval, which "
        f"holds {interval(measured, lo, hi)} of the labels, the line assumes Gaussian tails."
    )
