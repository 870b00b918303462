"""The torch scan gives what the compiled scan gives, on the device that there is."""

import numpy as np
import pytest
import torch

from tasks.lightcurves import scan_torch
from tasks.lightcurves.periodogram import PeriodConfig, find_period
from tasks.lightcurves.scan import scan
from tests.unit.lightcurves.test_light_curve_scan import curves, objects

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@pytest.mark.parametrize("room", [1 << 16, 1 << 24])
def test_peaks_are_those_of_the_compiled_scan(room):
    """Heights agree; so do places, but where two peaks are as high within rounding errors."""
    series, grid = objects(40, fewest=12)
    grid[2][[4, 9]] = 0
    grid[2][7] = 40_000
    expected, theirs = scan(*series, *grid, 5)
    frequency, gain = scan_torch.scan(*series, *grid, 5, device=DEVICE, room=room)
    np.testing.assert_array_equal(np.isnan(gain), np.isnan(theirs))
    np.testing.assert_allclose(gain, theirs, rtol=1e-3, atol=1e-3)
    known = np.isfinite(theirs)
    neighbour = np.minimum(-np.diff(theirs, axis=1, append=-np.inf), -np.diff(theirs, axis=1, prepend=np.inf))
    apart = known & ~(neighbour < 2e-3)
    assert apart.sum() > 0.9 * known.sum()
    np.testing.assert_allclose(frequency[apart], expected[apart], rtol=1e-12)


def test_odd_objects_have_no_peak():
    """No slot with freedom, no scatter, no points: NaN, as from the compiled scan."""
    time, residual = np.arange(60.0), np.cos(np.arange(60.0))
    residual -= np.repeat(residual.reshape(3, 20).mean(1), 20)
    residual[20:40] = 0
    bands, slot_offsets = np.array([[0, 20], [20, 40], [40, 44], [44, 60]]), np.arange(5)
    grid = np.full(4, 0.01), np.full(4, 0.001), np.array([300, 300, 300, 0])
    both = [
        kernel(time, residual, np.ones(60), bands, slot_offsets, np.arange(5), *grid, 3)
        for kernel in (scan, scan_torch.scan)
    ]
    for frequency, gain in both:
        np.testing.assert_array_equal(np.isfinite(gain[:, 0]), [True, False, True, False])
        np.testing.assert_array_equal(np.isfinite(gain), np.isfinite(frequency))
    empty = np.zeros(0)
    none = np.zeros(0, np.int64)
    for kernel in (scan, scan_torch.scan):
        frequency, gain = kernel(
            empty, empty, empty, none.reshape(0, 2), *[np.zeros(1, np.int64)] * 2, empty, empty, none, 3
        )
        assert frequency.shape == gain.shape == (0, 3)


def test_the_period_search_takes_it_for_its_scan():
    batch = curves(60, bands=2, n_object=5)
    config = PeriodConfig(f_max=4.0)
    np.testing.assert_allclose(
        find_period(batch, config, scan=scan_torch.scan).period, find_period(batch, config).period, rtol=1e-9
    )
