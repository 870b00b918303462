"""Order, ranks, averages and windows of epochs against plain loops; colours that no order of summing changes."""

from dataclasses import replace

import numpy as np
import pytest

from tasks.learning.inputs.colours import running_colours
from tasks.learning.inputs.epochs import band_key, distinct_epochs, epochs_in_bands, rank_in_band
from tasks.learning.inputs.step_weights import ERROR_FLOOR, normalise, relative_error
from tasks.learning.inputs.windows import cut_views, cut_window, is_longer
from tasks.lightcurves import LightCurveBatch
from tests.unit.learning.synthetic_stars import stars

BATCH = stars(10, seed=4, bands=("g", "r", "i"), n_epoch=(1, 15))[0].batch
BATCH = BATCH.keep(BATCH.row != 3)  # one object without epochs
EPOCHS = epochs_in_bands(BATCH, ("i", "g"))


def curve_of(batch: LightCurveBatch, i: int, band: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Time, magnitude and error of one object and band, in order of time."""
    part = slice(batch.offsets[i], batch.offsets[i + 1])
    here = batch.band[part] == batch.bands.index(band)
    order = np.argsort(batch.time[part][here], kind="stable")
    return tuple(column[part][here][order] for column in (batch.time, batch.mag, batch.mag_err))


def test_epochs_of_the_bands_are_in_order_of_object_band_and_time():
    expected = [curve_of(BATCH, i, band) for i in range(len(BATCH)) for band in ("i", "g")]
    for column, name in enumerate(("time", "mag", "mag_err")):
        assert np.array_equal(getattr(EPOCHS, name), np.concatenate([curve[column] for curve in expected]))
    assert EPOCHS.bands == ("i", "g") and np.array_equal(EPOCHS.source_id, BATCH.source_id)


@pytest.mark.parametrize(("name", "value"), [("mag", np.nan), ("mag", 101.0), ("mag", -np.inf), ("time", np.inf)])
def test_an_epoch_that_cannot_be_is_left_out(name, value):
    column = getattr(BATCH, name).copy()
    wrong = np.flatnonzero(BATCH.band == 0)[2]
    column[wrong] = value
    kept = epochs_in_bands(replace(BATCH, **{name: column}), ("g",))
    assert kept.time.size == (BATCH.band == 0).sum() - 1
    assert BATCH.time[wrong] not in kept.time


def test_a_band_that_no_curve_has_stays_empty():
    assert epochs_in_bands(BATCH, ("y",)).n_epoch.sum() == 0
    both = epochs_in_bands(BATCH, ("y", "g"))
    assert np.array_equal(np.unique(both.band), [1])


def test_ranks_count_the_epochs_of_an_object_and_band():
    counts: dict[int, int] = {}
    expected = []
    for key in band_key(EPOCHS):
        expected.append(counts.get(key, 0))
        counts[key] = expected[-1] + 1
    assert rank_in_band(EPOCHS).tolist() == expected


def test_epochs_of_one_time_become_their_mean_and_bands_stay_apart():
    rng = np.random.default_rng(0)
    time, mag, err = rng.integers(0, 6, 60), rng.normal(15, 1, 60), rng.uniform(0.01, 0.1, 60)
    star, code = rng.integers(0, 4, 60), rng.integers(0, 2, 60)
    batch = LightCurveBatch.from_epochs(star, time, mag, err, code, None, "gr")
    epochs = distinct_epochs(batch, ("g", "r"))
    row = 0
    for i in range(len(batch)):
        for band in "gr":
            times, mag, err = curve_of(batch, i, band)
            for each in np.unique(times):
                assert epochs.time[row] == each
                assert epochs.mag[row] == pytest.approx(mag[times == each].astype(float).mean(), rel=1e-6)
                assert epochs.mag_err[row] == pytest.approx(err[times == each].astype(float).mean(), rel=1e-6)
                row += 1
    assert row == epochs.time.size
    assert distinct_epochs(epochs, ("g", "r")).time.size == row


@pytest.mark.parametrize("limit", [1, 4, 100])
def test_a_window_is_a_run_of_each_band_placed_by_its_fraction(limit):
    where = np.random.default_rng(2).random(len(EPOCHS))
    window = cut_window(EPOCHS, limit, where)
    for i in range(len(EPOCHS)):
        for band in EPOCHS.bands:
            times = curve_of(EPOCHS, i, band)[0]
            first = round(max(times.size - limit, 0) * where[i])
            assert np.array_equal(curve_of(window, i, band)[0], times[first : first + limit])
    longest = [max(curve_of(EPOCHS, i, band)[0].size for band in EPOCHS.bands) for i in range(len(EPOCHS))]
    assert is_longer(EPOCHS, limit).tolist() == [n > limit for n in longest]


def test_short_curves_have_one_view_and_long_ones_three():
    assert [index.tolist() for index, _ in cut_views(EPOCHS, 100)] == [list(range(len(EPOCHS)))]
    longer = np.flatnonzero(is_longer(EPOCHS, 8)).tolist()
    views = cut_views(EPOCHS, 8)
    assert 0 < len(longer) < len(EPOCHS) and [index.tolist() for index, _ in views[1:]] == [longer, longer]
    last = views[2][1]
    for row, i in enumerate(longer):
        for band in EPOCHS.bands:
            assert np.array_equal(curve_of(last, row, band)[0], curve_of(EPOCHS, i, band)[0][-8:])


def test_colours_are_exact_whatever_stands_before():
    order = np.lexsort((EPOCHS.band, EPOCHS.time, EPOCHS.row))
    colour, seen = running_colours(EPOCHS, order, np.ones(order.size, bool))
    i = int(np.argmax(EPOCHS.n_epoch[1:])) + 1
    alone = EPOCHS.select([i])
    own = np.lexsort((alone.band, alone.time))
    again, _ = running_colours(alone, own, np.ones(own.size, bool))
    part = slice(EPOCHS.offsets[i], EPOCHS.offsets[i + 1])
    assert np.array_equal(colour[part], again) and seen[part].any()
    assert (colour[~seen] == 0).all()
    (_, first, _), (_, second, _) = curve_of(EPOCHS, i, "i"), curve_of(EPOCHS, i, "g")
    assert again[-1, 0] == pytest.approx(first.mean(dtype=float) - second.mean(dtype=float), abs=2e-6)


def test_errors_are_relative_to_their_own_band_and_tiny_ones_are_raised():
    error = np.array([0.1, 0.3, 1e-9, np.nan, 0.0, 0.7, 0.7], np.float32)
    key = np.array([0, 0, 2, 2, 2, 3, 3])
    expected = [0.5, 1.5, 1.0, 1.0, 1.0, 1.0, 1.0]
    assert np.allclose(relative_error(error, key, 4), expected)
    assert relative_error(np.array([1e-6, 1.0], np.float32), np.zeros(2, int), 1)[0] == ERROR_FLOOR
    weight = normalise(np.array([1.0, 3.0, 2.0]), np.array([0, 0, 1]), 2)
    assert weight.tolist() == [0.25, 0.75, 1.0] and weight.dtype == np.float32
