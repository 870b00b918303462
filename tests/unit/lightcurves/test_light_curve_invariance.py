"""What must not matter does not: zero points of magnitude and time, the order of objects and epochs, other objects."""

from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest

from tasks.lightcurves import LightCurveBatch, concatenate
from tasks.lightcurves import periodogram as search
from tasks.lightcurves.alone import choose_by_band
from tasks.lightcurves.cuts import NEUTRAL_CUTS, NeutralCutConfig, apply_cuts, cut_by_survey
from tasks.lightcurves.fold import fold, folded_order
from tasks.lightcurves.fourier import fit_fourier, sine_phase
from tasks.lightcurves.periodogram import find_period, try_periods
from tasks.lightcurves.series import PeriodConfig
from tasks.lightcurves.trials import MULTIPLES, N_HARMONICS

CONFIG = PeriodConfig(f_max=6.0)
PERIODS = np.array([0.61, 1.7, 0.33, 4.9])
BANDS = ("g", "r")


def stars(n=80, noise=0.02, seed=5) -> LightCurveBatch:
    """Four stars of two bands, each with a series of two harmonics; times are on a grid that days do not round."""
    rng = np.random.default_rng(seed)
    row = np.repeat(np.arange(PERIODS.size), n)
    time = 55_000 + np.round(rng.uniform(0, 90, row.size) * 2**20) / 2**20
    band = rng.integers(0, 2, row.size)
    angle = 2 * np.pi * time / PERIODS[row]
    mag = 15 + 0.4 * band + 0.3 * np.cos(angle + row) + 0.12 * np.cos(2 * angle + 1) + rng.normal(0, noise, row.size)
    return LightCurveBatch.from_epochs(row, time, mag, np.full(row.size, noise), band, None, BANDS)


@pytest.fixture(scope="module")
def batch() -> LightCurveBatch:
    return stars()


@pytest.fixture(scope="module")
def found(batch):
    return find_period(batch, CONFIG)


def test_the_periods_are_found(found):
    np.testing.assert_allclose(found.period, PERIODS, rtol=1e-3)
    assert (found.choice.probability > 0.5).all() and (found.log_fap < -5).all()


def test_an_offset_of_a_band_changes_no_period(batch, found):
    moved = replace(batch, mag=batch.mag + np.where(batch.band == 0, 2.0, -1.0))
    np.testing.assert_allclose(find_period(moved, CONFIG).period, found.period, rtol=1e-5)


def test_whole_days_of_shift_change_no_period(batch, found):
    again = find_period(replace(batch, time=batch.time + 1234.0), CONFIG)
    np.testing.assert_array_equal(again.period, found.period)
    np.testing.assert_array_equal(again.power, found.power)


def test_stars_do_not_know_of_each_other(batch, found):
    order = np.array([2, 0, 3, 1])
    np.testing.assert_array_equal(find_period(batch.select(order), CONFIG).period, found.period[order])
    np.testing.assert_array_equal(find_period(batch.select([1]), CONFIG).period, found.period[[1]])


def test_the_order_of_epochs_does_not_matter(batch, found):
    turned = np.concatenate([np.arange(a, b)[::-1] for a, b in pairwise(batch.offsets)])
    again = find_period(replace(batch, **{n: getattr(batch, n)[turned] for n in ("time", "mag", "band")}), CONFIG)
    np.testing.assert_array_equal(again.period, found.period)


def test_a_star_without_epochs_has_no_period_and_spoils_none(batch, found):
    empty = LightCurveBatch([99], [0, 0], [], [], [], [], [], BANDS)
    again = find_period(concatenate([empty, batch]), CONFIG)
    assert np.isnan(again.period[0]) and np.isnan(again.power[0])
    np.testing.assert_array_equal(again.period[1:], found.period)


def test_the_fast_transform_finds_what_the_direct_sums_find(batch, found, monkeypatch):
    monkeypatch.setattr(search, "LONG", 20)  # every band is long
    again = find_period(batch, CONFIG)
    np.testing.assert_allclose(again.power, found.power, rtol=1e-3)
    np.testing.assert_allclose(again.period, found.period, rtol=1e-6)


def test_probabilities_are_shared_out(found):
    choice = found.choice
    assert ((choice.probability > 0) & (choice.probability <= 1)).all()
    for part in (choice.half, choice.double, choice.none):
        assert (choice.probability + part <= 1 + 1e-9).all() and (part >= 0).all()


def test_more_harmonics_never_explain_less(batch):
    trials = try_periods(batch, CONFIG)[3]
    gain = trials.gain[np.isfinite(trials.gain).all(axis=-1)]
    assert gain.shape[1] == N_HARMONICS and (np.diff(gain, axis=1) >= -1e-6).all()
    np.testing.assert_allclose(trials.period[..., 1] / trials.period[..., 0], MULTIPLES[1] / MULTIPLES[0])


def test_each_band_alone_chooses_the_trial_that_it_follows(batch):
    ordered, offsets = batch.by_band()
    trials = np.stack([1 / PERIODS, 1 / PERIODS + 0.31], axis=1)
    weight = np.full(ordered.time.size, 1 / 0.02**2)
    alone = choose_by_band(ordered.time, ordered.mag.astype(float), weight, offsets, trials)
    np.testing.assert_allclose(alone, np.repeat(1 / PERIODS, 2).reshape(-1, 2))


@pytest.fixture(scope="module")
def fit(batch):
    return fit_fourier(batch, PERIODS, 3)


def one_band(batch: LightCurveBatch) -> LightCurveBatch:
    return batch.keep(batch.band == 0)


def test_a_series_is_the_one_that_was_put_in(batch):
    fit = fit_fourier(one_band(batch), PERIODS, 3)
    np.testing.assert_allclose(fit.amplitude[:, 0], 0.3, atol=0.015)
    np.testing.assert_allclose(fit.amplitude[:, 1], 0.12, atol=0.015)
    np.testing.assert_allclose(fit.ratio(2), 0.4, atol=0.05)
    expected = np.mod(1 - 2 * np.arange(4), 2 * np.pi)
    assert np.abs(np.angle(np.exp(1j * (fit.phase_difference(2) - expected)))).max() < 0.2


def test_the_shape_does_not_depend_on_the_zero_of_time(batch):
    phase = np.linspace(0, 1, 50)
    one = fit_fourier(one_band(batch), PERIODS, 3)
    other = fit_fourier(one_band(replace(batch, time=batch.time + 0.37)), PERIODS, 3)
    np.testing.assert_allclose(other.shape(phase), one.shape(phase), atol=2e-3)
    assert np.abs(other.evaluate(phase) - one.evaluate(phase)).max() > 0.05


def test_evaluating_all_slices_or_each_at_its_own_phases_agrees(fit):
    phase = np.linspace(0, 0.9, 10)
    np.testing.assert_allclose(fit.at(np.tile(phase, (4, 1))), fit.evaluate(phase))


def test_conventions_of_phase_differ_by_quarter_turns():
    assert sine_phase(1.0, 1) == pytest.approx(1.0)
    assert sine_phase(1.0, 3) == pytest.approx((1.0 - np.pi) % (2 * np.pi))


def test_phases_fold_back_to_the_times(batch):
    phase = fold(batch, PERIODS)
    turns = (batch.time / PERIODS[batch.row]) - phase
    np.testing.assert_allclose(turns, np.rint(turns), atol=1e-6)
    order = folded_order(phase, batch.offsets)
    assert all((np.diff(phase[order][a:b]) >= 0).all() for a, b in pairwise(batch.offsets))


def spoilt(batch: LightCurveBatch) -> LightCurveBatch:
    """Some epochs without magnitude, some flagged, a repeated time, a lone bright outlier."""
    mag, flags, time = batch.mag.copy(), batch.flags.copy(), batch.time.copy()
    mag[3], mag[90], flags[[5, 200]] = np.nan, 5.0, 4
    same = np.flatnonzero((batch.row == 0) & (batch.band == batch.band[0]))
    time[same[1]] = time[same[0]]
    return replace(batch, mag=mag, flags=flags, time=time)


def test_cuts_count_every_epoch_once(batch):
    dirty = spoilt(batch)
    kept, removed, names = apply_cuts(dirty, NeutralCutConfig())
    np.testing.assert_array_equal(kept.n_epoch + removed.sum(axis=1), dirty.n_epoch)
    gone = dict(zip(names, removed.sum(axis=0).tolist(), strict=True))
    assert gone == {"flagged": 2, **dict.fromkeys(NEUTRAL_CUTS, 0), "finite": 1, "duplicate_time": 1, "outlier": 1}


def test_what_was_cut_stays_cut(batch):
    kept, *_ = apply_cuts(spoilt(batch), NeutralCutConfig())
    again, removed, _ = apply_cuts(kept, NeutralCutConfig())
    assert removed.sum() == 0
    assert all(np.array_equal(getattr(again, f.name), getattr(kept, f.name)) for f in fields(kept) if f.name != "bands")


def test_objects_of_a_survey_are_cut_apart_and_joined(batch):
    """Two objects of one source whose zero points differ by 3 mag: no epoch of either is an outlier."""
    one, other = one_band(batch).select([0]), one_band(batch).select([1])
    pair = concatenate([one, replace(other, source_id=one.source_id, mag=other.mag + 3)])
    joined, removed, first = cut_by_survey(pair, np.array([0, 0]), NeutralCutConfig())
    assert len(joined) == 1 and joined.time.size == pair.time.size and removed.sum() == 0 and first.tolist() == [0]
    assert (np.diff(joined.time) >= 0).all()
    apart, _, first = cut_by_survey(pair, np.array([0, 1]), NeutralCutConfig())
    assert len(apart) == 2 and first.tolist() == [0, 1]
