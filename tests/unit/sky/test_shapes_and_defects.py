"""Shapes of light curves, light of stars by temperature, and defects: against closed forms and stated rates."""

import numpy as np
import pytest

from tasks.sky import bands, defects, shapes
from tasks.sky.constants import BANDS, SUN_TEFF_K
from tasks.sky.streams import BLOCK

SEED, BLOCKS = 3, range(12)
ONE = np.ones(1)


def test_a_template_has_unit_swing_and_is_brightest_at_phase_zero():
    coefficient = shapes.harmonics([np.array([0.5, 0.1])], [np.array([4.0, 1.0])])
    curve, component = shapes.pulsation(coefficient)
    assert curve.shape == component.shape == (2, shapes.GRID)
    np.testing.assert_allclose(np.ptp(curve, axis=1), 1.0)
    assert (curve.argmin(axis=1) == 0).all()


def test_harmonics_that_are_not_given_continue_the_last_ratio_and_difference():
    coefficient = shapes.harmonics([np.array([0.5]), np.array([0.2])], [np.array([1.0]), np.array([2.5])], order=4)
    np.testing.assert_allclose(np.abs(coefficient), [[1.0, 0.5, 0.2, 0.2 * 0.4]])
    np.testing.assert_allclose(np.angle(coefficient[0, 3]), np.angle(np.exp(1j * 4.0)))


def test_the_shape_at_a_knot_is_the_knot():
    ratio, phase = np.array([[0.4], [0.2]]), np.array([[1.0], [3.0]])
    found = shapes.interpolate_harmonics(np.array([0.0, 1.0]), np.array([0.0, 1.0]), ratio, phase)
    np.testing.assert_allclose(np.abs(found), ratio)
    np.testing.assert_allclose(np.angle(found), phase)


def test_redder_bands_than_the_limit_lag_no_more():
    wavelength = np.array([480.0, 800.0, 960.0])
    rotation = shapes.rotation(wavelength, 480.0)
    assert rotation[0] == 0 and rotation[1] == rotation[2] == pytest.approx(-0.73e-3 * 320)


def test_a_contact_binary_is_faintest_at_its_primary_minimum():
    curve = shapes.contact(np.array([-0.05]), np.array([-0.2]))[0]
    assert curve.argmax() == 0 and curve.min() == 0
    np.testing.assert_allclose(curve[1:], curve[:0:-1], atol=1e-12)  # the same before and after


def test_a_circular_edge_on_orbit_is_a_sine():
    distance, is_in_front = shapes.separation(np.zeros(1), np.zeros(1), np.zeros(1))
    np.testing.assert_allclose(distance[0], np.abs(np.sin(2 * np.pi * shapes.PHASE)), atol=1e-7)
    assert is_in_front[0, 0] and not is_in_front[0, shapes.GRID // 2]


@pytest.mark.parametrize(
    ("distance", "front", "hidden"),
    [(0.0, 2.0, 1.0), (0.0, 0.5, 0.25), (3.0, 1.0, 0.0), (1.0, 1.0, 2 / 3 - np.sqrt(3) / (2 * np.pi))],
)
def test_the_hidden_share_of_a_disc(distance, front, hidden):
    """Total, annular and no eclipse, and two equal discs a radius apart (the lens of two circles)."""
    found = shapes.hidden_fraction(np.array([[distance]]), front * ONE, ONE)
    np.testing.assert_allclose(found, [[hidden]], atol=1e-4)


def test_the_sun_has_the_radius_of_the_sun_and_luminosities_come_back():
    assert bands.radius(1.0, SUN_TEFF_K) == pytest.approx(1.0)
    luminosity, teff = np.array([0.5, 40.0]), np.array([4500.0, 6800.0])
    np.testing.assert_allclose(bands.luminosity_from_g(bands.absolute_g(luminosity, teff), teff), luminosity)


def test_hot_stars_are_bluer_in_every_survey():
    cool, hot = bands.colours(np.array([4500.0, 7500.0]))
    for blue, red in (("BP", "RP"), ("g_ps1", "i_ps1"), ("g_ztf", "r_ztf")):
        difference = [star[BANDS.index(blue)] - star[BANDS.index(red)] for star in (cool, hot)]
        assert difference[0] > difference[1]
    assert cool[BANDS.index("G")] == 0 and np.isfinite(cool).all()


def test_a_duplicate_is_the_second_id_of_the_row_before_at_its_rate():
    origin = np.stack([defects.duplicate_origin(SEED, block) for block in BLOCKS])
    is_duplicate = origin != np.arange(BLOCK)
    assert not is_duplicate[:, ::2].any() and ((np.arange(BLOCK) - origin)[is_duplicate] == 1).all()
    assert is_duplicate.mean() == pytest.approx(defects.DUPLICATE_RATE, rel=0.4)


def test_neighbours_are_near_blend_when_close_and_are_matched_wrongly_never_in_gaia():
    mean = np.full((BLOCK, len(BANDS)), 15.0)
    each = [defects.neighbours(SEED, block, mean) for block in BLOCKS]
    sep, blended, wrong = (
        np.concatenate([one[name] for one in each]) for name in ("sep_arcsec", "is_blended", "is_wrong")
    )
    has = np.isfinite(sep)
    assert has.mean() == pytest.approx(defects.NEIGHBOUR_RATE, rel=0.15) and np.nanmax(sep) <= 6
    assert not blended[~has].any() and not wrong[~has].any() and not (blended & wrong).any()
    assert not wrong[:, [BANDS.index(band) for band in ("G", "BP", "RP")]].any()
    assert (sep[wrong.any(axis=1)] > 0.8).all() and (sep[blended[:, 0]] < defects.BLEND_ARCSEC["gaia"]).all()


def test_no_object_lacks_g_and_half_lack_the_i_band_of_ztf():
    missing = np.concatenate([defects.missing_bands(SEED, block) for block in BLOCKS])
    assert not missing[:, BANDS.index("G")].any()
    expected = 1 - defects.IBAND_SHARE * (1 - defects.BAND_LOSS_RATE["ztf"])
    assert missing[:, BANDS.index("i_ztf")].mean() == pytest.approx(expected, abs=0.02)
