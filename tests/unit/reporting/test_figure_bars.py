"""Bars and contests: what is drawn has the length, the place, the colour and the words of its numbers."""

import numpy as np
import pytest
from matplotlib.colors import same_color

from tasks.reporting.figures.bars import bars, contest
from tasks.reporting.figures.canvas import ACCENT, MUTED
from tests.unit.reporting.report_sample import metric


def contestants(*rows, target="class", name="macro_f1"):
    """Rows of one metric: (recipe, value, half width, n, chosen)."""
    return [metric(target, recipe, "oof", name, value, half, n, chosen) for recipe, value, half, n, chosen in rows]


TWO = contestants(("forest", 0.9, 0.02, 100, True), ("lstm", 0.8, 0.03, 90, False))


def test_bars_are_as_long_as_their_values_from_top_to_bottom(draw):
    figure, part = draw(bars, "cuts", ["a", "b", "c"], [3.0, 1.0, 2.0], ["3 s", "1 s", "2 s"], "Alt.", "Caption.")
    (axes,) = figure.axes
    assert [bar.get_width() for bar in axes.patches] == [3.0, 1.0, 2.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    bottom, top = axes.get_ylim()
    assert top < 0 < 2 < bottom  # the first row is on top, and none is cut off
    assert axes.get_xlim() == (0, 3.0)
    assert (part.alt, part.caption) == ("Alt.", "Caption.")


def test_words_stand_at_the_ends_of_their_bars(draw):
    figure, _ = draw(bars, "b", ["a", "b"], [3.0, 1.0], ["three", "one"], "", "")
    assert [(text.get_text(), text.xy) for text in figure.axes[0].texts] == [("three", (3.0, 0)), ("one", (1.0, 1))]


@pytest.mark.parametrize("values", [[np.nan, 2.0], [0.0, 2.0]])
def test_a_missing_value_is_a_bar_of_no_length(draw, values):
    figure, _ = draw(bars, "b", ["a", "b"], values, ["–", "2"], "", "")
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0.0, 2.0]


def test_nothing_but_zeros_still_has_an_axis(draw):
    figure, _ = draw(bars, "b", ["a"], [0.0], ["0"], "", "")
    low, high = figure.axes[0].get_xlim()
    assert low == 0 < high


def test_a_long_label_is_cut(draw):
    figure, _ = draw(bars, "b", ["x" * 60], [1.0], ["1"], "", "")
    assert figure.axes[0].get_yticklabels()[0].get_text() == "x" * 29 + "…"


@pytest.mark.parametrize("n", [1, 5, 40])
def test_the_sheet_grows_with_the_rows(draw, n):
    figure, _ = draw(bars, "b", ["a"] * n, [1.0] * n, ["1"] * n, "", "")
    assert figure.get_figheight() == pytest.approx(0.25 + 0.25 * n)


def test_a_contest_draws_every_value_and_its_interval(draw):
    figure, part = draw(contest, "class", TWO)
    (axes,) = figure.axes
    intervals, points = axes.lines[0::2], axes.lines[1::2]
    assert [point.get_xydata().tolist() for point in points] == [[[0.9, 0]], [[0.8, 1]]]
    np.testing.assert_allclose([line.get_xdata() for line in intervals], [[0.88, 0.92], [0.77, 0.83]])
    assert [text.get_text() for text in axes.texts] == ["0.900 [0.88, 0.92]", "0.800 [0.77, 0.83]"]
    assert "n = 90 to 100." in part.caption and part.alt == "Macro F1 ↑ of 2 recipes with intervals."


def test_only_the_chosen_recipe_is_in_colour(draw):
    figure, _ = draw(contest, "class", TWO)
    colours = [line.get_color() for line in figure.axes[0].lines[1::2]]
    assert same_color(colours[0], ACCENT) and same_color(colours[1], MUTED)


def test_without_an_interval_there_is_only_the_point(draw):
    rows = [TWO[0] | {"lo": None, "hi": None}]
    figure, part = draw(contest, "class", rows)
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [0.9] and "n = 100." in part.caption


def test_no_count_no_n(draw):
    _, part = draw(contest, "class", [TWO[0] | {"n": None}])
    assert "n =" not in part.caption


@pytest.mark.parametrize(
    ("target", "name", "label"),
    [("teff_k", "rmse", "RMSE ↓ (K)"), ("teff_k", "r2", "R² ↑"), ("class", "accuracy", "Accuracy ↑")],
)
def test_the_axis_has_the_unit_of_errors_alone(draw, target, name, label):
    figure, part = draw(contest, target, contestants(("forest", 0.5, 0.1, 9, True), target=target, name=name))
    assert figure.axes[0].get_xlabel() == label
    assert part.caption.startswith("Class" if target == "class" else "Effective temperature")


def test_splits_are_named_where_there_are_two(draw):
    rows = [TWO[0], TWO[1] | {"split": "test"}]
    figure, _ = draw(contest, "class", rows)
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["forest (out of fold)", "lstm (held-out test)"]
    figure, _ = draw(contest, "class", TWO)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["forest", "lstm"]
