"""Trial periods against plain least squares, and their errors against the scatter of repeated measurements."""

import numpy as np
import pytest

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig, residual_series
from tasks.lightcurves.slots import build_slots
from tasks.lightcurves.trials import MULTIPLES, N_HARMONICS, N_SHAPE, fit_trials

BANDS, GROUPS = ("g", "r", "i", "B", "V"), (0, 0, 0, 1, 1)
CONFIG = PeriodConfig()
LENGTHS = ((60, 8, 9, 11, 30), (0, 5, 7, 0, 45), (12, 0, 0, 6, 0))  # epochs of each object in each band


def curves(seed=0, period=0.63, noise=0.05):
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(len(LENGTHS)), [sum(lengths) for lengths in LENGTHS])
    band = np.concatenate([np.repeat(np.arange(5), lengths) for lengths in LENGTHS])
    time = rng.uniform(0, 200, row.size)
    error = noise * rng.uniform(0.5, 2, row.size)
    phase = time / period
    mag = 15 + band + 0.4 * np.cos(2 * np.pi * phase) + 0.2 * np.cos(4 * np.pi * phase + 1) + rng.normal(0, error)
    return LightCurveBatch.from_epochs(row, time, mag, error, band, None, BANDS)


def fitted(batch, peaks, step=0.0):
    """Trials at the peaks themselves: a step of 0 leaves nothing to climb."""
    series = residual_series(batch, GROUPS, CONFIG)
    slots = build_slots(series, CONFIG)
    return series, slots, fit_trials(series, slots, peaks, np.full(len(batch), step), CONFIG)


def least_squares(series, bands, frequency, n_harmonics):
    """chi2 without and with harmonics, and the coefficients, of some bands with an offset each."""
    place = np.concatenate([np.arange(start, stop) for start, stop in bands])
    offset = np.repeat(np.arange(len(bands)), np.diff(bands)[:, 0])[:, None] == np.arange(len(bands))
    angle = 2 * np.pi * frequency * series.time[place][:, None] * np.arange(1, n_harmonics + 1)
    columns = np.stack([np.cos(angle), np.sin(angle)], axis=-1).reshape(place.size, -1)
    root = np.sqrt(series.weight[place])[:, None]
    chi2 = []
    for design in (offset, np.hstack([columns, offset])):
        solution = np.linalg.lstsq(design * root, series.residual[place] * root[:, 0], rcond=None)[0]
        chi2.append(np.sum((series.residual[place] - design @ solution) ** 2 * series.weight[place]))
    return *chi2, solution[: 2 * n_harmonics]


def test_gains_are_those_of_least_squares_slot_by_slot():
    peaks = np.array([[1.587, 0.31], [1.2, 2.7], [0.8, np.nan]])
    series, slots, trials = fitted(curves(), peaks)
    assert np.diff(slots.object_offsets).tolist() == [4, 2, 2]  # g, V with epochs enough; r with i, B, and others
    for i, c in zip(*np.nonzero(np.isfinite(peaks)), strict=True):
        for m, multiple in enumerate(MULTIPLES):
            for k in (1, 2, N_HARMONICS):
                gain, terms = 0.0, 0
                for slot in range(slots.object_offsets[i], slots.object_offsets[i + 1]):
                    bands = slots.bands[slots.slot_offsets[slot] : slots.slot_offsets[slot + 1]]
                    free = min(k, slots.free[slot])
                    constant, left, _ = least_squares(series, bands, peaks[i, c] / multiple, free)
                    gain += slots.n_epoch[slot] * np.log(constant / max(left, 1e-6 * constant))
                    terms += 2 * free
                assert trials.terms[i, c, m, k - 1] == terms
                assert trials.gain[i, c, m, k - 1] == pytest.approx(gain, rel=2e-3, abs=2e-3)
    assert np.isnan(trials.gain[2, 1]).all() and np.isnan(trials.frequency[2, 1])


def test_the_shape_is_that_of_one_series_for_all_bands():
    series, slots, trials = fitted(curves(), np.array([[1 / 0.63]] * 3))
    bands = slots.bands[: slots.slot_offsets[slots.object_offsets[1]]]
    *_, solution = least_squares(series, bands, 1 / 0.63, N_SHAPE)
    np.testing.assert_allclose(trials.shape[0, 0, 0], solution, atol=2e-4)


def test_a_peak_is_climbed_to_its_top():
    step = 1 / (3 * 200)
    _, _, trials = fitted(curves(noise=0.01), np.array([[1 / 0.63 + 0.4 * step]] * 3), step)
    np.testing.assert_allclose(trials.frequency[:2, 0], 1 / 0.63, atol=0.04 * step)


def test_the_error_of_a_frequency_is_its_scatter():
    found, errors = [], []
    for seed in range(60):
        _, _, trials = fitted(curves(seed), np.array([[1 / 0.63]] * 3), 1 / (3 * 200))
        found.append(trials.frequency[:2, 0])
        errors.append(trials.sigma[:2, 0])
    ratio = np.std(found, axis=0) / np.median(errors, axis=0)
    assert np.all((ratio > 0.6) & (ratio < 1.5)), ratio


def test_objects_do_not_know_each_other():
    batch, peaks = curves(), np.array([[1.587, 0.31], [1.2, 2.7], [0.8, 1.1]])
    _, _, together = fitted(batch, peaks, 1e-3)
    for i in range(len(batch)):
        _, _, alone = fitted(batch.select(np.array([i])), peaks[i : i + 1], 1e-3)
        for name in ("frequency", "sigma", "gain", "terms", "shape"):
            np.testing.assert_array_equal(getattr(alone, name)[0], getattr(together, name)[i])
