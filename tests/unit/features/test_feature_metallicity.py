"""Photometric [Fe/H] of RRab made to have it, with errors that hold, and none for what is no RRab."""

import numpy as np
import pytest

from tasks.features.feature import Curves, FeatureConfig
from tasks.features.metallicity import metallicity, relation
from tasks.lightcurves import LightCurveBatch


def stars(feh: float, period: float, n_star: int = 200, noise: float = 0.02, band: str = "G"):
    """Series whose sine phi31 is what the relation wants of [Fe/H] and period."""
    rng = np.random.default_rng(4)
    phi31 = (feh + 6.93 + 6.04 * period) / 1.65
    row = np.repeat(np.arange(n_star), 45)
    time = rng.uniform(0, 900, row.size)
    start = rng.uniform(0, 2 * np.pi, n_star)[row]
    angle = 2 * np.pi * time / period
    mag = 15 + sum(
        amplitude * np.sin(k * (angle + start) + phase)
        for k, amplitude, phase in ((1, 0.35, 0.0), (2, 0.17, 2.4), (3, 0.11, phi31))
    ) + rng.normal(0, noise, row.size)  # fmt: skip
    batch = LightCurveBatch.from_epochs(row, time, mag, np.full(row.size, noise), np.zeros(row.size), None, (band,))
    return Curves.of(batch, FeatureConfig()), {"period_day": np.full(n_star, period)}


@pytest.mark.parametrize(("feh", "period"), [(-1.5, 0.57), (-2.2, 0.66), (-0.4, 0.45)])
def test_a_known_star_has_its_metallicity(feh, period):
    found = metallicity(*stars(feh, period))
    value, error = found["feh_rrab_dex"], found["feh_rrab_error"]
    assert np.median(value) == pytest.approx(feh, abs=0.03)
    phi31 = np.array([(feh + 6.93 + 6.04 * period) / 1.65])
    own = relation(np.array([period]), phi31, np.zeros(1))[1][0]  # what the epochs add to it is the scatter
    assert np.std(value) == pytest.approx(np.sqrt(np.median(error**2) - own**2), rel=0.25)
    assert 0.26 < np.median(error) < 0.4


def test_the_relation_is_the_published_one():
    value, error = relation(np.array([0.57, 0.57]), np.array([5.4, 5.4 - 2 * np.pi]), np.array([0.0, 0.1]))
    np.testing.assert_allclose(value, -6.93 - 6.04 * 0.57 + 1.65 * 5.4)
    assert error[0] == pytest.approx(0.26, abs=0.005)
    assert error[1] == pytest.approx(np.hypot(error[0], 0.165))


def test_what_is_no_rrab_has_none():
    for curves, earlier in (
        stars(-1.5, 0.30), stars(-1.5, 1.4), stars(-1.5, 0.57, band="g"), stars(-1.5, 0.57, noise=0.8),
        stars(1.2, 0.57),
    ):  # fmt: skip
        found = metallicity(curves, earlier)
        assert np.mean(np.isfinite(found["feh_rrab_dex"])) < 0.1
        assert np.array_equal(np.isfinite(found["feh_rrab_dex"]), np.isfinite(found["feh_rrab_error"]))
