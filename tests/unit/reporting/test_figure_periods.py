"""Histograms of periods: one row a class, as high as its own maximum, on an axis whose ticks are round periods."""

import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from tasks.reporting import ClassPeriods
from tasks.reporting.figures.periods import _period_axis, period_histogram

COLOURS = {"RRab": "#0072b2", "CEP": "#d55e00", "ECL": "#784e71"}


def periods(**by_class):
    """Periods by class, in one piece."""
    names = [name for name, values in by_class.items() for _ in values]
    return ClassPeriods(np.array([p for values in by_class.values() for p in values]), np.array(names, object))


def rows(axes):
    """Values of each histogram, from the top row down, with its base line."""
    return [patch.get_data() for patch in axes.patches if isinstance(patch, StepPatch)]


def test_a_row_for_each_class_in_the_order_of_the_colours(draw):
    figure, part = draw(period_histogram, periods(CEP=[4.0, 5.0], RRab=[0.5]), COLOURS)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["RRab", "CEP"]
    assert [text.get_text() for text in axes.texts] == ["1", "2"]
    fills = [patch.get_facecolor() for patch in axes.patches]
    assert same_color(fills[0][:3], COLOURS["RRab"]) and same_color(fills[1][:3], COLOURS["CEP"])
    assert part.alt == "Histograms of the period of 3 objects, one per predicted class."


def test_each_row_is_as_high_as_its_own_maximum(draw):
    figure, _ = draw(period_histogram, periods(RRab=[0.5] * 100 + [0.7] * 50, CEP=[4.0]), COLOURS)
    for row, (values, _, base) in enumerate(rows(figure.axes[0])):
        assert base == row + 1 and values.min() == pytest.approx(row + 1 - 0.86) and values.max() == row + 1
    first = rows(figure.axes[0])[0].values
    assert sorted(np.unique(np.round(2 - 1 - first, 3))) == [0, 0.43, 0.86]  # none, half as many, most


def test_rows_hold_the_histogram_of_the_logarithms(draw):
    rng = np.random.default_rng(0)
    sample = 10 ** rng.normal(0, 0.5, 500)
    figure, _ = draw(period_histogram, periods(RRab=sample), COLOURS)
    (values, edges, base) = rows(figure.axes[0])[0]
    counts = (base - values) / 0.86
    expected = np.histogram(np.log10(sample), edges)[0]
    np.testing.assert_allclose(counts * expected.max(), expected, atol=1e-9)
    assert expected.sum() == 500  # no period is beyond the edges


@pytest.mark.parametrize(("bad", "words"), [([np.nan], "1 object"), ([np.nan, 0.0, -1.0], "3 objects")])
def test_objects_without_a_period_are_counted(draw, bad, words):
    _, part = draw(period_histogram, periods(RRab=[0.5, *bad]), COLOURS)
    assert part.caption.endswith(f"n = 1; {words} without a period not shown.")


def test_a_class_without_periods_has_no_row(draw):
    figure, _ = draw(period_histogram, periods(RRab=[0.5], ECL=[np.nan]), COLOURS)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["RRab"]


@pytest.mark.parametrize("n", [1, 3])
def test_the_sheet_grows_with_the_classes(draw, n):
    names = list(COLOURS)[:n]
    figure, _ = draw(period_histogram, periods(**{name: [1.0] for name in names}), COLOURS)
    assert figure.get_figheight() == pytest.approx(0.7 + 0.42 * n)


@pytest.mark.parametrize(
    ("low", "high", "names"),
    [
        (-1.5, 2.5, ["0.1", "1", "10", "100"]),
        (-0.05, 0.75, ["1", "2", "3", "5"]),
        (-0.8, -0.2, ["0.2", "0.3", "0.5"]),
        (2.1, 2.9, ["200", "300", "500"]),
    ],
)
def test_ticks_are_round_periods(low, high, names):
    axes = Figure().add_subplot()
    _period_axis(axes, low, high)
    assert [label.get_text() for label in axes.get_xticklabels()] == names
    np.testing.assert_allclose(axes.get_xticks(), np.log10([float(name) for name in names]))
    assert axes.get_xlim() == (low, high) and axes.get_xlabel() == "Period (d)"


def test_minor_ticks_stand_at_two_to_nine():
    axes = Figure().add_subplot()
    _period_axis(axes, -0.01, 2.01)
    minor = 10 ** np.array(axes.get_xticks(minor=True))
    np.testing.assert_allclose(np.sort(minor), [*range(2, 10), *range(20, 100, 10)])
