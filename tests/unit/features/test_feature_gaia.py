"""Luminosities, motions and dereddened colours of stars with known parallaxes."""

import numpy as np
import pytest

from tasks.features import INPUTS, FeatureConfig, compute_features, definitions, feature_columns
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig

EXTINCTION = {"G": 2.740, "BP": 3.374}  # Casagrande & VandenBerg 2018
BANDS = ("G", "BP", "odd")
CONFIG = FeatureConfig(inputs=INPUTS, period=PeriodConfig(f_max=3.0))


def star(**known):
    """The features of one star of G 15.0, BP 15.5, at what is known of it."""
    time, band = np.arange(60.0) % 20, np.repeat([0, 1, 2], 20)
    mag = np.array([15.0, 15.5, 14.0])[band] + np.tile([0.01, -0.01], 30)
    batch = LightCurveBatch.from_epochs(np.ones(60), time, mag, np.full(60, 0.01), band, None, BANDS)
    return compute_features(batch, CONFIG, {name: np.array([value]) for name, value in known.items()}).to_pylist()[0]


def test_a_near_star_has_a_luminosity():
    found = star(parallax=4.0, parallax_error=0.1, phot_g_mean_mag=15.0, ebv=0.2, ruwe=1.1)
    assert found["parallax_over_error"] == pytest.approx(40)
    assert found["abs_mag_g"] == pytest.approx(15 + 5 * np.log10(4.0 / 100), rel=1e-6)  # 250 pc
    rng = np.random.default_rng(1)
    scatter = np.std(5 * np.log10(rng.normal(4.0, 0.1, 100_000)))
    assert found["abs_mag_g_error"] == pytest.approx(scatter, rel=0.02)
    assert found["abs_mag_g0"] == pytest.approx(found["abs_mag_g"] - 0.2 * EXTINCTION["G"], rel=1e-6)
    assert found["ruwe"] == pytest.approx(1.1)


def test_a_far_star_has_none():
    for parallax in (0.3, -1.0, 0.0):
        found = star(parallax=parallax, parallax_error=0.1, phot_g_mean_mag=15.0)
        assert found["abs_mag_g"] is found["abs_mag_g_error"] is found["abs_mag_g0"] is None
        assert found["parallax_over_error"] == pytest.approx(parallax / 0.1)


def test_proper_motion_has_an_error():
    found = star(pmra=3.0, pmdec=-4.0, pmra_error=0.1, pmdec_error=0.3)
    rng = np.random.default_rng(2)
    scatter = np.std(np.hypot(rng.normal(3, 0.1, 100_000), rng.normal(-4, 0.3, 100_000)))
    assert found["pm"] == pytest.approx(5) and found["pm_error"] == pytest.approx(scatter, rel=0.02)
    assert star(pmra=0.0, pmdec=0.0, pmra_error=0.1, pmdec_error=0.1)["pm_error"] is None


def test_colours_lose_their_reddening_where_it_is_known():
    found = star(ebv=0.2)
    assert found["ebv"] == pytest.approx(0.2)
    expected = found["colour_mag_G_BP"] - 0.2 * (EXTINCTION["G"] - EXTINCTION["BP"])
    assert found["colour0_mag_G_BP"] == pytest.approx(expected, abs=1e-5)
    assert found["colour0_mag_BP_odd"] is None  # no extinction is known of the band
    assert star(ruwe=1.0)["colour0_mag_G_BP"] is None


def test_what_the_dataset_does_not_hold_makes_no_columns():
    names = {column.name for column in feature_columns(BANDS, FeatureConfig())}
    assert not names & {"ruwe", "abs_mag_g", "ebv"} and "gaia:" not in definitions(FeatureConfig())
    assert {"ruwe", "abs_mag_g", "ebv"} < {column.name for column in feature_columns(BANDS, CONFIG)}
