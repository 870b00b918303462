"""What a band alone would choose, against astropy's periodogram with a floating mean."""

import numpy as np
from astropy.timeseries import LombScargle

from tasks.lightcurves.alone import MIN_EPOCH, choose_by_band


def test_each_band_chooses_the_highest_power():
    rng = np.random.default_rng(3)
    count = [40, MIN_EPOCH - 1, 0, 15, 8, 90]  # two objects of three bands
    offsets = np.concatenate([[0], np.cumsum(count)])
    time, err = rng.uniform(0, 50, offsets[-1]), rng.uniform(0.02, 0.2, offsets[-1])
    mag = 15 + rng.normal(0, 0.3, offsets[-1])
    frequency = rng.uniform(0.1, 5, (2, 12))
    frequency[1, 7:] = np.nan
    found = choose_by_band(time, mag, err**-2, offsets, frequency)
    for k, n in enumerate(count):
        part, trials = slice(offsets[k], offsets[k + 1]), frequency[k // 3]
        if n < MIN_EPOCH:
            assert np.isnan(found[k // 3, k % 3])
            continue
        power = LombScargle(time[part], mag[part], err[part]).power(trials[np.isfinite(trials)], method="cython")
        assert found[k // 3, k % 3] == trials[np.argmax(power)]


def test_a_flat_band_chooses_nothing():
    assert np.isnan(choose_by_band(np.arange(9.0), np.full(9, 15.0), np.ones(9), np.array([0, 9]), np.array([[0.3]])))
    none = choose_by_band(np.arange(9.0), np.arange(9.0), np.ones(9), np.array([0, 9]), np.full((1, 4), np.nan))
    assert np.isnan(none).all()
