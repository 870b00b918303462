"""Eclipsing binaries and constant stars: Kepler's law, eclipses where the light is, main sequences."""

import numpy as np
import pytest

from tasks.sky.bands import absolute_g, band_flux, radius
from tasks.sky.binaries import KEPLER_RSUN, eclipsing
from tasks.sky.constants import BANDS
from tasks.sky.others import SEQUENCE_LOG_MASS, SEQUENCE_TEFF_K, constant, main_sequence
from tasks.sky.shapes import GRID, contact, hidden_fraction, separation

N = 2000


@pytest.fixture(scope="module")
def pairs():
    return eclipsing(np.random.default_rng(8), N).fill()


@pytest.fixture(scope="module")
def curve(pairs):
    """Light curves in every band but their means, (N, 11, GRID) mag above the brightest."""
    return (
        pairs["scale"][:, :, None] * pairs["template"][:, None, :]
        + pairs["scale2"][:, :, None] * pairs["component"][:, None, :]
    )


def test_half_of_the_pairs_are_draw_detached(pairs):
    assert np.mean(pairs["subclass"] == "EA") == pytest.approx(0.5, abs=0.04)
    assert set(pairs["subclass"]) == {"EA", "EW"}


def test_contact_pairs_have_short_periods_and_one_temperature(pairs):
    is_contact = pairs["subclass"] == "EW"
    assert pairs["period_day"][is_contact].max() <= 0.85 + 1e-9
    ratio = (pairs["teff2_k"] / pairs["teff_k"])[is_contact]
    assert ratio.min() >= 0.96 and ratio.max() <= 1.0
    assert np.median(pairs["period_day"][~is_contact]) > np.median(pairs["period_day"][is_contact])


def test_contact_pairs_are_hotter_when_their_periods_are_longer(pairs):
    """Jayasinghe et al. 2020: 5,260 K a dex, which the limits of the temperature flatten a little."""
    is_contact = pairs["subclass"] == "EW"
    slope = np.polyfit(np.log10(pairs["period_day"][is_contact]), pairs["teff_k"][is_contact], 1)[0]
    assert slope == pytest.approx(5260, rel=0.12)


def test_pairs_get_fainter_and_never_brighter_in_eclipse(pairs, curve):
    is_draw_detached = pairs["subclass"] == "EA"
    depth = np.ptp(curve[:, 0], axis=1)
    assert (depth > 0.01).all() and depth.max() < 5
    deepest = np.argmax(curve[is_draw_detached, 0], axis=1)
    assert np.mean((deepest < GRID * 0.05) | (deepest > GRID * 0.95) | (abs(deepest - GRID / 2) < GRID * 0.2)) > 0.9


def test_draw_detached_stars_lie_inside_their_orbit(pairs):
    is_draw_detached = pairs["subclass"] == "EA"
    size = radius(pairs["luminosity_lsun"], pairs["teff_k"]) + radius(pairs["luminosity2_lsun"], pairs["teff2_k"])
    widest = KEPLER_RSUN * (6.0 * pairs["period_day"] ** 2) ** (1 / 3)  # no pair has more than 6 solar masses
    assert (size < widest)[is_draw_detached].all()
    assert pairs["period_day"][is_draw_detached].max() <= 25.0


def test_the_law_of_kepler_has_the_size_of_the_earths_orbit():
    assert pytest.approx(215.0, rel=2e-3) == KEPLER_RSUN * (1.0 * 365.25**2) ** (1 / 3)  # 1 au in solar radii


def test_depths_in_a_band_follow_the_share_of_the_hidden_light(pairs):
    """The cool star is the brighter of the two more often in the red: covering it costs more light there."""
    is_draw_detached = pairs["subclass"] == "EA"
    cool_second = is_draw_detached & (pairs["teff2_k"] < 0.8 * pairs["teff_k"])
    blue, red = BANDS.index("g_ps1"), BANDS.index("y_ps1")
    primary, secondary = pairs["scale"][cool_second], pairs["scale2"][cool_second]
    hidden = primary[:, 0] > 0.02
    assert (primary[hidden, blue] >= primary[hidden, red] - 1e-12).all()
    assert np.mean(secondary[:, red] >= secondary[:, blue]) > 0.95


def test_depth_of_a_total_eclipse_is_the_light_of_the_other_star():
    light = [
        band_flux(absolute_g(np.array([lum]), teff), np.array([teff]))[0]
        for lum, teff in ((2.0, 6500.0), (0.5, 4500.0))
    ]
    covered = hidden_fraction(np.array([[0.0]]), np.array([2.0]), np.array([1.0]))[0, 0]
    assert covered == pytest.approx(1.0)
    depth = -2.5 * np.log10(1 - covered * light[0] / (light[0] + light[1]))
    assert np.allclose(depth, 2.5 * np.log10((light[0] + light[1]) / light[1]))
    assert depth[BANDS.index("g_ps1")] > depth[BANDS.index("y_ps1")]


def test_discs_that_do_not_touch_hide_nothing_and_a_small_one_hides_its_area():
    far = hidden_fraction(np.array([[2.0, 3.0]]), np.array([0.5]), np.array([1.0]))
    assert np.allclose(far, 0.0, atol=1e-6)
    inside = hidden_fraction(np.array([[0.0, 0.3]]), np.array([0.5]), np.array([1.0]))
    assert np.allclose(inside, 0.25, atol=1e-4)


@pytest.mark.parametrize("eccentricity", [0.0, 0.2, 0.35])
def test_the_orbit_lies_between_its_apsides_and_spends_its_time_by_keplers_second_law(eccentricity):
    distance, _ = separation(np.array([1.0]), np.array([eccentricity]), np.array([0.7]))  # seen from its pole
    assert distance.min() >= 1 - eccentricity - 1e-6 and distance.max() <= 1 + eccentricity + 1e-6
    assert distance.mean() == pytest.approx(1 + eccentricity**2 / 2, abs=1e-3)  # mean over time


def test_an_edge_on_circular_orbit_has_its_conjunctions_half_a_period_apart():
    distance, second_in_front = separation(np.array([0.0]), np.array([0.0]), np.array([0.0]))
    assert distance[0, 0] == pytest.approx(0, abs=1e-6) and distance[0, GRID // 2] == pytest.approx(0, abs=1e-6)
    assert distance[0, GRID // 4] == pytest.approx(1.0, abs=1e-3)
    assert second_in_front[0, 1] and not second_in_front[0, GRID // 2 + 1]


def test_contact_curves_are_symmetric_and_deeper_with_more_distortion():
    curve = contact(np.array([-0.02, -0.02]), np.array([-0.05, -0.20]))
    assert np.allclose(curve[:, 1:], curve[:, :0:-1])  # the same before and after the minimum
    assert np.ptp(curve[1]) > 2 * np.ptp(curve[0])
    assert (curve.min(axis=1) == 0).all()


def test_the_main_sequence_is_brighter_and_hotter_with_mass():
    luminosity, teff = main_sequence(np.linspace(-0.3, 0.4, 50))
    assert (np.diff(luminosity) > 0).all() and (np.diff(teff) > 0).all()
    sun = main_sequence(np.array([0.0]))
    assert sun[0][0] == pytest.approx(1.0, abs=0.1) and sun[1][0] == pytest.approx(5772, abs=60)
    assert (np.diff(SEQUENCE_LOG_MASS) > 0).all() and (np.diff(SEQUENCE_TEFF_K) > 0).all()


def test_constant_stars_are_dwarfs_and_giants_apart_in_luminosity():
    draw = constant(np.random.default_rng(3), N)
    is_giant = draw.subclass == "giant"
    assert is_giant.mean() == pytest.approx(0.30, abs=0.03)
    assert np.median(draw.luminosity_lsun[is_giant]) > 20 * np.median(draw.luminosity_lsun[~is_giant])
    size = radius(draw.luminosity_lsun, draw.teff_k)
    assert np.median(size[is_giant]) > 7 > 2 > np.median(size[~is_giant])
    assert not draw.template.any() and not draw.scale.any() and np.isnan(draw.period_day).all()
