"""Curves folded at candidate periods, and points, against plain loops over objects and epochs."""

import numpy as np
import pytest
import torch

from tasks.learning.inputs.epochs import centre, epochs_in_bands
from tasks.learning.inputs.folded import fold_to_bins, fold_to_points
from tests.unit.learning.synthetic_stars import stars

BANDS = ("g", "r")
BATCH = stars(9, seed=3, n_epoch=(1, 12))[0].batch
EPOCHS = epochs_in_bands(BATCH.keep(BATCH.row != 4), BANDS)  # the fifth object has no epoch
N = len(EPOCHS)
PERIOD = np.random.default_rng(0).uniform(0.3, 5, (N, 3))
PERIOD[2, 1] = np.nan
ZERO = np.random.default_rng(1).uniform(0, 10, N)


def curve_of(i):
    part = slice(EPOCHS.offsets[i], EPOCHS.offsets[i + 1])
    return EPOCHS.time[part], EPOCHS.mag[part], EPOCHS.mag_err[part], EPOCHS.band[part]


def test_bins_are_the_means_of_a_plain_loop():
    bins = fold_to_bins(EPOCHS, PERIOD, 8, ZERO)
    assert bins.shape == (N, 3, 2, 8) and bins.dtype == np.float32
    for i in range(N):
        time, mag, _, band = curve_of(i)
        for k in range(3):
            phase = (time - ZERO[i]) / PERIOD[i, k] % 1
            for b in range(2):
                for j in range(8):
                    here = (band == b) & (phase >= j / 8) & (phase < (j + 1) / 8)
                    expected = mag[here].astype(float).mean() if here.any() else np.nan
                    np.testing.assert_allclose(bins[i, k, b, j], expected, rtol=1e-6)


def test_bins_are_a_circle():
    bins = fold_to_bins(EPOCHS, PERIOD, 8, ZERO)
    later = fold_to_bins(EPOCHS, PERIOD, 8, ZERO + 3 * PERIOD[:, 0] / 8)
    np.testing.assert_array_equal(later[:, 0], np.roll(bins[:, 0], -3, axis=-1))


def test_no_period_and_no_epochs_give_no_bins():
    bins = fold_to_bins(EPOCHS, PERIOD, 8)
    assert np.isnan(bins[2, 1]).all() and np.isnan(bins[4]).all()
    assert np.isfinite(bins[2, 0]).any()


@pytest.mark.parametrize("margin", [0, 3, 40])
def test_folded_points_are_those_of_a_plain_loop(margin):
    points = fold_to_points(EPOCHS, PERIOD, ZERO, margin)
    for i in range(N):
        time, mag, err, band = curve_of(i)
        for k in range(3):
            n = time.size + 2 * margin if time.size and np.isfinite(PERIOD[i, k]) else 0
            assert points.valid[i, k].sum() == n and points.valid[i, k, :n].all()
            assert (points.phase[i, k, n:] == 0).all() and (points.mag[i, k, n:] == 0).all()
            if n == 0:
                continue
            phase = (time - ZERO[i]) / PERIOD[i, k] % 1
            order = np.argsort(phase, kind="stable")
            steps = np.arange(-margin, time.size + margin)
            around = order[steps % time.size]
            np.testing.assert_allclose(points.phase[i, k, :n], phase[around] + steps // time.size, atol=1e-5)
            for tensor, values in ((points.mag, mag), (points.mag_err, err), (points.band, band)):
                np.testing.assert_array_equal(tensor[i, k, :n].numpy(), values[around])


def test_folded_points_with_their_margin_rise_in_phase():
    points = fold_to_points(EPOCHS, PERIOD, ZERO, 2)
    rising = torch.diff(points.phase, dim=-1) >= 0
    assert rising[points.valid[..., 1:]].all()
    assert points.phase.min() < 0 and points.phase.max() > 1
    assert points.band.dtype == torch.int64 and points.phase.dtype == torch.float32


def test_objects_without_epochs_are_all_padding():
    empty = EPOCHS.keep(np.zeros(EPOCHS.time.size, bool))
    folded = fold_to_points(empty, PERIOD)
    assert not folded.valid.any() and folded.mag.shape == (N, 3, 1)
    assert np.isnan(fold_to_bins(empty, PERIOD, 4)).all()


def test_centred_curves_have_mean_zero_in_each_band_and_keep_their_shape():
    curves = centre(EPOCHS)
    for i in range(N):
        part = slice(EPOCHS.offsets[i], EPOCHS.offsets[i + 1])
        for b in range(2):
            here = EPOCHS.band[part] == b
            mag = EPOCHS.mag[part][here].astype(float)
            np.testing.assert_allclose(curves.mag[part][here], mag - mag.mean() if mag.size else mag, atol=1e-6)
