"""Photometric [Fe/H] of RR Lyrae made to have it, with errors that hold, and none for what cannot be one."""

import numpy as np
import pytest

from tasks.features.feature import Curves, FeatureConfig
from tasks.features.metallicity import compute_metallicity, relation, relation_rrc
from tasks.lightcurves import LightCurveBatch


def stars(feh: float, period: float, n_star: int = 200, noise: float = 0.02, band: str = "G"):
    """Series whose sine phi31 is what the relation wants of [Fe/H] and period."""
    return with_phase((feh + 6.93 + 6.04 * period) / 1.65, period, n_star, noise, band)


def with_phase(phi31: float, period: float, n_star: int = 200, noise: float = 0.02, band: str = "G"):
    """Series of that sine phi31."""
    rng = np.random.default_rng(4)
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
    found = compute_metallicity(*stars(feh, period))
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
        found = compute_metallicity(curves, earlier)
        assert np.mean(np.isfinite(found["feh_rrab_dex"])) < 0.1
        assert np.array_equal(np.isfinite(found["feh_rrab_dex"]), np.isfinite(found["feh_rrab_error"]))


@pytest.mark.parametrize(("phi31", "period"), [(3.1, 0.33), (4.0, 0.28), (3.6, 0.36)])
def test_an_rrc_has_the_metallicity_of_its_phase(phi31, period):
    """phi31 of RRc is that of the cosine series, pi ahead of the sine's."""
    found = compute_metallicity(*with_phase(phi31 - np.pi, period))
    value, error = found["feh_rrc_dex"], found["feh_rrc_error"]
    expected, least = relation_rrc(np.array([period]), np.array([phi31]), np.zeros(1))
    assert np.mean(np.isfinite(value)) > 0.98
    assert np.nanmedian(value) == pytest.approx(expected[0], abs=0.03)
    assert np.nanmedian(error) == pytest.approx(np.hypot(least[0], np.nanstd(value)), rel=0.1)


def test_the_relation_of_rrc_is_the_published_one():
    period, phi31 = np.array([0.33]), np.array([3.2])
    value, error = relation_rrc(period, phi31, np.array([0.2]))
    p, x = 0.33, 3.2
    assert value[0] == pytest.approx(1.70 - 15.67 * p + 0.20 * x - 2.41 * x * p + 18.0 * p**2 + 0.17 * x**2)
    zinn_west = 52.466 * p**2 - 30.075 * p + 0.131 * x**2 + 0.982 * x - 4.198 * x * p + 2.424
    morgan = -0.413 + 0.130 * zinn_west - 0.356 * zinn_west**2
    assert abs(value[0] - morgan) < 0.1  # two calibrations agree where RRc are
    slope = (relation_rrc(period, phi31 + 1e-6, np.zeros(1))[0][0] - value[0]) / 1e-6
    assert error[0] ** 2 == pytest.approx(0.3**2 + slope**2 * (0.2**2 + 0.1**2) + (value[0] - morgan) ** 2, rel=1e-4)


def test_what_is_no_rrc_has_none():
    for curves, earlier in (
        with_phase(0.0, 0.15), with_phase(0.0, 0.57), with_phase(2.7, 0.33), with_phase(0.0, 0.33, band="g"),
        with_phase(0.0, 0.33, noise=0.8),
    ):  # fmt: skip
        found = compute_metallicity(curves, earlier)
        assert np.mean(np.isfinite(found["feh_rrc_dex"])) < 0.1
        assert np.array_equal(np.isfinite(found["feh_rrc_dex"]), np.isfinite(found["feh_rrc_error"]))
