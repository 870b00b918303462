"""Magnitudes and zero points against published values."""

import numpy as np
import pytest

from tasks.lightcurves.photometry import ab_to_vega, flux_to_mag, gaia_to_mag, jansky_to_ab, mag_to_flux, vega_to_ab


def test_flux_and_back():
    flux, err = np.array([1.0, 50.0, 3e4]), np.array([0.1, 0.5, 10.0])
    back = mag_to_flux(*flux_to_mag(flux, err, 25.0), 25.0)
    np.testing.assert_allclose(back, (flux, err), rtol=1e-12)


def test_error_is_that_of_a_small_change():
    mag, err = flux_to_mag(100.0, 0.01, 25.0)
    assert err == pytest.approx(mag - flux_to_mag(100.01, 0.01, 25.0)[0], rel=1e-3)


def test_no_magnitude_without_flux():
    mag, err = flux_to_mag([0.0, -5.0, np.nan, 1.0], [1.0] * 4, 20.0)
    assert np.isnan(mag).tolist() == np.isnan(err).tolist() == [True, True, True, False]


def test_zero_points():
    assert jansky_to_ab(3631.0, 36.31)[0] == pytest.approx(0, abs=1e-12)
    assert jansky_to_ab(3631.0, 36.31)[1] == pytest.approx(0.010857, abs=1e-6)
    assert gaia_to_mag(1.0, 100.0, "G")[0] == pytest.approx(25.6873668671)
    assert gaia_to_mag(1.0, 100.0, "RP", "AB")[0] == pytest.approx(25.1039837393)
    assert gaia_to_mag(1.0, 100.0, "G")[1] == pytest.approx(0.0108574, rel=1e-4)


def test_systems():
    assert vega_to_ab(15.0, "G") == pytest.approx(15.1136777774)
    assert ab_to_vega(vega_to_ab(15.0, "I"), "I") == pytest.approx(15.0)
    with pytest.raises(ValueError, match="no offset for band 'g_ztf'"):
        vega_to_ab(15.0, "g_ztf")
    with pytest.raises(ValueError, match="no zero point for band 'G' in system 'ST'"):
        gaia_to_mag(1.0, 1.0, "G", "ST")
