"""Where the objects are on the sky: all of it in galactic coordinates, and the field itself where it is small."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from tasks.reporting.data import SkyPositions
from tasks.reporting.figures.canvas import ACCENT, ALARM, GRID, MUTED, PAPER, dots, drawing, in_style, sheet
from tasks.reporting.notation import count, plural
from tasks.reporting.parts import Drawing, Key, Remark

# ICRS to galactic, ESA 1997, The Hipparcos and Tycho Catalogues, SP-1200, vol. 1, eq. 1.5.11 (transposed).
_GALACTIC = np.array([
    [-0.0548755604, -0.8734370902, -0.4838350155],
    [+0.4941094279, -0.4448296300, +0.7469822445],
    [-0.8676661490, -0.1980763734, +0.4559837762],
])  # fmt: skip
_SMALL_FIELD_DEG = 20.0  # a field within this radius gets a panel of its own
_MOST_POINTS = 60_000  # more would only blacken the map


def to_galactic(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Galactic longitude (-180, 180] and latitude, (S,) deg each, of ICRS `ra`, `dec` (S,) deg."""
    x, y, z = _GALACTIC @ _unit_vectors(ra, dec)
    return np.degrees(np.arctan2(y, x)), np.degrees(np.arcsin(np.clip(z, -1.0, 1.0)))


def _unit_vectors(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cartesian unit vectors (3, S) of positions in deg."""
    a, d = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])


def field_of(ra: NDArray[np.float64], dec: NDArray[np.float64]) -> tuple[float, float, float]:
    """Centre (ra, dec) and the radius that holds 99 % of the positions, deg."""
    vectors = _unit_vectors(ra, dec)
    mean = vectors.mean(axis=1)
    if np.linalg.norm(mean) < 1e-6:  # spread evenly over the sphere: there is no centre
        return 0.0, 0.0, 180.0
    centre = mean / np.linalg.norm(mean)
    radius = np.degrees(np.quantile(np.arccos(np.clip(centre @ vectors, -1.0, 1.0)), 0.99))
    return float(np.degrees(np.arctan2(centre[1], centre[0])) % 360), float(np.degrees(np.arcsin(centre[2]))), radius


@in_style
def sky_map(sky: SkyPositions | None, colours: dict[str, str]) -> Drawing | Remark:
    """Mollweide map in galactic coordinates, one dot per object in the colour of its class."""
    if sky is None:
        return Remark("This dataset gives no positions, so there is no map of the sky.")
    known = np.flatnonzero(np.isfinite(sky.ra) & np.isfinite(sky.dec))
    if not known.size:
        return Remark("No object has a position, so there is no map of the sky.")
    shown = _thin(known)
    ra, dec = np.asarray(sky.ra, float)[shown], np.asarray(sky.dec, float)[shown]
    classes = None if sky.class_pred is None else np.asarray(sky.class_pred, dtype=object)[shown]
    paint = np.full(len(shown), ACCENT) if classes is None else np.array([colours[str(c)] for c in classes])
    centre_ra, centre_dec, radius = field_of(ra, dec)
    is_small = radius < _SMALL_FIELD_DEG
    # A dot in the marker colour would not follow the theme once rasterised, hence the fixed stand-in.
    paint = np.where(paint == ACCENT, "#3f7fb8", paint)
    figure = _sky_sheet(is_small)
    _all_sky(figure, ra, dec, paint, is_small)
    if is_small:
        _close_up(figure.axes[1], ra, dec, paint, (centre_ra, centre_dec, radius))
    present = [] if classes is None else [name for name in colours if name in set(classes)]
    return drawing(
        figure,
        "sky",
        alt=f"Map of the sky with the positions of {plural(len(known), 'object')}.",
        caption=_caption(len(known), len(shown), len(sky.ra), (centre_ra, centre_dec, radius), is_small)
        + ("" if classes is None else " Colours: predicted class."),
        keys=tuple(Key(name, colours[name]) for name in present),
    )


def _thin(index: NDArray[np.intp]) -> NDArray[np.intp]:
    """At most `_MOST_POINTS` of `index` in random order, so that no class is always painted over by another."""
    return np.random.default_rng(0).permutation(index)[:_MOST_POINTS]


def _sky_sheet(is_small: bool) -> Figure:
    figure = sheet(9.4, 4.0 if is_small else 4.5)
    figure.add_axes((0.055, 0.02, 0.53, 0.96) if is_small else (0.06, 0.02, 0.88, 0.96), projection="mollweide")
    if is_small:
        figure.add_axes((0.67, 0.13, 0.31, 0.80))
    return figure


def _dot_area(n: int) -> float:
    """Area of a dot in points squared: large enough to see alone, small enough for a crowd."""
    return float(np.clip(16000 / max(n, 1), 0.9, 14.0))


def _all_sky(
    figure: Figure, ra: NDArray[np.float64], dec: NDArray[np.float64], paint: NDArray[np.str_], is_small: bool
) -> None:
    """Galactic graticule, the celestial equator and the objects; longitude grows to the left."""
    axes = figure.axes[0]
    axes.set_axisbelow("line")
    axes.grid(True, color=GRID, linewidth=0.6)
    axes.set_xticks(np.radians([-120, -60, 0, 60, 120]), ["120°", "60°", "l = 0°", "300°", "240°"])
    axes.set_yticks(np.radians([-60, -30, 0, 30, 60]), ["−60°", "−30°", "b = 0°", "+30°", "+60°"])
    axes.tick_params(labelcolor=MUTED, labelsize=7.5)
    for label in axes.get_xticklabels():  # they stand inside the map, among the objects
        label.set_bbox({"facecolor": PAPER, "alpha": 0.85, "linewidth": 0, "pad": 1.5})
    axes.spines["geo"].set_color(MUTED)
    lon, lat = to_galactic(np.linspace(0, 360, 721), np.zeros(721))
    breaks = np.abs(np.diff(lon, append=lon[-1])) > 180
    axes.plot(-np.radians(np.where(breaks, np.nan, lon)), np.radians(lat), color=MUTED, linewidth=0.7, dashes=(4, 3))
    lon, lat = to_galactic(ra, dec)
    dots(axes, -np.radians(lon), np.radians(lat), _dot_area(len(lon)), paint, alpha=0.85, zorder=1)
    if is_small:
        x, y = -np.radians(np.median(lon)), np.radians(np.median(lat))
        axes.scatter([x], [y], s=320, facecolors="none", edgecolors=ALARM, linewidths=1.1, zorder=4)


def _close_up(
    axes: Axes,
    ra: NDArray[np.float64],
    dec: NDArray[np.float64],
    paint: NDArray[np.str_],
    field: tuple[float, float, float],
) -> None:
    """The field in equatorial coordinates, east to the left, with equal scales at its centre."""
    centre_ra, centre_dec, radius = field
    stretch = 1 / max(np.cos(np.radians(centre_dec)), 0.05)
    half = max(1.12 * radius, 0.05)
    offset = (ra - centre_ra + 180) % 360 - 180
    axes.grid(True)
    dots(axes, centre_ra + offset, dec, 0.8 * _dot_area(len(ra)), paint, alpha=0.85, zorder=3)
    axes.set_xlim(centre_ra + half * stretch, centre_ra - half * stretch)
    axes.set_ylim(centre_dec - half, centre_dec + half)
    axes.set_aspect(stretch, adjustable="box")
    axes.locator_params(nbins=5)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value % 360:g}°")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:+g}°".replace("-", "−"))
    axes.set_xlabel("Right ascension")
    axes.set_ylabel("Declination")
    axes.spines[["top", "right"]].set_visible(True)
    axes.patch.set_facecolor(PAPER)


def _caption(known: int, shown: int, total: int, field: tuple[float, float, float], is_small: bool) -> str:
    text = f"Positions of {plural(known, 'object')} in galactic coordinates (Mollweide; dashed: celestial equator)"
    if shown < known:
        text += f", a random {count(shown)} of them drawn"
    if known < total:
        text += f"; {count(total - known)} more have no position"
    if is_small:
        sign = f"{field[1]:+.1f}".replace("-", "−")
        text += f". Right: the field itself around RA {field[0]:.1f}°, Dec {sign}°"
    return text + f". n = {count(known)}."
