"""Counts of classes and the confusion matrix: every bar, cell, tick and number as the data have it."""

import numpy as np
import pytest
from matplotlib.colors import same_color, to_rgba

from tasks.reporting import ClassCounts, HeldOutClasses
from tasks.reporting.figures.canvas import FILL, INK
from tasks.reporting.figures.classes import (
    class_counts,
    confusion_counts,
    confusion_matrix,
    describe_left_out,
    usable,
)

COLOURS = {"A": "#0072b2", "B": "#d55e00"}


def held_out(y_true, y_pred, n_class=2, **more):
    """Predictions of certainty 0.8 for the classes `y_pred`."""
    prob = np.full((len(y_pred), n_class), 0.2 / max(n_class - 1, 1))
    prob[np.arange(len(y_pred)), y_pred] = 0.8
    return HeldOutClasses(np.array(y_true), np.array(y_pred), prob, tuple("ABCDEFGHIJKLMNOP"[:n_class]), **more)


def cells(axes):
    """Text of the matrix by (row, column): the per cent and the number of objects."""
    found = {}
    for text in axes.texts:
        x, y = text.get_position()
        if text.get_text() != "Predicted":
            found.setdefault((int(y), int(x)), []).append(text.get_text())
    return found


def test_counts_have_bars_in_their_colours_and_ticks_of_the_labels(draw):
    figure, part = draw(class_counts, ClassCounts(("A", "B"), np.array([30, 10]), np.array([5, 20])), COLOURS)
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [30, 10]
    assert all(same_color(bar.get_facecolor(), COLOURS[name]) for bar, name in zip(axes.patches, "AB", strict=True))
    (ticks,) = axes.lines
    assert ticks.get_xydata().tolist() == [[5, 0], [20, 1]] and ticks.get_marker() == "|"
    words = [(text.get_text(), text.xy) for text in axes.texts]
    assert words == [("30 (75.0 %), 5 labelled", (30, 0)), ("10 (25.0 %), 20 labelled", (20, 1))]
    assert part.caption.endswith("n = 40 objects, 25 of them labelled.")
    assert part.alt == "Bar chart of objects per predicted class: A 30, B 10."


def test_without_labels_there_are_no_ticks(draw):
    figure, part = draw(class_counts, ClassCounts(("A", "B"), np.array([3, 0])), COLOURS)
    assert not figure.axes[0].lines and "tick" not in part.caption and part.caption.endswith("n = 3 objects.")
    assert [text.get_text() for text in figure.axes[0].texts] == ["3 (100.0 %)", "0 (0.0 %)"]


def test_the_axis_holds_the_longest_of_bars_and_ticks(draw):
    figure, _ = draw(class_counts, ClassCounts(("A", "B"), np.array([3, 1]), np.array([0, 50])), COLOURS)
    assert figure.axes[0].get_xlim() == (0, pytest.approx(51))


def test_one_class_is_drawn(draw):
    figure, part = draw(class_counts, ClassCounts(("A",), np.array([7])), COLOURS)
    assert len(figure.axes[0].patches) == 1 and "n = 7 objects" in part.caption
    figure, part = draw(confusion_matrix, held_out([0, 0], [0, 0], n_class=1))
    assert cells(figure.axes[0]) == {(0, 0): ["100", "2"]} and part.alt.startswith("Confusion matrix of 1 class;")


def test_a_long_class_name_is_cut(draw):
    name = "a_class_with_a_very_long_name"
    figure, _ = draw(class_counts, ClassCounts((name,), np.array([7])), {name: "#000000"})
    assert figure.axes[0].get_yticklabels()[0].get_text() == name[:17] + "…"


def test_cells_are_per_cent_of_their_row_and_numbers(draw):
    figure, part = draw(confusion_matrix, held_out([0, 0, 0, 1], [0, 0, 1, 1]))
    assert cells(figure.axes[0]) == {(0, 0): ["67", "2"], (0, 1): ["33", "1"], (1, 1): ["100", "1"]}
    assert "n = 4, 3 on the diagonal." in part.caption and "75.0 % lie on the diagonal" in part.alt


def test_pairs_that_never_occur_stay_empty_and_shares_are_shades(draw):
    figure, _ = draw(confusion_matrix, held_out([0, 0, 0, 1], [0, 0, 1, 1]))
    squares = {tuple(patch.get_xy()): patch for patch in figure.axes[0].patches}
    assert set(squares) == {(0, 0), (1, 0), (1, 1)}
    alpha = {place: patch.get_alpha() for place, patch in squares.items()}
    assert alpha[1, 1] == pytest.approx(1) and alpha[1, 1] > alpha[0, 0] > alpha[1, 0]
    assert to_rgba(squares[1, 1].get_facecolor())[:3] == to_rgba(FILL)[:3]


def test_text_is_white_on_dark_cells_only(draw):
    figure, _ = draw(confusion_matrix, held_out([0, 0, 0, 1], [0, 0, 1, 1]))
    colours = {tuple(map(int, text.get_position()[::-1])): text.get_color() for text in figure.axes[0].texts}
    assert colours[0, 0] == "#ffffff" and colours[0, 1] == INK


def test_a_share_below_half_a_per_cent_is_not_zero(draw):
    y_pred = np.r_[np.zeros(999, int), 1]
    figure, _ = draw(confusion_matrix, held_out(np.zeros(1000, int), y_pred))
    assert cells(figure.axes[0])[0, 1] == ["<1", "1"]


@pytest.mark.parametrize(("n_class", "rotation"), [(2, 0), (3, 0), (4, 40), (12, 40)])
def test_axes_name_each_class_and_the_number_of_its_labels(draw, n_class, rotation):
    every = np.arange(n_class)
    figure, _ = draw(confusion_matrix, held_out(np.r_[every, 0], np.r_[every, 0], n_class))
    (axes,) = figure.axes
    names = "ABCDEFGHIJKLMNOP"[:n_class]
    assert [label.get_text() for label in axes.get_xticklabels()] == list(names)
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        f"{name}  {2 if name == 'A' else 1}" for name in names
    ]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {rotation}
    assert axes.get_ylim() == (n_class, 0) and axes.get_xlim() == (0, n_class)


def test_caption_names_the_recipe_and_how_it_was_held_out(draw):
    _, part = draw(confusion_matrix, held_out([0], [0], recipe="forest", split="test"))
    assert part.caption.startswith("Confusion matrix of forest (held-out test):")
    _, part = draw(confusion_matrix, held_out([0], [0]))
    assert part.caption.startswith("Confusion matrix of the chosen classifier (out of fold):")


def test_left_out_objects_are_counted_in_words():
    good = held_out([0, 1], [0, 1])
    assert usable(good).all() and describe_left_out(good) == ""
    bad = HeldOutClasses(
        np.array([-1, 1, 0]), np.zeros(3, int), np.array([[0.5, 0.5], [np.nan, 1], [1, 0]]), ("A", "B")
    )
    assert usable(bad).tolist() == [False, False, True]
    assert describe_left_out(bad) == " 2 objects without a usable label or probability left out."


def test_confusion_counts_of_nothing_are_zero():
    none = np.empty(0, np.int64)
    assert confusion_counts(none, none, 3).tolist() == [[0] * 3] * 3
    assert confusion_counts(np.array([2]), np.array([0]), 3).tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]
