"""Positions at another epoch against astropy's space motion, and the laws of straight lines on the sphere."""

import astropy.units as u
import numpy as np
import pyarrow as pa
import pytest
from astropy.coordinates import Distance, SkyCoord
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.crossmatch.propagate import propagate

UAS = 1 / 3600e6  # deg
LAW = settings(max_examples=60, deadline=None)


def separation(ra1, dec1, ra2, dec2):
    """Great-circle distance, deg."""
    half = [np.radians(np.subtract(a, b)) / 2 for a, b in ((ra1, ra2), (dec1, dec2))]
    cosines = np.cos(np.radians(dec1)) * np.cos(np.radians(dec2))
    return np.degrees(2 * np.arcsin(np.sqrt(np.sin(half[1]) ** 2 + cosines * np.sin(half[0]) ** 2)))


def stars(n=500, seed=3):
    draw = np.random.default_rng(seed)
    return (
        draw.uniform(0, 360, n),
        np.degrees(np.arcsin(draw.uniform(-1, 1, n))),
        draw.normal(0, 300, n),
        draw.normal(0, 300, n),
        draw.uniform(5, 50, n),
        draw.normal(0, 60, n),
    )


def by_astropy(ra, dec, pmra, pmdec, parallax, radial_velocity, from_epoch, to_epoch):
    coordinates = SkyCoord(
        ra * u.deg,
        dec * u.deg,
        distance=Distance(parallax=parallax * u.mas),
        pm_ra_cosdec=pmra * u.mas / u.yr,
        pm_dec=pmdec * u.mas / u.yr,
        radial_velocity=radial_velocity * u.km / u.s,
        obstime=Time(from_epoch, format="jyear", scale="tdb"),
    )
    moved = coordinates.apply_space_motion(new_obstime=Time(to_epoch, format="jyear", scale="tdb"))
    return moved.ra.deg, moved.dec.deg


@pytest.mark.parametrize("to_epoch", [1991.25, 2000.0, 2012.5, 2024.0])
def test_agrees_with_astropy(to_epoch):
    ra, dec, pmra, pmdec, parallax, velocity = stars()
    theirs = by_astropy(ra, dec, pmra, pmdec, parallax, 0 * velocity, 2016.0, to_epoch)
    ours = propagate(ra, dec, pmra, pmdec, parallax, 2016.0, to_epoch)
    assert separation(*ours, *theirs).max() < 1 * UAS
    assert separation(*ours, ra, dec).max() > 1e6 * UAS * abs(to_epoch - 2016) / 2  # the stars did move


def test_radial_velocity_agrees_with_astropy():
    """Proper motions change as a star comes nearer; ERFA adds light-time terms of order v/c to the motion."""
    ra, dec, pmra, pmdec, parallax, velocity = stars()
    theirs = by_astropy(ra, dec, pmra, pmdec, parallax, velocity, 2016.0, 1916.0)
    ours = propagate(ra, dec, pmra, pmdec, parallax, 2016.0, 1916.0, velocity)
    without = propagate(ra, dec, pmra, pmdec, parallax, 2016.0, 1916.0)
    assert separation(*ours, *theirs).max() < 50 * UAS
    assert separation(*without, *theirs).max() > 1000 * UAS


def test_barnards_star_goes_its_way():
    """10.36 arcsec a year nearly due north (Gaia DR3 4472832130942575872)."""
    ra, dec = propagate([269.44850], [4.73942], [-801.551], [10362.394], [546.976], 2016.0, 2026.0)
    np.testing.assert_allclose((dec[0] - 4.73942) * 3600, 103.6, atol=0.05)
    np.testing.assert_allclose((ra[0] - 269.44850) * 3600 * np.cos(np.radians(dec[0])), -8.0, atol=0.05)


def test_unknown_motion_is_no_motion_and_keeps_the_position_exactly():
    ra, dec = np.array([10.123456789, 359.9, -0.25]), np.array([-45.987654321, 90.0, -90.0])
    nothing = np.full(3, np.nan)
    for pmra, pmdec, parallax in ((None, None, None), (nothing, nothing, nothing), (0 * ra, -0.0 * ra, 1.0)):
        moved = propagate(ra, dec, pmra, pmdec, parallax, 2016.0, 2000.0)
        np.testing.assert_array_equal(moved[0], [10.123456789, 359.9, 359.75])
        np.testing.assert_array_equal(moved[1], dec)


def test_nulls_of_arrow_and_one_known_component():
    column = pa.chunked_array([[1000.0, None]])
    ra, dec = propagate([30.0, 30.0], [0.0, 0.0], [np.nan, np.nan], column, None, 2000.0, [2036.0, 2036.0])
    np.testing.assert_allclose(dec, [0.01, 0.0], rtol=0, atol=1e-9)
    np.testing.assert_array_equal(ra, [30.0, 30.0])


def test_over_the_pole_and_across_right_ascension_zero():
    ra, dec = propagate([30.0, 30.0, 77.0], [89.999, -89.999, 90.0], 0.0, [720e3, -720e3, 3600.0], 1, 2000.0, 2010.0)
    np.testing.assert_allclose(ra, [210.0, 210.0, 77.0 + 180.0], atol=1e-9)
    # the tangent of 2 degrees from 0.001 short of the pole; 36 arcsec from the pole itself
    reach = np.degrees(np.arctan(np.radians(2.0)))
    np.testing.assert_allclose(dec, [180 - 89.999 - reach, -(180 - 89.999 - reach), 90 - 0.01], atol=1e-9)
    ra, _ = propagate([0.0, 360 - 1e-7], [0.0, 0.0], [-3600.0, 3600.0], 0.0, None, 2000.0, 2001.0)
    np.testing.assert_allclose(ra, [360 - 0.001, 0.001 - 1e-7], atol=1e-9)


@LAW
@given(
    st.floats(0, 360),
    st.one_of(st.floats(-90, 90), st.sampled_from([-90.0, 90.0])),
    st.floats(0, 2 * np.pi),
    st.floats(0, 1e4),
    st.floats(-100, 100),
)
def test_a_star_moves_as_far_as_its_proper_motion_says(ra, dec, towards, speed, years):
    """tan(distance) = mu t: the star goes straight while the sphere bends away."""
    moved = propagate([ra], [dec], speed * np.sin(towards), speed * np.cos(towards), None, 2016.0, 2016.0 + years)
    span = np.radians(abs(speed * ((2016.0 + years) - 2016.0)) / 3600e3)
    assert abs(separation(ra, dec, *moved)[0] - np.degrees(np.arctan(span))) < UAS
    assert 0 <= moved[0][0] < 360 and abs(moved[1][0]) <= 90


def test_missing_positions_stay_missing():
    moved = propagate([np.nan, 1.0, 1.0], [0.0, np.nan, 0.0], [1.0, 1.0, 1.0], 0.0, None, 2016.0, [2000, 2000, np.nan])
    assert np.isnan(moved).any(axis=0).all()
