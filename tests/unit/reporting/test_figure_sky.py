"""The map of the sky: every object at its place in the colour of its class, and the field itself where it is small."""

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import same_color

from tasks.reporting import SkyPositions
from tasks.reporting.figures import sky as module
from tasks.reporting.figures.canvas import ACCENT, ALARM
from tasks.reporting.figures.sky import _dot_area, _thin, field_of, sky_map, to_galactic

COLOURS = {"RRab": "#0072b2", "ECL": "#784e71", "CEP": "#d55e00"}
FIELD = SkyPositions(
    np.array([80.0, 80.5, 79.5]), np.array([-69.0, -69.2, -68.8]), np.array(["ECL", "RRab", "ECL"], object)
)
SPREAD = SkyPositions(np.array([0.0, 90.0, 180.0, 270.0]), np.array([0.0, 50.0, -50.0, 10.0]))


def clouds(axes):
    """The clouds of points of a panel."""
    return [each for each in axes.collections if isinstance(each, PathCollection)]


def test_objects_stand_at_their_galactic_coordinates_with_longitude_to_the_left(draw):
    figure, _ = draw(sky_map, SPREAD, {})
    (cloud,) = clouds(figure.axes[0])
    lon, lat = to_galactic(SPREAD.ra, SPREAD.dec)
    drawn = np.degrees(np.asarray(cloud.get_offsets()))
    np.testing.assert_allclose(drawn[np.lexsort(drawn.T)], np.c_[-lon, lat][np.lexsort(np.c_[-lon, lat].T)])


def test_the_galactic_pole_and_centre():
    # Poles and node of the system: Hipparcos and Tycho Catalogues, vol. 1, eqs 1.5.9 and 1.5.10.
    _, lat = to_galactic(np.array([192.85948]), np.array([27.12825]))
    assert lat[0] == pytest.approx(90, abs=1e-3)
    lon, lat = to_galactic(np.array([266.405]), np.array([-28.936]))
    assert abs(lon[0]) < 0.01 and abs(lat[0]) < 0.01


def test_a_small_field_has_a_panel_of_its_own_with_east_to_the_left(draw):
    figure, part = draw(sky_map, FIELD, COLOURS)
    assert len(figure.axes) == 2
    close = figure.axes[1]
    drawn = np.asarray(clouds(close)[0].get_offsets())
    np.testing.assert_allclose(np.sort(drawn[:, 0]), [79.5, 80.0, 80.5])
    left, right = close.get_xlim()
    bottom, top = close.get_ylim()
    assert left > 80.5 > 79.5 > right and bottom < -69.2 < -68.8 < top
    assert "Right: the field itself around RA 80.0°, Dec −69.0°." in part.caption
    assert (close.get_xlabel(), close.get_ylabel()) == ("Right ascension", "Declination")


def test_a_field_across_zero_hours_stays_together(draw):
    sky = SkyPositions(np.array([359.5, 0.5, 0.0]), np.array([10.0, 10.0, 10.2]))
    figure, _ = draw(sky_map, sky, {})
    right_ascension = np.asarray(clouds(figure.axes[1])[0].get_offsets())[:, 0]
    assert np.ptp(right_ascension) == pytest.approx(1.0)


def test_a_ring_marks_where_the_small_field_is(draw):
    figure, _ = draw(sky_map, FIELD, COLOURS)
    ring = clouds(figure.axes[0])[1]
    assert not len(ring.get_facecolors()) and same_color(ring.get_edgecolors()[0], ALARM)
    figure, _ = draw(sky_map, SPREAD, {})
    assert len(clouds(figure.axes[0])) == 1 and len(figure.axes) == 1


def test_each_object_has_the_colour_of_its_class(draw):
    figure, part = draw(sky_map, FIELD, COLOURS)
    (close,) = clouds(figure.axes[1])
    by_place = dict(zip(np.round(close.get_offsets()[:, 0], 1).tolist(), close.get_facecolors(), strict=True))
    for ra, name in zip(FIELD.ra, FIELD.class_pred, strict=True):
        assert same_color(by_place[ra][:3], COLOURS[name])
    assert [(key.label, key.colour) for key in part.keys] == [("RRab", COLOURS["RRab"]), ("ECL", COLOURS["ECL"])]
    assert part.caption.count("Colours: predicted class.") == 1


def test_without_classes_no_dot_follows_the_theme(draw):
    """A rasterised dot cannot follow it: its colour is fixed, and readable on both papers."""
    figure, part = draw(sky_map, SPREAD, {})
    (cloud,) = clouds(figure.axes[0])
    assert not any(same_color(colour[:3], ACCENT) for colour in cloud.get_facecolors())
    assert part.keys == () and "Colours" not in part.caption


def test_more_objects_than_the_most_are_thinned_and_counted(draw, monkeypatch):
    monkeypatch.setattr(module, "_MOST_POINTS", 3)
    figure, part = draw(sky_map, SPREAD, {})
    assert len(clouds(figure.axes[0])[0].get_offsets()) == 3
    assert "a random 3 of them drawn" in part.caption and part.caption.endswith("n = 4.")
    assert sorted(_thin(np.arange(3)).tolist()) == [0, 1, 2]


@pytest.mark.parametrize(("n", "area"), [(1, 14.0), (4000, 4.0), (10**6, 0.9)])
def test_dots_shrink_with_their_number(n, area):
    assert _dot_area(n) == pytest.approx(area)


def test_a_field_holds_all_but_one_in_a_hundred():
    dec = np.r_[np.zeros(199), 30.0]
    assert field_of(np.full(200, 10.0), dec)[2] < 1
