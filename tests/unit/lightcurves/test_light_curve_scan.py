"""The compiled scan against least squares, astropy and nifty-ls: every frequency, every peak, and odd light curves."""

from itertools import pairwise

import nifty_ls
import numpy as np
import pytest
from astropy.timeseries import LombScargle
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tasks.lightcurves import LightCurveBatch, periodogram
from tasks.lightcurves.batch import offsets_of
from tasks.lightcurves.periodogram import PeriodConfig, find_period
from tasks.lightcurves.scan import LANES, SINGULAR, TILE, compile_kernels, highest_peaks, scan, slots_gain


def series(counts, seed=0, baseline=300.0):
    """Time, residual, weight and bands (F,2) of a common sinusoid in bands of `counts` epochs."""
    rng = np.random.default_rng(seed)
    offsets = offsets_of(np.asarray(counts))
    band = np.repeat(np.arange(len(counts)), counts)
    time = rng.uniform(0, baseline, band.size)
    weight = rng.uniform(0.02, 0.1, band.size) ** -2.0
    mag = band + 0.2 * np.cos(2 * np.pi * time / rng.uniform(0.3, 3)) + rng.normal(0, 0.1, band.size)
    mean = np.bincount(band, weight * mag) / np.bincount(band, weight)
    return time, mag - mean[band], weight, np.stack([offsets[:-1], offsets[1:]], axis=1)


def explained(time, residual, weight, bands, frequency):
    """1 - chi2 / chi2_constant of a sinusoid with an offset per band, float64, by the centred design matrix; and the
    determinant of that for weights that sum to 1.
    """
    matrix, vector, constant = np.zeros((2, 2, frequency.size)), np.zeros((2, frequency.size)), 0.0
    weight = weight / sum(weight[a:b].sum() for a, b in bands)
    for a, b in bands:
        w, angle = weight[a:b], 2 * np.pi * np.outer(frequency, time[a:b])
        design = np.stack([np.cos(angle), np.sin(angle)])
        design -= (design @ w / w.sum())[..., None]
        matrix += np.einsum("pfn,qfn,n->pqf", design, design, w)
        vector += design @ (w * residual[a:b])
        constant += np.sum(w * residual[a:b] ** 2)
    matrix = np.moveaxis(matrix, -1, 0)
    solution = np.linalg.solve(matrix, vector.T[..., None])[..., 0]
    return np.sum(vector.T * solution, axis=1) / constant, np.linalg.det(matrix)


@pytest.mark.parametrize("slots", [[[40]], [[9, 7, 12]], [[30], [8, 6, 5, 9, 7]], [[2, 2, 1], [50]]])
@pytest.mark.parametrize("n_point", [1, 2, LANES - 1, LANES, LANES + 1, TILE * LANES + 1])
def test_every_frequency_is_a_least_squares_fit(slots, n_point):
    counts = [n for slot in slots for n in slot]
    time, residual, weight, bands = series(counts)
    slot_offsets = offsets_of(np.array([len(slot) for slot in slots]))
    gain = slots_gain(time, residual, weight, bands, slot_offsets, 0.05, 2e-3, n_point)
    frequency, expected = 0.05 + 2e-3 * np.arange(n_point), np.zeros(n_point)
    for slot, (a, b) in zip(slots, pairwise(slot_offsets), strict=True):
        freedom = sum(slot) - len(slot) - 2
        if freedom > 0:
            expected -= freedom * np.log1p(-explained(time, residual, weight, bands[a:b], frequency)[0])
    assert gain.shape == (n_point,)
    np.testing.assert_allclose(gain, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("n_band", range(1, 12))
def test_tiles_of_any_number_of_bands_fit_and_join(n_band):
    """Grids of one tile to just under three: at the edges of blocks, so of tiles, the fit is that of least squares."""
    time, residual, weight, bands = series([6] * n_band)
    tile = 3 * TILE // (2 + n_band)
    for n_block in (tile, tile + 1, 2 * tile + 1, 3 * tile - 1):
        gain = slots_gain(time, residual, weight, bands, np.array([0, n_band]), 0.05, 1e-4, n_block * LANES)
        at = np.unique(np.clip(np.arange(n_block)[:, None] * LANES + [-1, 0, 127, 128], 0, None))
        expected, determinant = explained(time, residual, weight, bands, 0.05 + 1e-4 * at)
        power = -np.expm1(-gain[at] / (5 * n_band - 2))
        good = determinant > 0.01
        np.testing.assert_allclose(power[good], expected[good], atol=1e-4)


@pytest.mark.parametrize("counts", [[5], [4, 1, 1], [3, 3, 3]])
def test_near_a_singular_matrix_power_is_lost_but_none_made_up(counts):
    """Rounding costs a few 1e-7 over the determinant, and the determinant has a floor."""
    time, residual, weight, bands = series(counts, baseline=20.0)
    freedom, frequency = sum(counts) - len(counts) - 2, 0.01 + 1e-3 * np.arange(5000)
    gain = slots_gain(time, residual, weight, bands, np.array([0, len(counts)]), 0.01, 1e-3, 5000)
    expected, determinant = explained(time, residual, weight, bands, frequency)
    expected = expected * np.minimum(determinant / SINGULAR, 1)
    assert determinant.min() < SINGULAR
    assert np.all(np.abs(-np.expm1(-gain / freedom) - expected) < 2e-6 + 5e-7 / np.maximum(determinant, SINGULAR))


@pytest.mark.parametrize("seed", range(6))
def test_one_band_is_the_lomb_scargle_of_astropy_and_nifty_ls(seed):
    n, n_point, first, step = 36, 20_000, 1 / 300, 5e-4
    time, residual, weight, bands = series([n], seed)
    order = np.argsort(time)
    power = -np.expm1(-slots_gain(time, residual, weight, bands, np.array([0, 1]), first, step, n_point) / (n - 3))
    peer = LombScargle(time, residual, weight**-0.5)
    at = np.arange(0, n_point, 7)
    np.testing.assert_allclose(power[at], peer.power(first + step * at, method="cython"), atol=2e-5)
    nifty = nifty_ls.lombscargle(
        time[order], residual[order], weight[order] ** -0.5, fmin=first, fmax=first + step * (n_point - 1), Nf=n_point
    )
    np.testing.assert_allclose(power, nifty.power, atol=2e-5)
    assert np.argmax(power) == np.argmax(nifty.power)


def objects(n, seed=3, fewest=1):
    """Arguments of `scan` for n objects with one to four bands, some in common slots, each with a grid of its own."""
    rng = np.random.default_rng(seed)
    parts, bands, slots, slot_counts = [], [], [], []
    start = 0
    for i in range(n):
        counts = rng.integers(fewest, 40, rng.integers(1, 5))
        *columns, edges = series(counts, seed + i)
        parts.append(columns)
        bands.append(edges + start)
        start += counts.sum()
        split = rng.integers(0, len(counts)) + 1  # the first bands share a slot, each of the others has its own
        slots.append([split] + [1] * (len(counts) - split))
        slot_counts.append(len(slots[-1]))
    time, residual, weight = map(np.concatenate, zip(*parts, strict=True))
    return (
        (time, residual, weight, np.concatenate(bands), offsets_of(np.concatenate(slots)), offsets_of(slot_counts)),
        (rng.uniform(0.01, 0.1, n), rng.uniform(1e-4, 2e-3, n), rng.integers(1, 5 * LANES, n)),
    )


def test_a_batch_is_its_objects_one_by_one():
    (*arrays_, object_offsets), grid = objects(20)
    grid[2][4] = 0
    frequency, gain = scan(*arrays_, object_offsets, *grid, 5)
    for i in range(20):
        one = scan(*arrays_, object_offsets[i : i + 2], *(value[i : i + 1] for value in grid), 5)
        np.testing.assert_array_equal(one, (frequency[i : i + 1], gain[i : i + 1]))
        of_slots = arrays_[4][object_offsets[i] : object_offsets[i + 1] + 1]
        if grid[2][i]:
            assert np.nan_to_num(gain[i, 0]) == slots_gain(*arrays_[:4], of_slots, *(value[i] for value in grid)).max()
    assert np.isnan(gain[4]).all()
    assert np.isnan(frequency[4]).all()


@given(arrays(np.float32, st.integers(1, 700), elements=st.integers(0, 6).map(float)), st.integers(1, 8))
def test_peaks_are_the_highest_local_maxima(gain, n_peak):
    place, height = highest_peaks(gain, n_peak)
    padded = np.concatenate([[np.inf], gain, [np.inf]])
    peak = np.flatnonzero((gain >= padded[:-2]) & (gain > padded[2:]) & (gain > 0))
    if gain.max() > gain[peak].max(initial=0):  # the highest value is an end of the grid, or level with it
        assert height[0] == gain.max()
        assert place[0] in (0, gain.size - 1)
        place, height, n_peak = place[1:], height[1:], n_peak - 1
    found = place >= 0
    np.testing.assert_array_equal(height[found], np.sort(gain[peak])[::-1][:n_peak])
    np.testing.assert_array_equal(height[~found], 0)
    assert np.isin(place[found], peak).all()
    assert np.unique(place[found]).size == found.sum()


def curves(n, bands=1, baseline=200.0, n_object=1, seed=0):
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(n_object), n)
    time = rng.uniform(0, baseline, row.size)
    mag = 15 + 0.3 * np.cos(2 * np.pi * time / 0.7) + rng.normal(0, 0.02, row.size)
    names = tuple("ugriz"[:bands])
    return LightCurveBatch.from_epochs(
        row, time, mag, np.full(row.size, 0.02), rng.integers(0, bands, row.size), None, names
    )


@pytest.mark.parametrize("floor", [0.0, 0.02])
@pytest.mark.parametrize("change", ["nan times", "nan", "zero errors", "equal times", "no scatter", "three points"])
def test_odd_light_curves_do_no_harm(change, floor):
    """A good object beside an odd one has the period it has alone."""
    batch = curves(3 if change == "three points" else 40, bands=2, n_object=2)
    time, mag, err = batch.time.copy(), batch.mag.copy(), batch.mag_err.copy()
    odd = slice(*batch.offsets[:2])
    if change == "equal times":
        time[odd] = 10.0
    elif change == "nan times":
        time[odd][::3] = np.nan
    elif change == "nan":
        mag[odd][::3], err[odd][1::3] = np.nan, np.nan
    elif change == "zero errors":
        err[odd] = 0
    elif change == "no scatter":
        mag[odd] = 15
    changed = LightCurveBatch(batch.source_id, batch.offsets, time, mag, err, batch.band, batch.flags, batch.bands)
    config = PeriodConfig(f_max=4.0, error_floor=floor)
    found, alone = find_period(changed, config), find_period(batch.select([1]), config)
    np.testing.assert_array_equal(found.period[1:], alone.period)
    if change in ("equal times", "three points", "no scatter"):
        assert np.isnan(found.period[0])
    else:
        assert found.period[0] == pytest.approx(0.7, rel=2e-3)


def test_long_series_have_the_peaks_of_the_direct_sums(monkeypatch):
    batch = curves(120, bands=2, n_object=4)
    direct = find_period(batch, PeriodConfig(f_max=4.0))
    monkeypatch.setattr(periodogram, "LONG", 30)
    fast = find_period(batch, PeriodConfig(f_max=4.0))
    np.testing.assert_allclose(fast.trials.frequency, direct.trials.frequency, rtol=1e-12)
    np.testing.assert_allclose(fast.log_fap, direct.log_fap, rtol=1e-4)


def test_what_is_compiled_beforehand_is_what_the_search_calls(monkeypatch):
    compile_kernels()
    monkeypatch.setattr(periodogram, "LONG", 30)
    find_period(curves(50, n_object=2), PeriodConfig(f_max=4.0))
    find_period(curves(20, n_object=2), PeriodConfig(f_max=4.0))
    for kernel in (scan, slots_gain, highest_peaks):
        assert len(kernel.signatures) == 1
