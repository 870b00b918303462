"""Does a probability of 0.8 come true in 80 of 100 cases?"""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from tasks.reporting.data import HeldOutClasses
from tasks.reporting.figures.canvas import ACCENT, FILL, GRID, MUTED, PAPER, drawing, in_style, sheet
from tasks.reporting.figures.classes import describe_left_out, usable
from tasks.reporting.notation import count, interval, split_label
from tasks.reporting.parts import Drawing, Remark

_N_BIN = 10
_N_BOOTSTRAP = 400
_FEW = 10  # a bin with fewer objects is drawn hollow


@dataclass(frozen=True)
class Reliability:
    """How often the most probable class is right, in equal bins of its probability.

    `n`, `confidence` (mean probability), `accuracy`, `lo`, `hi` (95 % bootstrap over objects): (bins,), NaN where a
    bin is empty. `ece` and its bounds: expected calibration error, the mean |accuracy - confidence| weighted by n
    (Guo et al. 2017, ICML, arXiv:1706.04599, eq. 3).
    """

    n: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    lo: NDArray[np.float64]
    hi: NDArray[np.float64]
    ece: float
    ece_lo: float
    ece_hi: float


def reliability(y_true: NDArray[np.int64], prob: NDArray[np.float64], seed: int = 0) -> Reliability:
    """Reliability of the top class: `y_true` (S,) class indices, `prob` (S, C) finite, S > 0."""
    top = prob.max(axis=1)
    correct = (prob.argmax(axis=1) == y_true).astype(np.float64)
    bins = np.clip((top * _N_BIN).astype(np.int64), 0, _N_BIN - 1)
    rng = np.random.default_rng(seed)
    n, hits, sums = _bin_sums(bins, correct, top)
    draws = np.stack([_bin_sums(bins[i], correct[i], top[i]) for i in _resamples(rng, len(top))])
    with np.errstate(invalid="ignore", divide="ignore"):
        accuracy = draws[:, 1] / draws[:, 0]
        errors = np.abs(draws[:, 1] - draws[:, 2]).sum(axis=1) / len(top)
        lo, hi = np.full(_N_BIN, np.nan), np.full(_N_BIN, np.nan)
        filled = n > 0
        lo[filled], hi[filled] = np.nanquantile(accuracy[:, filled], [0.025, 0.975], axis=0)
        ece_lo, ece_hi = np.quantile(errors, [0.025, 0.975])
        ece = float(np.abs(hits - sums).sum() / len(top))
        return Reliability(n.astype(np.int64), sums / n, hits / n, lo, hi, ece, float(ece_lo), float(ece_hi))


def _resamples(rng: np.random.Generator, n: int) -> list[NDArray[np.int64]]:
    """Indices of the bootstrap samples; fewer of them for very large sets, whose intervals are narrow anyway."""
    rounds = _N_BOOTSTRAP if n <= 50_000 else 100
    return [rng.integers(0, n, n) for _ in range(rounds)]


def _bin_sums(bins: NDArray[np.int64], correct: NDArray[np.float64], top: NDArray[np.float64]) -> NDArray[np.float64]:
    """Objects, correct ones and summed probability per bin, (3, bins)."""
    sums = [np.bincount(bins, weights=weights, minlength=_N_BIN) for weights in (None, correct, top)]
    return np.stack(sums).astype(np.float64)


@in_style
def calibration_curve(held_out: HeldOutClasses | None) -> Drawing | Remark:
    """Reliability diagram with its bootstrap band, above the distribution of the probabilities."""
    if held_out is None:
        return Remark("No labelled object was held out, so the probabilities cannot be checked.")
    keep = usable(held_out)
    if not keep.any():
        return Remark("No held-out object has both a label and a probability, so there is nothing to calibrate on.")
    curve = reliability(np.asarray(held_out.y_true)[keep], held_out.prob[keep])
    figure = sheet(3.85, 4.7, left=0.15, right=0.97, top=0.98, bottom=0.09, hspace=0.1)
    grid = figure.add_gridspec(2, 1, height_ratios=[4, 1])
    axes = figure.add_subplot(grid[0])
    _draw_curve(axes, curve)
    below = figure.add_subplot(grid[1], sharex=axes)
    below.bar(np.arange(_N_BIN) / _N_BIN, curve.n, width=0.9 / _N_BIN, align="edge", color=FILL, alpha=0.75)
    below.set_xlabel("Highest class probability")
    below.set_yticks([0, curve.n.max()], ["0", count(curve.n.max())])
    ece = interval(curve.ece, curve.ece_lo, curve.ece_hi)
    axes.text(0.96, 0.05, f"ECE {ece}", transform=axes.transAxes, ha="right")
    return drawing(
        figure,
        "calibration",
        alt=f"Calibration curve: how often the most probable class is right, against its probability; ECE {ece}.",
        caption=f"How often the most probable class is right, against its probability ({split_label(held_out.split)}), "
        "with a 95 % bootstrap band over objects; the diagonal is perfect calibration, hollow points rest on fewer "
        f"than {_FEW} objects. Below: objects per bin. Expected calibration error {ece}. "
        f"n = {count(keep.sum())}.{describe_left_out(held_out)}",
    )


def _draw_curve(axes: Axes, curve: Reliability) -> None:
    filled = curve.n > 0
    x, y, n = curve.confidence[filled], curve.accuracy[filled], curve.n[filled]
    axes.grid(True)
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, dashes=(4, 3))
    lo, hi = curve.lo[filled], curve.hi[filled]
    axes.fill_between(x, lo, hi, where=n >= _FEW, color=ACCENT, alpha=0.18, linewidth=0)
    axes.vlines(x, lo, hi, color=ACCENT, linewidth=0.9, alpha=0.6)
    axes.plot(x, y, color=ACCENT, linewidth=1.3)
    axes.plot(x[n >= _FEW], y[n >= _FEW], "o", color=ACCENT, markersize=5, clip_on=False)
    axes.plot(x[n < _FEW], y[n < _FEW], "o", markerfacecolor=PAPER, markeredgecolor=ACCENT, markersize=5)
    axes.set(xlim=(0, 1), ylim=(-0.02, 1.02), ylabel="Share correct")
    axes.tick_params(labelbottom=False)
    axes.spines[["left", "bottom"]].set_color(GRID)
