"""Figures as inline SVG: they follow the theme, name nothing outside of themselves, and leave no trace behind."""

import base64
import io
import re

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tasks.reporting.figures.canvas import (
    _VARIABLES,
    INK,
    _smaller,
    dots,
    drawing,
    in_style,
    quiet_bars,
    sheet,
    write_beside,
)


@in_style
def plain(name="plain", colour=INK):
    """A drawing of a line and of rasterised dots."""
    figure = sheet(4.0, 2.0)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=colour)
    dots(axes, np.array([0.2, 0.8]), np.array([0.5, 0.5]), 9.0, "#3f7fb8")
    return drawing(figure, name, alt="A line.", caption="Two dots.")


@pytest.mark.parametrize(("colour", "variable"), _VARIABLES.items())
def test_marker_colours_follow_the_theme(colour, variable):
    svg = plain(colour=colour).svg
    assert f"var(--{variable}, {colour})" in svg
    assert not re.search(rf"(?<!, ){colour}", svg)


def test_the_svg_has_no_size_no_ids_of_groups_and_nothing_outside():
    svg = plain().svg
    head = svg[: svg.index(">")]
    assert svg.startswith("<svg") and "viewBox" in head and " width=" not in head and " height=" not in head
    assert 'aria-hidden="true"' in head and "<!--" not in svg and '<g id="' not in svg and "<?xml" not in svg
    assert plain().width_px == 4 * 96


def test_ids_differ_between_figures_and_not_between_runs():
    first, again, other = (plain(name).svg for name in ("one", "one", "two"))
    assert first == again
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (first, other)]
    assert ids[0] and not ids[0] & ids[1]


def test_dots_are_pixels_with_a_palette():
    (picture,) = re.findall(r'data:image/png;base64,([^"]+)', plain().svg)
    with Image.open(io.BytesIO(base64.b64decode(picture))) as image:
        assert image.mode == "P" and image.width > 100


def test_a_picture_with_a_palette_is_smaller_and_the_same_to_the_eye():
    rng = np.random.default_rng(0)
    pixels = np.zeros((60, 60, 4), np.uint8)
    pixels[rng.integers(0, 60, 300), rng.integers(0, 60, 300)] = (63, 127, 184, 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", compress_level=0)
    text = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    smaller = _smaller(re.fullmatch(r"data:image/png;base64,(.*)", text))
    assert len(smaller) < len(text) / 2
    with Image.open(io.BytesIO(base64.b64decode(smaller.split(",")[1]))) as image:
        after = np.asarray(image.convert("RGBA")).astype(int)
    assert np.abs(after[..., 3] - pixels[..., 3].astype(int)).max() <= 8


def test_style_holds_inside_and_nowhere_else():
    before = matplotlib.rcParams["font.size"]

    @in_style
    def size() -> float:
        """The size of the font while a figure is drawn."""
        return matplotlib.rcParams["font.size"]

    assert size() == 8.5 and matplotlib.rcParams["font.size"] == before
    assert size.__doc__.startswith("The size")


def test_style_is_left_even_when_a_figure_fails():
    before = dict(matplotlib.rcParams)

    @in_style
    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert dict(matplotlib.rcParams) == before


def test_words_beside_a_point_are_shifted_by_points():
    axes = Figure().add_subplot()
    write_beside(axes, "here", (0.5, 0.5), (7, -3), color=INK)
    (text,) = axes.texts
    assert (text.get_text(), text.xy, text.xyann, text.anncoords) == ("here", (0.5, 0.5), (7, -3), "offset points")


def test_quiet_bars_show_names_and_nothing_else():
    axes = Figure().add_subplot()
    quiet_bars(axes, 3)
    assert not len(axes.get_xticks()) and not axes.spines["left"].get_visible()
    assert axes.get_ylim() == (2.55, -0.55)
