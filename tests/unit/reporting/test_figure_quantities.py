"""Regressed quantities: points, residuals and intervals where the numbers say, on axes that fit them."""

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection

from schemas.quantities import QUANTITIES
from tasks.learning.bootstrap import wilson
from tasks.reporting import HeldOutQuantity
from tasks.reporting.figures.quantities import _LEVELS, _MOST_BARS, coverage, quantity_figure
from tasks.reporting.parts import Remark

Y = np.linspace(5000.0, 7000.0, 41)
GOOD = HeldOutQuantity("teff_k", "K", Y, Y + 50, Y - 50, Y + 150, 0.9, "forest", "gaia")


def radii(n=60, **more):
    """A quantity over three decades."""
    y = np.logspace(-1, 2, n)
    return replace(HeldOutQuantity("radius_rsun", "R☉", y, 2 * y, y, 4 * y), **more)


def offsets(axes):
    """The points of a panel."""
    (cloud,) = [each for each in axes.collections if isinstance(each, PathCollection)]
    return np.asarray(cloud.get_offsets())


def bars(axes):
    """The vertical lines of a panel."""
    lines = [each for each in axes.collections if isinstance(each, LineCollection)]
    return [segment for each in lines for segment in each.get_segments()]


def test_points_are_predictions_against_labels_and_residuals_below(draw):
    figure, _ = draw(quantity_figure, GOOD)
    above, below, _ = figure.axes
    np.testing.assert_allclose(offsets(above), np.c_[Y, Y + 50])
    np.testing.assert_allclose(offsets(below), np.c_[Y, np.full(Y.size, 50)])


def test_both_panels_share_the_axis_of_labels(draw):
    figure, _ = draw(quantity_figure, GOOD)
    above, below, _ = figure.axes
    low, high = above.get_xlim()
    assert above.get_ylim() == below.get_xlim() == (low, high) and low < 5000 and high > 7050
    name = "Teff (K)"
    assert (above.get_ylabel(), below.get_xlabel()) == (f"Predicted {name}", f"Label {name}")
    assert below.get_ylabel() == "Δ (K)"


def test_the_diagonal_goes_from_end_to_end(draw):
    figure, _ = draw(quantity_figure, GOOD)
    above = figure.axes[0]
    (diagonal,) = above.lines
    assert diagonal.get_xdata().tolist() == diagonal.get_ydata().tolist() == list(above.get_xlim())


def test_bars_are_the_intervals_of_few_objects_and_none_of_many(draw):
    figure, _ = draw(quantity_figure, GOOD)
    np.testing.assert_allclose([bar[:, 1] for bar in bars(figure.axes[0])], np.c_[Y - 50, Y + 150])
    many = np.tile(Y, _MOST_BARS // Y.size + 1)
    figure, _ = draw(quantity_figure, HeldOutQuantity("teff_k", "K", many, many, many - 1, many + 1))
    assert not bars(figure.axes[0])


def test_three_decades_are_logarithmic_with_residuals_in_dex(draw):
    figure, _ = draw(quantity_figure, radii())
    above, below, _ = figure.axes
    assert (above.get_xscale(), above.get_yscale(), below.get_xscale()) == ("log",) * 3
    np.testing.assert_allclose(offsets(below)[:, 1], np.log10(2))
    assert below.get_ylabel() == "Δ (dex)"


@pytest.mark.parametrize("name", [each.name for each in QUANTITIES.values() if each.is_log])
def test_no_mark_up_is_left_in_the_words_of_a_figure(name, draw):
    """The style reads no mathtext, because names of classes may hold a $: ticks and titles must be plain."""
    _, drawn = draw(quantity_figure, radii(quantity=name))
    words = re.findall(r"<text[^>]*>([^<]*)</text>", drawn.svg)
    assert {"1", "10", "100"} <= set(words) and not [word for word in words if "$" in word or "\\" in word]


@pytest.mark.parametrize("change", [{"y": np.linspace(-1, 1, 60)}, {"y": np.linspace(1, 19, 60)}])
def test_negative_or_narrow_quantities_are_linear(draw, change):
    y = change["y"]
    figure, _ = draw(quantity_figure, radii(**change, mean=y, lo=y - 1, hi=y + 1))
    assert figure.axes[0].get_xscale() == "linear"


@pytest.mark.parametrize(("n", "is_drawn"), [(29, False), (30, True)])
def test_the_running_median_needs_thirty_objects(draw, n, is_drawn):
    y = np.linspace(1, 2, n)
    figure, _ = draw(quantity_figure, HeldOutQuantity("feh_dex", "dex", y, y + 0.1, y, y + 0.2))
    lines = figure.axes[1].lines
    assert len(lines) == 1 + is_drawn
    if is_drawn:
        np.testing.assert_allclose(lines[1].get_ydata(), 0.1)
        assert lines[1].get_xdata().size == 3


def test_the_point_is_the_measured_coverage_of_the_stated_interval(draw):
    y = np.arange(100.0)
    inside = np.arange(100) < 80
    one = HeldOutQuantity("teff_k", "K", y, y + np.where(inside, 0.0, 5.0), y - 1, y + 6, 0.9)
    one = replace(one, lo=one.mean - 1, hi=one.mean + 1)
    figure, part = draw(quantity_figure, one)
    panel = figure.axes[2]
    point = panel.lines[-1]
    assert point.get_xydata().tolist() == [[0.9, 0.8]]
    (bar,) = bars(panel)
    np.testing.assert_allclose(bar[:, 1], wilson(80, 100))
    assert "stated 90 % interval, which holds 0.800 [0.71, 0.87] of the labels" in part.caption


def test_the_line_of_coverage_rises(draw):
    figure, _ = draw(quantity_figure, GOOD)
    line = figure.axes[2].lines[1]
    np.testing.assert_allclose(line.get_xdata(), _LEVELS)
    assert (np.diff(line.get_ydata()) >= 0).all()


def test_objects_without_a_number_are_left_out_and_counted(draw):
    holed = replace(GOOD, mean=np.where(np.arange(Y.size) < 2, np.nan, GOOD.mean))
    figure, part = draw(quantity_figure, holed)
    assert len(offsets(figure.axes[0])) == Y.size - 2
    assert part.caption.endswith("n = 39. 2 objects without a finite value left out.")


def test_words_name_the_recipe_and_whose_labels(draw):
    _, part = draw(quantity_figure, GOOD)
    assert part.caption.startswith("Effective temperature: prediction of forest against the label (gaia) of held-out")
    _, part = draw(quantity_figure, replace(GOOD, recipe="", origin=""))
    assert "prediction of the chosen regressor against the label of held-out" in part.caption


def test_one_object_is_drawn_and_none_is_a_remark(draw):
    figure, part = draw(quantity_figure, GOOD.select(np.arange(Y.size) == 3))
    assert len(offsets(figure.axes[0])) == 1 and "n = 1." in part.caption
    figure, part = draw(quantity_figure, GOOD.select(np.zeros(Y.size, bool)))
    assert figure is None and isinstance(part, Remark)


def test_a_selection_keeps_every_word_and_all_arrays_together():
    some = GOOD.select(Y > 6000)
    assert (some.quantity, some.unit, some.level, some.recipe, some.origin) == ("teff_k", "K", 0.9, "forest", "gaia")
    np.testing.assert_allclose(some.mean - some.y, 50)
    assert len(some.y) == len(some.lo) == len(some.hi) == (Y > 6000).sum()


def test_each_side_of_an_interval_is_stretched_by_itself():
    one = HeldOutQuantity("x", "", np.array([-1.0, 1.0]), np.zeros(2), np.full(2, -0.5), np.full(2, 2.0), 0.68)
    assert coverage(one, np.array([0.68, 0.99])).tolist() == [0.5, 1.0]


@pytest.mark.parametrize("hits", [0, 5, 10])
def test_wilson_stays_between_zero_and_one(hits):
    low, high = wilson(hits, 10)
    assert -1e-12 <= low <= hits / 10 <= high + 1e-12 <= 1 + 2e-12
