"""Magnitudes and zero points against published values."""

import numpy as np
import pytest

from tasks.lightcurves.photometry import POGSON, flux_to_mag, jansky_to_ab
from tasks.surveys import list_passbands


def test_flux_and_back():
    flux, err = np.array([1.0, 50.0, 3e4]), np.array([0.1, 0.5, 10.0])
    mag, mag_err = flux_to_mag(flux, err, 25.0)
    np.testing.assert_allclose(10 ** (-0.4 * (mag - 25.0)), flux, rtol=1e-12)
    np.testing.assert_allclose(flux * mag_err / POGSON, err, rtol=1e-12)


def test_error_is_that_of_a_small_change():
    mag, err = flux_to_mag(100.0, 0.01, 25.0)
    assert err == pytest.approx(mag - flux_to_mag(100.01, 0.01, 25.0)[0], rel=1e-3)


def test_no_magnitude_without_flux():
    mag, err = flux_to_mag([0.0, -5.0, np.nan, 1.0], [1.0] * 4, 20.0)
    assert np.isnan(mag).tolist() == np.isnan(err).tolist() == [True, True, True, False]


def test_a_flux_of_3631_jansky_is_of_magnitude_zero():
    mag, err = jansky_to_ab(3631.0, 36.31)
    assert mag == pytest.approx(0, abs=1e-12) and err == pytest.approx(0.010857, abs=1e-6)


@pytest.mark.parametrize(("band", "offset"), [("G", 0.1136777774), ("BP", 0.0154133401), ("RP", 0.3560882381)])
def test_the_systems_differ_as_published(band, offset):
    """Riello et al. 2021, A&A 649, A3: m_AB - m_Vega from the two zero points."""
    zero = list_passbands()[band].zero_points
    assert zero["AB"] - zero["Vega"] == pytest.approx(offset, abs=1e-9)
