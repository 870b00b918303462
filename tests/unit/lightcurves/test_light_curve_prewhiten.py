"""A second period found in what the first leaves, and none where there is none."""

import numpy as np
import pytest

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.prewhiten import find_second_period
from tasks.lightcurves.series import PeriodConfig

CONFIG = PeriodConfig(f_max=5.0)
FIRST, SECOND = 0.3561, 0.4783  # an RRd: first overtone and fundamental


def stars(amplitude: float, n_star: int = 6, n: int = 90):
    """Stars of two bands with a first period and a second of `amplitude`, and one with a single epoch."""
    rng = np.random.default_rng(7)
    row = np.append(np.repeat(np.arange(n_star), 2 * n), n_star)
    time, band = rng.uniform(0, 300, row.size), np.append(np.tile([0, 1], n * n_star), 0)
    angle, other = 2 * np.pi * time / FIRST, 2 * np.pi * time / SECOND
    mag = 15 + np.where(band == 0, 0.3, 0.2) * (np.cos(angle) + 0.2 * np.cos(2 * angle + 1))
    mag += amplitude * np.cos(other + 0.3) + rng.normal(0, 0.02, row.size)
    batch = LightCurveBatch.from_epochs(row, time, mag, np.full(row.size, 0.02), band, None, ("g", "r"))
    return batch.by_band()


def test_a_beat_is_found():
    batch, offsets = stars(0.08)
    found = find_second_period(batch, offsets, np.full(len(batch), FIRST), CONFIG)
    np.testing.assert_allclose(found.period[:-1], SECOND, rtol=2e-4)
    np.testing.assert_allclose(found.amplitude[:-1], 0.073, atol=0.01)  # the first series takes some of it
    assert np.all(found.log_fap[:-1] < -10) and np.all(found.power[:-1] > 0.7)
    assert all(np.isnan(getattr(found, name)[-1]) for name in ("period", "power", "log_fap", "amplitude"))


def test_noise_has_none_that_stands_out():
    batch, offsets = stars(0.0)
    found = find_second_period(batch, offsets, np.full(len(batch), FIRST), CONFIG)
    assert np.all(found.log_fap[:-1] > -2) and np.all(found.amplitude[:-1] < 0.02)
    ratio = FIRST / found.period[:-1]
    assert np.all(np.abs(ratio - np.rint(ratio)) > 1 / 300 * FIRST)  # not what the series left


def test_without_a_first_period_there_is_no_second():
    batch, offsets = stars(0.08)
    found = find_second_period(batch, offsets, np.full(len(batch), np.nan), CONFIG)
    assert np.isnan(found.period).all()


def test_a_band_without_a_series_of_its_own_takes_no_part():
    batch, offsets = stars(0.08, n_star=1)
    spoilt = batch.keep((batch.band == 0) | (np.arange(batch.time.size) % 30 == 0))
    mag = np.where(spoilt.band == 1, 15 + 3 * np.cos(2 * np.pi * spoilt.time / 1.234), spoilt.mag)
    curves, offsets = LightCurveBatch(
        spoilt.source_id, spoilt.offsets, spoilt.time, mag, spoilt.mag_err, spoilt.band, spoilt.flags, spoilt.bands
    ).by_band()
    assert 0 < np.sum(curves.band == 1) < 10
    found = find_second_period(curves, offsets, np.full(len(curves), FIRST), CONFIG)
    assert found.period[0] == pytest.approx(SECOND, rel=1e-3)
