"""Paper and ink: a matplotlib figure becomes inline SVG that follows the page's theme.

Text and lines are drawn in a few marker colours, which become CSS variables with the marker as fallback, so one
drawing serves light paper, dark paper and print. Clouds of points are rasterised inside the SVG (transparent PNG).
Everything uses `matplotlib.figure.Figure`; pyplot and its global state are never imported.
"""

import base64
import io
import re
import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from numpy.typing import NDArray
from PIL import Image

from tasks.reporting.parts import Drawing, Key

INK, MUTED, GRID, PAPER = "#1b1f24", "#6a7380", "#d8dde4", "#fefefd"
ACCENT, ALARM = "#23649c", "#b5432d"
FILL = "#2a6aa8"  # of matrix cells and plain bars; the same on both papers, so white text stays readable on it
_VARIABLES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper", ACCENT: "accent", ALARM: "alarm"}
_DPI = 165  # of the rasterised points: 1.7 dots for each CSS pixel, sharp enough and half the size of 2.4
_N_COLOUR = 128  # of the palette of a rasterised picture
_CSS_PX_PER_INCH = 96

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "text.parse_math": False, "font.family": "DejaVu Sans", "font.size": 8.5,
    "axes.unicode_minus": True,
    "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": MUTED, "xtick.color": MUTED, "ytick.color": MUTED,
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "axes.facecolor": "none", "figure.facecolor": "none",
    "savefig.facecolor": "none", "axes.spines.top": False, "axes.spines.right": False, "axes.linewidth": 0.7,
    "xtick.major.width": 0.7, "ytick.major.width": 0.7, "xtick.minor.width": 0.5, "ytick.minor.width": 0.5,
    "xtick.major.size": 3.0, "ytick.major.size": 3.0, "axes.titlesize": 8.5, "axes.labelsize": 8.5,
    "xtick.labelsize": 8.0, "ytick.labelsize": 8.0, "grid.color": GRID, "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}  # fmt: skip

P = ParamSpec("P")
R = TypeVar("R")


def in_style(draw: Callable[P, R]) -> Callable[P, R]:
    """Let `draw` make its figure in the report's style, leaving matplotlib's settings as they were."""

    @wraps(draw)
    def inside(*args: P.args, **kwargs: P.kwargs) -> R:
        with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
            # Text stays text in the SVG, so the reader's fonts draw what matplotlib's own font lacks.
            warnings.filterwarnings("ignore", message="Glyph .* missing from font")
            return draw(*args, **kwargs)

    return inside


def drawing(figure: Figure, name: str, alt: str, caption: str, keys: tuple[Key, ...] = ()) -> Drawing:
    """The figure as a drawing; `name` must be unique in a page, because it salts the SVG's internal ids."""
    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(buffer, format="svg", dpi=_DPI, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    width_px = round(figure.get_figwidth() * _CSS_PX_PER_INCH)
    # matplotlib has escaped every string in it, so the template may take it as markup
    return Drawing(svg=Markup(_tidy(buffer.getvalue())), alt=alt, caption=caption, keys=keys, width_px=width_px)


def _tidy(svg: str) -> str:
    """Drop the XML head, fixed size, comments and unreferenced group ids; let marker colours follow the theme."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1 aria-hidden="true" focusable="false"', svg, count=1)
    svg = re.sub(r'<g id="[^"]*"', "<g", svg)
    svg = re.sub(r"data:image/png;base64,([^\"]*)", _smaller, svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var(--{variable}, {colour})")
    return svg


def _smaller(picture: re.Match[str]) -> str:
    """A PNG of rasterised points with a palette of its own: a third of the bytes, and no eye sees the difference."""
    with Image.open(io.BytesIO(base64.b64decode(picture[1]))) as image:
        palette = image.convert("RGBA").quantize(_N_COLOUR, method=Image.Quantize.FASTOCTREE)
    buffer = io.BytesIO()
    palette.save(buffer, format="PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def sheet(width: float, height: float, **layout: float) -> Figure:
    """An empty figure, `width` by `height` inches; `layout` are margins as `Figure.subplots_adjust` takes them."""
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(**layout)
    return figure


def scale_by_decades(axes: Axes, *which: str) -> None:
    """Make the axes `which` ("x", "y") logarithmic, their ticks plain numbers: 0.1, 1, 10.

    matplotlib's own labels are mathtext, which the style leaves as it is written.
    """
    for name in which:
        axes.set(**{f"{name}scale": "log"})
        axis: Axis = getattr(axes, f"{name}axis")
        axis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.set_minor_formatter(NullFormatter())


def dots(axes: Axes, x: NDArray[Any], y: NDArray[Any], area: float, colour: Any, **look: Any) -> None:
    """A cloud of points at `x`, `y` (N,), rasterised: `area` in points squared, one colour or one for each point."""
    axes.scatter(x, y, s=area, color=colour, linewidths=0, rasterized=True, **look)


def write_beside(axes: Axes, text: str, place: tuple[float, float], shift: tuple[float, float], **look: Any) -> None:
    """Write `text` at `shift` points from `place`, in the coordinates of the data unless `xycoords` names others."""
    axes.annotate(text, place, shift, textcoords="offset points", **look)


def quiet_bars(axes: Axes, n_row: int) -> None:
    """Strip a horizontal bar chart of `n_row` bars of everything but them and their names; the first is on top."""
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.tick_params(axis="both", length=0)
    axes.set_xticks([])
    axes.set_ylim(n_row - 0.45, -0.55)
