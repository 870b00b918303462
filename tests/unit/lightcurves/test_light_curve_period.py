"""The period search against astropy's powers and against signals of known period."""

import numpy as np
import pytest
from astropy.timeseries import LombScargle

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.periodogram import find_period, log_fap
from tasks.lightcurves.series import PeriodConfig

CONFIG = PeriodConfig(f_max=8.0)


def signals(period, curve, n=120, noise=0.03, seed=0, groups=1, baseline=150.0):
    """One object per period, in 3 bands; `curve(phase)` mag."""
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(len(period)), n)
    time = rng.uniform(0, baseline, row.size)
    band = rng.integers(0, 3, row.size)
    mag = 15 + 0.4 * band + curve(time / np.asarray(period)[row] % 1) + rng.normal(0, noise, row.size)
    return LightCurveBatch.from_epochs(row, time + 57_000, mag, np.full(row.size, noise), band, None, ("g", "r", "i"))


def sawtooth(phase):
    return 0.6 * np.where(phase < 0.15, 1 - phase / 0.15, (phase - 0.15) / 0.85)


def binary(phase):
    """Two narrow eclipses of unlike depth."""
    return 0.8 * np.exp(-0.5 * ((phase - 0.25) / 0.04) ** 2) + 0.4 * np.exp(-0.5 * ((phase - 0.75) / 0.04) ** 2)


def test_false_alarm_probability_is_that_of_astropy():
    time = np.linspace(0, 100, 20_000)
    peak = LombScargle(time, time)

    def ours(power):
        return log_fap(*(np.array([x]) for x in (power, time.size - 3, 1)), 10.0, np.array([100.0]))[0]

    for power in (0.001, 0.0015, 0.002):
        theirs = peak.false_alarm_probability(power, method="baluev", maximum_frequency=10)
        assert 10 ** ours(power) == pytest.approx(min(1.0, theirs), rel=0.1, abs=0.35)
    assert ours(0.004) == pytest.approx(
        np.log10(peak.false_alarm_probability(0.004, method="baluev", maximum_frequency=10)), abs=0.02
    )


def test_it_finds_pulsators():
    period = np.array([0.31, 0.57, 0.93, 2.4, 7.7, 31.0])
    found = find_period(signals(period, sawtooth), CONFIG)
    np.testing.assert_allclose(found.period, period, rtol=2e-3)
    assert np.all(found.power > 0.5)
    assert np.all(found.log_fap < -10)


def test_unlike_eclipses_have_twice_the_period_of_their_peak():
    period = np.array([0.83, 1.9, 3.1])
    np.testing.assert_allclose(find_period(signals(period, binary, n=300), CONFIG).period, period, rtol=2e-3)


def test_surveys_add_up():
    """A weak signal in two surveys is found more often by both together than by the better alone."""
    period = np.tile(np.geomspace(0.4, 9, 16), 2)
    batch = signals(period, lambda p: 0.2 * np.cos(2 * np.pi * p), n=75, noise=0.15, seed=1)
    right = [
        np.abs(find_period(part, CONFIG, (0, 0, 1)).period / period - 1) < 0.01
        for part in (batch, batch.keep(batch.band < 2), batch.keep(batch.band == 2))
    ]
    assert right[0].sum() >= 29
    assert right[0].sum() > max(right[1].sum(), right[2].sum()) + 2


def test_noise_has_no_significant_period():
    found = find_period(signals(np.ones(20), lambda p: 0 * p, seed=9), CONFIG)
    assert np.median(found.fap) > 0.05
    assert np.all(np.isfinite(found.period))


def test_too_few_epochs_have_no_period():
    found = find_period(signals([1.0], sawtooth, n=6), CONFIG)
    assert np.isnan(found.period[0])
    assert np.isnan(found.power[0])
    empty = LightCurveBatch([1], [0, 0], [], [], [], [], [], ("g",))
    assert np.isnan(find_period(empty).period).all()


def test_a_step_is_widened_rather_than_the_range_cut():
    found = find_period(signals([0.57], sawtooth, baseline=20.0), PeriodConfig(f_max=8.0, max_points=400))
    np.testing.assert_allclose(found.period, 0.57, rtol=5e-3)


def test_a_wrong_range_is_refused():
    with pytest.raises(ValueError, match="0 < f_min < f_max"):
        PeriodConfig(f_min=5.0, f_max=2.0)
    for wrong in ({"n_candidates": 0}, {"oversampling": 0.1}, {"refine": (0, 4)}, {"f_max": np.inf},
                  {"error_floor": -1}):  # fmt: skip
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
            PeriodConfig(**wrong)
    with pytest.raises(ValueError, match="2 survey groups for the 3 bands"):
        find_period(signals([1.0], sawtooth), CONFIG, (0, 1))
