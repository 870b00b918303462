"""Time scales and light travel times against astropy."""

import numpy as np
import pytest
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.time import Time

from tasks.lightcurves import times

MJD = 53_000.25 + 400.0 * np.arange(12)
SECOND = 1 / 86_400


@pytest.fixture(scope="module")
def astropy_time():
    return Time(MJD, format="mjd", scale="utc", location=EarthLocation.from_geocentric(0, 0, 0, unit="m"))


@pytest.mark.parametrize("scale", ["tai", "tt", "tdb", "tcb"])
def test_scales_agree_with_astropy_and_invert(scale, astropy_time):
    converted = times.rescale(MJD, "utc", scale)
    np.testing.assert_allclose(converted, getattr(astropy_time, scale).mjd, rtol=0, atol=2e-6 * SECOND)
    np.testing.assert_allclose(times.rescale(converted, scale, "utc"), MJD, rtol=0, atol=2e-6 * SECOND)


def test_gaia_and_barycentric_day_counts():
    assert times.mjd(2_451_545.0) == 51_544.5


@pytest.mark.parametrize(("origin", "kind"), [("barycentre", "barycentric"), ("sun", "heliocentric")])
def test_light_travel_agrees_with_astropy(origin, kind, astropy_time):
    ra, dec = np.linspace(0, 350, MJD.size), np.linspace(-80, 80, MJD.size)
    ours = times.light_travel(astropy_time.tdb.mjd, ra, dec, origin)
    theirs = [
        t.light_travel_time(SkyCoord(a, d, unit="deg"), kind).to_value("d")
        for t, a, d in zip(astropy_time, ra, dec, strict=True)
    ]
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3 * SECOND)


def test_exposure_and_heliocentric_times_meet_at_the_barycentre():
    ra, dec = 83.6, 22.0
    direct = times.to_barycentre(MJD, ra, dec)
    hjd = MJD + times.light_travel(times.rescale(MJD, "utc", "tdb"), ra, dec, "sun")
    np.testing.assert_allclose(times.to_barycentre(hjd, ra, dec, origin="sun"), direct, rtol=0, atol=0.005 * SECOND)
    assert np.abs(direct - times.rescale(MJD, "utc", "tcb")).max() < 510 * SECOND


def test_barycentric_times_only_change_scale():
    np.testing.assert_array_equal(times.to_barycentre(MJD, 1.0, 2.0, scale="tcb", origin="barycentre"), MJD)


def test_refusals():
    with pytest.raises(ValueError, match="unknown time scale 'ut1'"):
        times.rescale(MJD, "utc", "ut1")
    with pytest.raises(ValueError, match="origin is"):
        times.to_barycentre(MJD, 1.0, 2.0, origin="moon")
    assert np.isnan(times.light_travel(MJD[0], np.nan, 2.0))
