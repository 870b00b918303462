"""How many objects of each class, and which classes are taken for which."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from tasks.reporting.data import ClassCounts, HeldOutClasses
from tasks.reporting.figures.canvas import FILL, GRID, INK, MUTED, drawing, in_style, quiet_bars, sheet, write_beside
from tasks.reporting.notation import count, plural, share, short, split_label
from tasks.reporting.parts import Drawing, Remark


@in_style
def class_counts(counts: ClassCounts | None, colours: dict[str, str]) -> Drawing | Remark:
    """Horizontal bars of the predicted number per class, with the labelled number as a tick."""
    if counts is None or not counts.classes:
        return Remark("This dataset has no classes, so there are none to count.")
    predicted = np.asarray(counts.predicted)
    if not predicted.sum():
        return Remark("No object was classified, so there are no classes to count.")
    rows = np.arange(len(predicted))
    figure = sheet(9.4, 0.45 + 0.27 * len(rows), left=0.16, right=0.84, top=0.99, bottom=0.02)
    axes = figure.add_subplot()
    axes.barh(rows, predicted, height=0.62, color=[colours[name] for name in counts.classes])
    labels = [f"{count(n)} ({share(int(n), int(predicted.sum()))})" for n in predicted]
    if counts.labelled is not None:
        labelled = np.asarray(counts.labelled)
        axes.plot(labelled, rows, linestyle="none", marker="|", color=INK, markersize=13, markeredgewidth=1.6)
        labels = [f"{text}, {count(n)} labelled" for text, n in zip(labels, labelled, strict=True)]
        edge = np.maximum(predicted, labelled)
    else:
        edge = predicted
    for row, text in enumerate(labels):
        write_beside(axes, text, (edge[row], row), (7, 0), va="center", color=MUTED, size=8)
    axes.set_yticks(rows, [short(name, 18) for name in counts.classes])
    axes.set_xlim(0, 1.02 * edge.max())
    quiet_bars(axes, len(rows))
    return drawing(
        figure,
        "counts",
        alt="Bar chart of objects per predicted class: "
        + ", ".join(f"{name} {count(n)}" for name, n in zip(counts.classes, predicted, strict=True))
        + ".",
        caption="Objects per predicted class"
        + ("" if counts.labelled is None else "; the upright tick marks the number labelled so")
        + f". n = {count(predicted.sum())} objects"
        + ("." if counts.labelled is None else f", {count(labelled.sum())} of them labelled."),
    )


def confusion_counts(y_true: NDArray[np.int64], y_pred: NDArray[np.int64], n_class: int) -> NDArray[np.int64]:
    """Objects of label i predicted as j, (C, C); `y_true` and `y_pred` (S,) are class indices in range(C)."""
    return np.bincount(y_true * n_class + y_pred, minlength=n_class**2).reshape(n_class, n_class)


def usable(held_out: HeldOutClasses) -> NDArray[np.bool_]:
    """True (S,) where an object has a label among the classes and finite probabilities."""
    return (np.asarray(held_out.y_true) >= 0) & np.isfinite(held_out.prob).all(axis=1)


def describe_left_out(held_out: HeldOutClasses) -> str:
    """Words for the objects that a figure of held-out predictions leaves out; empty where there are none."""
    n = int((~usable(held_out)).sum())
    return f" {plural(n, 'object')} without a usable label or probability left out." if n else ""


@in_style
def confusion_matrix(held_out: HeldOutClasses | None) -> Drawing | Remark:
    """Row-normalised confusion matrix with the counts, labels down and predictions across."""
    if held_out is None:
        return Remark("No labelled object was held out, so there is no confusion matrix.")
    keep = usable(held_out)
    if not keep.any():
        return Remark("No held-out object has both a label and a probability, so there is no confusion matrix.")
    n_class = len(held_out.classes)
    matrix = confusion_counts(np.asarray(held_out.y_true)[keep], np.asarray(held_out.y_pred)[keep], n_class)
    cell = min(0.62, 3.75 / n_class) if n_class <= 9 else 0.49  # up to nine, the calibration curve fits beside
    side = cell * n_class
    width, height = side + 1.7, side + 1.1
    figure = sheet(width, height, left=1.55 / width, right=1 - 0.2 / width, top=1 - 0.9 / height, bottom=0.2 / height)
    axes = figure.add_subplot()
    _cells(axes, matrix, small=n_class > 10)
    _matrix_axes(axes, held_out.classes, matrix.sum(axis=1))
    correct = int(np.trace(matrix))
    return drawing(
        figure,
        "confusion",
        alt=f"Confusion matrix of {plural(n_class, 'class')}; {share(correct, int(matrix.sum()))} lie on the diagonal.",
        caption=f"Confusion matrix of {held_out.recipe or 'the chosen classifier'} ({split_label(held_out.split)}): "
        "each row is one labelled class, in per cent of that row, with the number of objects below. "
        f"n = {count(matrix.sum())}, {count(correct)} on the diagonal.{describe_left_out(held_out)}",
    )


def _cells(axes: Axes, matrix: NDArray[np.int64], small: bool) -> None:
    """One square per pair, as dark as its share of the row; pairs that never occur stay empty."""
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    for i, j in np.argwhere(matrix > 0):  # at most C * C cells of a drawing
        part = shares[i, j]
        axes.add_patch(Rectangle((j, i), 1, 1, facecolor=FILL, alpha=0.03 + 0.97 * part, linewidth=0))
        colour = "#ffffff" if part > 0.55 else INK
        percent = f"{100 * part:.0f}" if part >= 0.005 else "<1"
        axes.text(j + 0.5, i + 0.45, percent, ha="center", va="center", size=7.5 if small else 9, color=colour)
        axes.text(
            j + 0.5, i + 0.78, count(matrix[i, j]), ha="center", va="center", size=5.5 if small else 6, color=colour
        )


def _matrix_axes(axes: Axes, classes: tuple[str, ...], n_row: NDArray[np.int64]) -> None:
    n_class = len(classes)
    ticks = np.arange(n_class) + 0.5
    axes.set_xlim(0, n_class)
    axes.set_ylim(n_class, 0)
    axes.set_yticks(ticks, [f"{short(name, 14)}  {count(n)}" for name, n in zip(classes, n_row, strict=True)])
    crowded = n_class > 3
    axes.set_xticks(
        ticks,
        [short(name, 12) for name in classes],
        rotation=40 if crowded else 0,
        ha="left" if crowded else "center",
        rotation_mode="anchor",
    )
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    axes.hlines(np.arange(n_class + 1), 0, n_class, color=GRID, linewidth=0.6)
    axes.vlines(np.arange(n_class + 1), 0, n_class, color=GRID, linewidth=0.6)
    axes.spines[:].set_visible(False)
    axes.set_ylabel("Labelled", color=MUTED)
    corner = {"ha": "right", "va": "top"}
    write_beside(axes, "Predicted", (1, 0), (0, -4), xycoords="axes fraction", color=MUTED, size=8.5, **corner)
