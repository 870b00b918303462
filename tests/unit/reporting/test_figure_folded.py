"""Panels of folded light curves: every point at its phase, in its band's colour, faint ones below, outliers hollow."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from tasks.reporting import FoldedCurve
from tasks.reporting.figures.canvas import ALARM, MUTED
from tasks.reporting.figures.folded import (
    _bands_of,
    _limits,
    _panel,
    _subtract_medians,
    confident_examples,
    folded_pages,
)
from tasks.reporting.palette import band_style

COLOURS = {"RRab": "#0072b2", "ECL": "#784e71"}


def curve(phase=(0.1, 0.6), mag=(15.0, 15.4), band=(0, 0), err=(0.02, 0.03), bands=("G", "BP"), **more):
    """One object with a few points."""
    given = {"object_id": "s1", "class_pred": "RRab", "prob": 0.9, "class_label": "RRab", "period_day": 0.5, **more}
    errors = None if err is None else np.array(err, np.float32)
    return FoldedCurve(
        phase=np.array(phase, float),
        mag=np.array(mag, np.float32),
        mag_err=errors,
        band=np.array(band, np.int8),
        bands=bands,
        **given,
    )


def panel(one):
    """The axes of one panel."""
    axes = Figure().add_subplot()
    _panel(axes, one)
    return axes


def points(axes):
    """Phases and magnitudes of every drawn point, by rows."""
    clouds = [each for each in axes.collections if isinstance(each, PathCollection)]
    return np.concatenate([cloud.get_offsets() for cloud in clouds])


def test_every_point_is_drawn_in_both_cycles():
    drawn = points(panel(curve()))
    np.testing.assert_allclose(sorted(drawn.tolist()), [[0.1, 15], [0.6, 15.4], [1.1, 15], [1.6, 15.4]], rtol=1e-6)


def test_phases_are_taken_modulo_one():
    drawn = points(panel(curve(phase=(-0.25, 3.5))))
    np.testing.assert_allclose(np.sort(drawn[:, 0]), [0.5, 0.75, 1.5, 1.75])


def test_error_bars_reach_as_far_as_the_errors():
    (bars,) = [each for each in panel(curve()).collections if isinstance(each, LineCollection)]
    spans = sorted(segment[:, 1].tolist() for segment in bars.get_segments())
    np.testing.assert_allclose(spans, [[14.98, 15.02]] * 2 + [[15.37, 15.43]] * 2, rtol=1e-5)


@pytest.mark.parametrize("err", [None, (np.nan, np.nan), (0.0, -1.0)])
def test_without_a_positive_error_there_is_no_bar(err):
    bars = [each for each in panel(curve(err=err)).collections if isinstance(each, LineCollection)]
    assert sum(len(each.get_segments()) for each in bars) == 0


def test_an_outlier_becomes_hollow_at_the_edge():
    n = 400
    mag = np.r_[15 + 0.1 * np.sin(np.arange(n)), 25.0]
    one = curve(phase=np.linspace(0, 0.99, n + 1), mag=mag, band=np.zeros(n + 1, int), err=None)
    axes = panel(one)
    bottom, _ = axes.get_ylim()
    hollow = [each for each in axes.collections if isinstance(each, PathCollection) and not len(each.get_facecolors())]
    assert [each.get_offsets()[:, 1].tolist() for each in hollow] == [[pytest.approx(bottom)] * 2]


def test_bands_have_their_colours_and_are_drawn_around_their_medians():
    one = curve(phase=(0.1, 0.2, 0.3), mag=(15.0, 16.0, 18.0), band=(0, 0, 1), err=None)
    np.testing.assert_allclose(_subtract_medians(one), [-0.5, 0.5, 0.0])
    clouds = [each for each in panel(one).collections if isinstance(each, PathCollection)]
    colours = [colour for cloud in clouds for colour in cloud.get_facecolors()]
    wanted = [band_style(band, place)[0] for place, band in enumerate(one.bands)]
    assert all(any(same_color(colour[:3], want) for colour in colours) for want in wanted)


def test_a_single_band_keeps_its_magnitudes():
    np.testing.assert_allclose(_subtract_medians(curve()), [15.0, 15.4], rtol=1e-6)


def test_a_band_of_missing_magnitudes_moves_nothing():
    one = curve(mag=(15.0, np.nan), band=(0, 1))
    np.testing.assert_allclose(_subtract_medians(one), [0.0, np.nan])


def test_limits_ignore_one_outlier_and_never_close_up():
    low, high = _limits(np.r_[np.linspace(15, 16, 1000), 99.0])
    assert 14.7 < low < 15 and 16 < high < 16.4
    assert _limits(np.full(5, 15.0)) == pytest.approx((14.98, 15.02))


@pytest.mark.parametrize(
    ("label", "text", "colour"),
    [("RRab", "label RRab", MUTED), ("ECL", "label ECL", ALARM), (None, "no label", MUTED)],
)
def test_a_wrong_label_is_in_the_colour_of_alarm(label, text, colour):
    texts = {each.get_text(): each.get_color() for each in panel(curve(class_label=label)).texts}
    assert texts[text] == colour


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, "P 0.500 d"),
        ({"period_day": None}, "phase as supplied"),
        ({"period_day": float("nan")}, "no period"),
        ({"note": "out of fold"}, "P 0.500 d · out of fold"),
        ({"prob": 0.987}, "0.99"),
    ],
)
def test_what_stands_around_a_panel(more, text):
    assert text in [each.get_text() for each in panel(curve(**more)).texts]


def test_only_bands_with_epochs_are_in_the_legend_in_declared_order():
    first, second = curve(band=(1, 1), bands=("G", "BP", "RP")), curve(band=(0, 0), bands=("G", "BP", "RP"))
    assert _bands_of([first, second]) == ["G", "BP"]
    pages = folded_pages([first, replace(second, class_pred="ECL")], COLOURS)
    assert [[key.label for key in page.keys] for page in pages] == [["G", "BP"], []]


def test_a_page_for_each_class_in_the_order_of_the_colours():
    pages = folded_pages([curve(class_pred="ECL"), curve()], COLOURS)
    assert [page.caption.split(",")[0] for page in pages] == ["RRab", "ECL"]
    assert folded_pages([curve(class_pred="unknown")], COLOURS) == () == folded_pages([], COLOURS)


def test_the_caption_counts_objects_epochs_and_right_labels():
    (page,) = folded_pages([curve(), curve(class_label="ECL"), curve(class_label=None)], COLOURS)
    assert "n = 3 objects, 6 epochs. The label agrees for 1 of 2 labelled ones." in page.caption
    (page,) = folded_pages([curve(class_label=None)], COLOURS)
    assert "label agrees" not in page.caption and "n = 1 object, 2 epochs." in page.caption


def test_the_surest_comes_first_and_unknown_probabilities_last():
    names = {"a": 0.2, "b": float("nan"), "c": 0.9}
    (page,) = folded_pages([curve(object_id=name, prob=prob) for name, prob in names.items()], COLOURS)
    place = {name: page.svg.index(f">{name}<") for name in names}
    assert place["c"] < place["a"] < place["b"] and "from the surest to the least sure" in page.caption


def test_examples_are_distinct_rows_with_numbers():
    prob = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [np.nan, 0.5], [0.3, 0.7]])
    assert confident_examples(prob, 1).tolist() == [0, 2, 4]
    assert confident_examples(np.full((2, 2), np.nan)).size == 0
