"""What the period search works on: series without their means, slots of bands, and the grid of frequencies."""

import numpy as np
import pytest

from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.segments import segment_sum
from tasks.lightcurves.series import PeriodConfig, residual_series
from tasks.lightcurves.slots import build_grid, build_slots, share_bands

CONFIG = PeriodConfig(f_max=8.0)  # a band with 3 * (2 * 3 + 1) = 21 epochs has harmonics of its own


def batch_of(counts, span=100.0, seed=0, bands=("g", "r", "i")):
    """One object for each row of `counts`, which holds the epochs of each band, over `span` days."""
    rng = np.random.default_rng(seed)
    band = np.concatenate([np.repeat(np.arange(len(bands)), row) for row in counts])
    source = np.repeat(np.arange(len(counts)), np.sum(counts, axis=1))
    time = rng.uniform(0, span, band.size)
    mag = 15 + 0.5 * band + rng.normal(0, 0.1, band.size)
    return LightCurveBatch.from_epochs(source, time + 57_000, mag, np.full(band.size, 0.02), band, None, bands)


def test_residuals_have_no_weighted_mean_in_any_band():
    series = residual_series(batch_of([(30, 5, 0), (8, 1, 40)]), None, CONFIG)
    sums = segment_sum(series.weight * series.residual, series.band_offsets)
    np.testing.assert_allclose(sums, 0, atol=1e-8)
    assert np.diff(series.band_offsets).tolist() == [30, 5, 0, 8, 1, 40]


def test_times_begin_at_the_first_epoch_of_each_object_and_ascend_in_each_band():
    series = residual_series(batch_of([(12, 5, 3), (8, 9, 4)]), None, CONFIG)
    for first, last in zip(series.offsets[:-1], series.offsets[1:], strict=True):
        assert series.time[first:last].min() == 0.0
    for first, last in zip(series.band_offsets[:-1], series.band_offsets[1:], strict=True):
        assert (np.diff(series.time[first:last]) >= 0).all()


def test_bands_of_a_survey_stand_together():
    series = residual_series(batch_of([(4, 5, 6)]), (1, 0, 1), CONFIG)
    assert series.group.tolist() == [0, 1, 1]
    assert np.diff(series.band_offsets).tolist() == [5, 4, 6]  # survey 0 first, the others in their order
    assert series.group_offsets.tolist() == [0, 5, 15]


def test_epochs_without_a_time_or_a_magnitude_take_no_part():
    batch = batch_of([(10, 10, 10)])
    spoilt = LightCurveBatch.from_epochs(
        np.zeros(30), np.where(np.arange(30) == 3, np.nan, batch.time), np.where(np.arange(30) == 7, np.nan, batch.mag),
        batch.mag_err, batch.band, None, batch.bands,
    )  # fmt: skip
    assert residual_series(spoilt, None, CONFIG).time.size == 28


def test_a_constant_band_has_no_residual_at_all():
    batch = LightCurveBatch.from_epochs(np.zeros(20), np.arange(20.0), np.full(20, 15.1), None, np.zeros(20), None, "g")
    assert (residual_series(batch, None, CONFIG).residual == 0).all()


def test_groups_that_do_not_fit_the_bands_are_refused():
    with pytest.raises(ValueError, match="2 survey groups for the 3 bands"):
        residual_series(batch_of([(4, 5, 6)]), (0, 1), CONFIG)


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"f_min": 9.0, "f_max": 8.0}, "f_min=9.0, f_max=8.0"), ({"f_min": 0.0}, "f_min=0.0"),
     ({"oversampling": 0.5}, "oversampling=0.5"), ({"n_harmonics": 0}, "n_harmonics=0"),
     ({"refine": (4, 0)}, r"refine=\(4, 0\)"), ({"error_floor": float("nan")}, "error_floor=nan")],
)  # fmt: skip
def test_settings_that_cannot_be_are_named(changes, named):
    with pytest.raises(ValueError, match=named):
        PeriodConfig(**changes)


def test_rich_bands_are_slots_of_their_own_and_sparse_ones_of_a_survey_are_one():
    count = np.array([21, 20, 5, 0, 30, 4])
    filled, order, slots, objects = share_bands(count, np.zeros(3, np.int64), CONFIG)
    assert filled.tolist() == [0, 1, 2, 4, 5]
    assert filled[order].tolist() == [0, 1, 2, 4, 5] and np.diff(slots).tolist() == [1, 2, 1, 1]
    assert np.diff(objects).tolist() == [2, 2]


def test_sparse_bands_of_two_surveys_do_not_share_a_slot():
    _, _, slots, objects = share_bands(np.array([5, 5, 5, 5]), np.array([0, 0, 1, 1]), CONFIG)
    assert np.diff(slots).tolist() == [2, 2] and objects.tolist() == [0, 2]


def test_slots_count_epochs_bands_and_span():
    batch = batch_of([(30, 5, 6)])
    series = residual_series(batch, None, CONFIG)
    slots = build_slots(series, CONFIG)
    assert slots.n_epoch.tolist() == [30, 11] and slots.n_band.tolist() == [1, 2]
    assert slots.freedom.tolist() == [30 - 1 - 2, 11 - 2 - 2]
    rich = batch.time[batch.band == 0]
    assert slots.span[0] == pytest.approx(np.ptp(rich))
    weight = 1 / (0.02**2 + CONFIG.error_floor**2)  # of every epoch
    assert slots.constant.sum() == pytest.approx(weight * np.sum(series.residual**2))


def test_the_harmonics_that_epochs_can_bear():
    """(n / 3 - 1) / 2 of them, and at least one."""
    slots = build_slots(residual_series(batch_of([(60, 5, 0)]), None, CONFIG), CONFIG)
    assert slots.free.tolist() == [9, 1]


def test_an_object_without_epochs_has_no_slots_and_no_frequencies():
    batch = batch_of([(30, 0, 0)])
    empty = LightCurveBatch([1, 2], [0, 30, 30], batch.time, batch.mag, batch.mag_err, batch.band, batch.flags,
                            batch.bands)  # fmt: skip
    slots = build_slots(residual_series(empty, None, CONFIG), CONFIG)
    assert np.diff(slots.object_offsets).tolist() == [1, 0]
    grid = build_grid(slots, CONFIG)
    assert grid.n_point[0] > 0 and grid.n_point[1] == 0 and np.isnan(grid.first[1])


def test_the_grid_covers_the_range_in_steps_of_the_baseline():
    slots = build_slots(residual_series(batch_of([(40, 0, 0)]), None, CONFIG), CONFIG)
    grid = build_grid(slots, CONFIG)
    assert grid.step[0] == pytest.approx(1 / (CONFIG.oversampling * grid.baseline[0]))
    assert grid.first[0] == pytest.approx(1 / grid.baseline[0])  # one cycle in the baseline
    last = grid.first[0] + (grid.n_point[0] - 1) * grid.step[0]
    assert last <= CONFIG.f_max < last + grid.step[0]


def test_the_step_widens_where_there_would_be_too_many_points():
    config = PeriodConfig(f_max=8.0, max_points=100)
    grid = build_grid(build_slots(residual_series(batch_of([(40, 0, 0)]), None, config), config), config)
    assert 99 <= grid.n_point[0] <= 100


def test_too_few_epochs_have_no_grid():
    slots = build_slots(residual_series(batch_of([(9, 0, 0), (10, 0, 0)]), None, CONFIG), CONFIG)
    assert (build_grid(slots, CONFIG).n_point > 0).tolist() == [False, True]
