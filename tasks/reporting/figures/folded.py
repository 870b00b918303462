"""Folded light curves: the objects each class is surest of beside those it is least sure of."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tasks.reporting.data import FoldedCurve
from tasks.reporting.figures.canvas import ALARM, GRID, INK, MUTED, dots, drawing, in_style, sheet, write_beside
from tasks.reporting.notation import number, plural, short
from tasks.reporting.palette import band_style
from tasks.reporting.parts import Drawing, Key

_PER_SIDE = 3
_LEFT, _STEP, _GAP = 0.032, 0.1615, 0.022  # of the panels, in widths of the figure
_SYMBOLS = {"o": "●", "s": "■", "^": "▲", "D": "◆"}


def confident_examples(prob: NDArray[np.float64], n_each: int = _PER_SIDE) -> NDArray[np.int64]:
    """Objects worth showing: for each predicted class the `n_each` surest and the `n_each` least sure.

    `prob` is (S, C); rows with a NaN are never chosen. Returns distinct row indices in ascending order.
    """
    rows = np.flatnonzero(np.isfinite(prob).all(axis=1))
    if not rows.size:
        return rows
    pred, top = prob[rows].argmax(axis=1), prob[rows].max(axis=1)
    order = np.lexsort((-top, pred))
    starts = np.searchsorted(pred[order], pred[order], side="left")
    stops = np.searchsorted(pred[order], pred[order], side="right")
    place = np.arange(len(order))
    near_end = (place - starts < n_each) | (stops - 1 - place < n_each)
    return np.sort(rows[order[near_end]])


def folded_pages(curves: Sequence[FoldedCurve], colours: dict[str, str]) -> tuple[Drawing, ...]:
    """One row of panels per predicted class, in the order of `colours`; the first carries the legend of all bands."""
    pages: list[Drawing] = []
    keys = tuple(Key(band, *_key_style(band, i)) for i, band in enumerate(_bands_of(curves)))
    for name in colours:
        members = sorted((c for c in curves if c.class_pred == name), key=_descending_probability)
        if members:
            pages.append(_page(name, members, colours[name], () if pages else keys))
    return tuple(pages)


def _descending_probability(curve: FoldedCurve) -> tuple[bool, float]:
    """Sort key: the surest first, unknown probabilities last."""
    return (not np.isfinite(curve.prob), -curve.prob)


@in_style
def _page(name: str, members: Sequence[FoldedCurve], colour: str, keys: tuple[Key, ...]) -> Drawing:
    shown = [*members] if len(members) <= 2 * _PER_SIDE else [*members[:_PER_SIDE], *members[-_PER_SIDE:]]
    is_split = len(shown) == 2 * _PER_SIDE
    figure = sheet(9.4, 2.3)
    for place, curve in enumerate(shown):
        gap = _GAP if is_split and place >= _PER_SIDE else 0.0
        _panel(figure.add_axes((_LEFT + _STEP * place + gap, 0.165, 0.126, 0.51)), curve)
    order = _headings(figure, name, colour, is_split)
    right = sum(curve.class_label == curve.class_pred for curve in shown)
    labelled = sum(curve.class_label is not None for curve in shown)
    verdict = f" The label agrees for {right} of {labelled} labelled ones." if labelled else ""
    return drawing(
        figure,
        f"folded-{name}",
        alt=f"Folded light curves of {plural(len(shown), 'object')} predicted as {name}, magnitude against phase.",
        caption=f"{name}, {order}. n = {plural(len(shown), 'object')}, "
        f"{plural(sum(len(c.mag) for c in shown), 'epoch')}.{verdict}",
        keys=keys,
    )


def _key_style(band: str, position: int) -> tuple[str, str]:
    colour, marker = band_style(band, position)
    return colour, _SYMBOLS[marker]


def _bands_of(curves: Sequence[FoldedCurve]) -> list[str]:
    """Bands with at least one epoch in `curves`, in the order in which they are declared."""
    seen: dict[str, None] = {}
    for curve in curves:
        for code in np.unique(curve.band):
            seen.setdefault(curve.bands[code])
    order = list(dict.fromkeys(band for curve in curves for band in curve.bands))
    return [band for band in order if band in seen]


def _headings(figure: Figure, name: str, colour: str, is_split: bool) -> str:
    """Class and group names above the panels; returns the order of the panels in words, for the caption."""
    figure.text(0.0, 0.985, "●", color=colour, va="top", size=10)
    figure.text(0.016, 0.985, short(name, 60), va="top", size=10, weight="bold")
    if not is_split:
        return "from the surest to the least sure"
    for x, words in ((_LEFT, "the surest"), (_LEFT + _PER_SIDE * _STEP + _GAP, "the least sure")):
        figure.text(x, 0.86, words, va="top", color=MUTED, size=8)
    return f"the {_PER_SIDE} surest and the {_PER_SIDE} least sure"


def _panel(axes: Axes, curve: FoldedCurve) -> None:
    """One object: points of each band over two cycles, titled with its name, score and label."""
    axes.spines[:].set_color(GRID)
    axes.spines[["top", "right"]].set_visible(True)
    axes.tick_params(labelsize=6.5, pad=2, color=GRID)
    axes.set(xlim=(0, 2), xticks=[0, 1, 2], xticklabels=["0", "1", "2"])
    axes.axvline(1, color=GRID, linewidth=0.6)
    _title(axes, curve)
    mag = _subtract_medians(curve)
    valid = np.isfinite(curve.phase) & np.isfinite(mag)
    if not valid.any():
        axes.set_yticks([])
        words = "no epochs" if not np.isfinite(mag).any() else "no period found"
        axes.text(0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=MUTED, size=7.5)
        return
    low, high = _limits(mag[valid])
    axes.set_ylim(high, low)
    axes.locator_params(axis="y", nbins=4)
    _points(axes, curve, np.where(valid, mag, np.nan), (low, high))


def _points(axes: Axes, curve: FoldedCurve, mag: NDArray[np.float64], limits: tuple[float, float]) -> None:
    """Every point twice over, with its error bar; those beyond the panel become hollow at its edge."""
    kept = np.flatnonzero(np.isfinite(mag))
    phase = np.mod(np.asarray(curve.phase, dtype=np.float64)[kept], 1.0)
    x, y = np.concatenate([phase, phase + 1]), np.tile(mag[kept], 2)
    styles = np.array([band_style(band, i) for i, band in enumerate(curve.bands)])
    colour, marker = np.tile(styles[np.asarray(curve.band)[kept]], (2, 1)).T
    inside = (y >= limits[0]) & (y <= limits[1])
    if curve.mag_err is not None:
        err = np.nan_to_num(np.tile(np.asarray(curve.mag_err, dtype=np.float64)[kept], 2))
        drawn = inside & (err > 0)
        low, high = (y - err)[drawn], (y + err)[drawn]
        axes.vlines(x[drawn], low, high, color=colour[drawn], linewidth=0.5, alpha=0.35, rasterized=True)
    area = float(np.clip(500 / len(curve.mag), 1.0, 6.0))
    for symbol in np.unique(marker):  # one cloud per symbol: matplotlib draws a cloud with a single one
        mine = inside & (marker == symbol)
        dots(axes, x[mine], y[mine], area, colour[mine], marker=symbol, alpha=0.8)
    if not inside.all():
        edge = np.clip(y[~inside], *limits)
        axes.scatter(
            x[~inside], edge, s=7, facecolors="none", edgecolors=colour[~inside], linewidths=0.5, rasterized=True
        )


def _subtract_medians(curve: FoldedCurve) -> NDArray[np.float64]:
    """Magnitudes (N,), less each band's median where there are several bands: their zero levels differ."""
    mag = np.asarray(curve.mag, dtype=np.float64)
    codes = np.unique(curve.band)
    if len(codes) < 2:
        return mag
    centred = mag.copy()
    for code in codes:
        mine = np.asarray(curve.band) == code
        finite = mag[mine][np.isfinite(mag[mine])]
        centred[mine] -= np.median(finite) if finite.size else 0.0
    return centred


def _limits(mag: NDArray[np.float64]) -> tuple[float, float]:
    """Bright and faint end of the panel: 98 % of the points and a margin, so that one outlier flattens nothing."""
    low, high = np.quantile(mag, [0.01, 0.99])
    margin = max(0.2 * (high - low), 0.02)
    return float(low - margin), float(high + margin)


def _title(axes: Axes, curve: FoldedCurve) -> None:
    """Above: probability, label (in the alarm colour where it differs), name. Below: period and note."""
    is_wrong = curve.class_label is not None and curve.class_label != curve.class_pred
    label = "no label" if curve.class_label is None else f"label {short(curve.class_label, 18)}"
    period = "phase as supplied" if curve.period_day is None else f"P {number(curve.period_day)} d"
    if curve.period_day is not None and not np.isfinite(curve.period_day):
        period = "no period"
    score = f"{curve.prob:.2f}" if np.isfinite(curve.prob) else "no score"
    lines = (
        (score, "left", 0.0, 11, INK, "bold"),
        (label, "right", 1.0, 11, ALARM if is_wrong else MUTED, "normal"),
        (short(curve.object_id, 30), "left", 0.0, 3, MUTED, "normal"),
    )
    for text, side, x, rise, colour, weight in lines:
        look = {"ha": side, "color": colour, "weight": weight}
        write_beside(axes, text, (x, 1), (0, rise), xycoords="axes fraction", va="bottom", size=6.6, **look)
    below = period + (f" · {short(curve.note, 18)}" if curve.note else "")
    middle = {"ha": "center", "va": "top"}
    write_beside(axes, below, (0.5, 0), (0, -13), xycoords="axes fraction", size=6.3, color=MUTED, **middle)
