"""The parts of families by hand: folded curves, minima, means, walks and timescales where there is little to see."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import find_peaks

from tasks.features.colours import colour_columns, compute_colours
from tasks.features.feature import MEAN_ERROR_FLOOR, Curves, FeatureConfig
from tasks.features.folded import compute_folded, cumulative_range, squared_steps
from tasks.features.fourier import compute_fourier, other_minimum
from tasks.features.metallicity import METALLICITIES, compute_metallicity, relation
from tasks.features.photometry import compute_photometry
from tasks.features.prewhitened import compute_prewhitened
from tasks.features.sequence import LAST, MAX_LAG, compute_sequence
from tasks.features.shared import alternation, minima_ratio
from tasks.features.timescales import EDGES, compute_timescales, hat_power, structure_function
from tasks.features.walk import TAU_MIN, TAU_SPANS, compute_walk, minus_log_likelihood
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig

LAW = settings(max_examples=40, deadline=None)
GRID = np.arange(128) / 128


def curves_of(time, mag, err=0.01, band=None, bands=("g",), row=None, **config) -> Curves:
    time = np.asarray(time, float)
    row, band = (np.zeros(time.size, int) if value is None else value for value in (row, band))
    err = None if err is None else np.broadcast_to(err, time.shape)
    return Curves.of(LightCurveBatch.from_epochs(row, time, mag, err, band, None, bands), FeatureConfig(**config))


# -- folded curves -----------------------------------------------------------------------------------------------------


@LAW
@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(0, 99))
def test_steps_and_ranges_are_those_of_each_slice(counts, seed):
    offsets = np.concatenate([[0], np.cumsum(counts)])
    values = np.random.default_rng(seed).normal(size=offsets[-1])
    slices = [values[a:b] - (values[a:b].mean() if b > a else 0) for a, b in pairwise(offsets)]
    centred = np.concatenate(slices)
    steps = np.concatenate([(np.roll(part, -1) - part) ** 2 for part in slices])
    np.testing.assert_allclose(squared_steps(centred, offsets), steps, atol=1e-12)
    ranges = [np.ptp(np.cumsum(part)) if part.size else 0.0 for part in slices]
    np.testing.assert_allclose(cumulative_range(centred, offsets), ranges, atol=1e-9)


def test_the_right_period_is_smoother_than_another():
    time = np.random.default_rng(0).uniform(0, 50, 90)
    curves = curves_of(time, 15 + np.sin(2 * np.pi * time / 0.7))
    right, wrong = (compute_folded(curves, {"period_day": np.array([period])}) for period in (0.7, 0.93))
    assert right["folded_eta_{band}"][0, 0] < 0.1 < wrong["folded_eta_{band}"][0, 0]
    assert right["folded_cusum_{band}"][0, 0] > wrong["folded_cusum_{band}"][0, 0]


@pytest.mark.parametrize("lack", ["no period", "few epochs", "no scatter"])
def test_a_folded_curve_of_nothing_is_undefined(lack):
    time = np.arange(4.0 if lack == "few epochs" else 30.0)
    mag = np.full(time.size, 15.0) if lack == "no scatter" else 15 + np.cos(time)
    found = compute_folded(curves_of(time, mag), {"period_day": np.array([np.nan if lack == "no period" else 0.7])})
    assert all(np.isnan(value).all() for value in found.values())


# -- minima of series --------------------------------------------------------------------------------------------------


@LAW
@given(st.integers(0, 999), st.integers(0, 127))
def test_the_other_minimum_is_the_highest_peak_far_from_the_highest(seed, turn):
    """Against scipy's search; and it turns with the curve."""
    rng = np.random.default_rng(seed)
    curve = sum(rng.normal() * np.cos(2 * np.pi * k * GRID + rng.uniform(0, 6)) for k in range(1, 5))
    place, exists = other_minimum(curve[None])
    away = np.abs((np.arange(128) - np.argmax(curve) + 64) % 128 - 64)
    peaks = find_peaks(np.tile(curve, 3))[0]
    peaks = np.unique(peaks[(peaks >= 128) & (peaks < 256)] % 128)
    peaks = peaks[away[peaks] > 0.2 * 128]
    assert exists[0] == (peaks.size > 0)
    if exists[0]:
        assert place[0] == peaks[np.argmax(curve[peaks])]
        assert other_minimum(np.roll(curve, turn)[None])[0][0] == (place[0] + turn) % 128


@pytest.mark.parametrize(("distance", "exists"), [(0.15, False), (0.18, False), (0.23, True), (0.85, False)])
def test_a_minimum_beside_the_deepest_is_part_of_it(distance, exists):
    """Nearer than a fifth of the period, to either side: a bump in the descent, not the other eclipse."""
    narrow = [np.exp(-0.5 * (((GRID - at + 0.5) % 1 - 0.5) / 0.02) ** 2) for at in (0.4, 0.4 + distance)]
    place, found = other_minimum((narrow[0] + 0.5 * narrow[1])[None])
    assert found[0] == exists and (not exists or abs(place[0] / 128 - 0.4 - distance) < 0.01)


@LAW
@given(st.integers(0, 127), st.floats(0.1, 5), st.floats(-3, 20))
def test_minima_do_not_depend_on_phase_scale_or_zero_point(turn, scale, zero):
    curve = 0.8 * np.exp(-0.5 * ((GRID - 0.3) / 0.05) ** 2) + 0.3 * np.exp(-0.5 * ((GRID - 0.8) / 0.05) ** 2)
    both = np.stack([curve, np.roll(curve, turn) * scale + zero])
    for statistic in (minima_ratio, alternation):
        first, second = statistic(both)
        assert second == pytest.approx(first, abs=1e-6) and 0 < first < 1


def test_one_minimum_has_no_second():
    single = np.cos(2 * np.pi * GRID)[None]
    assert minima_ratio(single)[0] == 0 and not other_minimum(single)[1][0]
    assert alternation(single)[0] == pytest.approx(0, abs=0.01)  # cut at the brightest point: both halves reach it
    assert np.isnan(alternation(np.zeros((1, 128)))[0])


@pytest.mark.parametrize("turn", [0.0, 0.31])
def test_the_shape_of_a_sawtooth(turn):
    """A rise in a fifth of the period; light curves are of magnitudes, so the brightest point is the lowest."""
    time = np.random.default_rng(1).uniform(0, 60, 400)
    phase = (time / 0.8 + turn) % 1
    mag = 15 + np.where(phase < 0.2, 1 - phase / 0.2, (phase - 0.2) / 0.8)
    found = compute_fourier(curves_of(time, mag), {"period_day": np.array([0.8])})
    assert found["rise_phase_{band}"][0, 0] == pytest.approx(0.2, abs=0.06)
    assert found["acuteness_{band}"][0, 0] == pytest.approx(1.0, abs=0.1)
    assert found["fourier_range_mag_{band}"][0, 0] == pytest.approx(1, abs=0.1)


# -- means and colours -------------------------------------------------------------------------------------------------


def test_means_are_weighted_with_a_floor_and_times_span():
    mag, err = np.array([15.0, 16.0, 14.0]), np.array([0.01, 0.1, 0.02])
    found = compute_photometry(curves_of([3.0, 9.5, 4.0], mag, err, [0, 0, 1], ("g", "r")), {})
    weight = 1 / (err[:2] ** 2 + MEAN_ERROR_FLOOR**2)
    expected = np.average(mag[:2], weights=weight)
    np.testing.assert_allclose(found["mean_mag_{band}"][0], [expected, 14.0], rtol=1e-6)
    assert found["colour_mag_{pair}"][0, 0] == pytest.approx(expected - 14, rel=1e-6)
    assert found["n_epoch_{band}"][0].tolist() == found["n_error_{band}"][0].tolist() == [2, 1]
    assert found["timespan_day"][0] == 6.5


@LAW
@given(st.integers(1, 5), st.integers(0, 4), st.integers(0, 99))
def test_colours_are_the_differences_of_every_pair(n_band, n_row, seed):
    rng, bands = np.random.default_rng(seed), tuple("ugriz"[:n_band])
    mags = np.where(rng.random((n_row, n_band)) < 0.3, np.nan, rng.uniform(10, 20, (n_row, n_band)))
    table = compute_colours(mags, bands)
    assert table.num_columns == len(colour_columns(bands)) == n_band * (n_band + 1) // 2
    for a in range(n_band):
        for b in range(a + 1, n_band):
            found = table[f"colour_mag_{bands[a]}_{bands[b]}"].to_numpy()
            np.testing.assert_allclose(found, (mags[:, a] - mags[:, b]).astype(np.float32), rtol=1e-5, atol=1e-5)


# -- order of epochs, timescales, walks --------------------------------------------------------------------------------


def test_a_slow_series_remembers_for_as_long_as_is_looked():
    """A straight line is correlated for long, noise is not; the last steps of a rise all count."""
    line = compute_sequence(curves_of(np.arange(1000.0), np.linspace(14, 16, 1000)), {})
    assert line["autocorrelation_length_{band}"][0, 0] == MAX_LAG
    assert line["pair_slope_trend_{band}"][0, 0] == pytest.approx((LAST - 1) / LAST)
    noise = compute_sequence(curves_of(np.arange(400.0), np.random.default_rng(0).normal(15, 1, 400)), {})
    assert noise["autocorrelation_length_{band}"][0, 0] == 1
    flat = compute_sequence(curves_of(np.arange(40.0), np.full(40, 15.0)), {})
    assert np.isnan(flat["autocorrelation_length_{band}"][0, 0]) and flat["con_{band}"][0, 0] == 0


def test_a_structure_function_of_a_power_law_has_its_slope():
    """Brownian motion: squared differences grow with the lag."""
    rng, time = np.random.default_rng(4), np.arange(0.0, 4000.0)
    mag = np.cumsum(rng.normal(0, 0.01, time.size))
    amplitude, slope = structure_function(time, mag, np.zeros(time.size))
    assert slope == pytest.approx(0.5, abs=0.1) and amplitude == pytest.approx(0.01 * np.sqrt(365), rel=0.3)
    assert np.isnan(structure_function(time[:4], mag[:4], np.zeros(4))).all()  # no lag of 5 days
    one_bin = structure_function(np.array([0.0, EDGES[0] * 1.01]), np.array([0.0, 1.0]), np.zeros(2))
    assert np.isnan(one_bin).all()


def test_noise_alone_has_no_power_at_any_timescale():
    rng, time = np.random.default_rng(5), np.sort(np.random.default_rng(6).uniform(0, 900, 500))
    noise = np.full(500, 0.03**2)
    power = [hat_power(time, rng.normal(1, 0.03, 500), noise, 100.0) for _ in range(40)]
    assert abs(np.mean(power)) < 3 * np.std(power) / np.sqrt(40) + 1e-12
    slow, fast = (hat_power(time, 1 + 0.1 * np.cos(2 * np.pi * time / day), noise, 100.0) for day in (100, 10))
    assert slow > 30 * np.std(power) and slow > 5 * fast


@pytest.mark.parametrize("compute", [compute_timescales, compute_walk])
@pytest.mark.parametrize("lack", ["errors", "one error", "time", "epochs", "spread"])
def test_without_errors_time_or_epochs_there_are_no_timescales(compute, lack):
    n = 4 if lack == "epochs" else 60
    time = np.full(n, 7.0) if lack == "spread" else np.linspace(0, 1 if lack == "time" else 300, n, endpoint=False)
    err = np.full(n, np.nan if lack == "errors" else 0.02)
    err[3] = np.nan if lack == "one error" else err[3]
    mag = 15 + np.random.default_rng(0).normal(0, 0.3, n)
    found = compute(curves_of(time, mag, err, has_time=lack != "time"), {})
    assert all(np.isnan(value).all() for value in found.values())
    whole = compute(curves_of(np.linspace(0, 300, 60), 15 + np.random.default_rng(0).normal(0, 0.3, 60), 0.02), {})
    assert any(np.isfinite(value).all() for value in whole.values())


def test_walks_stay_within_what_is_searched():
    """White noise has no memory, a slow rise more than can be told."""
    time, rng = np.sort(np.random.default_rng(1).uniform(0, 100, 80)), np.random.default_rng(2)
    white = compute_walk(curves_of(time, 15 + rng.normal(0, 0.3, 80)), {})
    slow = compute_walk(curves_of(time, 15 + time / 50), {})
    tau = [found["drw_tau_day_{band}"][0, 0] for found in (white, slow)]
    assert 0.99 * TAU_MIN <= tau[0] < 1.5 and 20 < tau[1] <= 1.01 * TAU_SPANS * np.ptp(time)
    assert white["iar_phi_{band}"][0, 0] < 0.5 < slow["iar_phi_{band}"][0, 0] <= 1
    assert np.isnan(compute_walk(curves_of(time, np.full(80, 15.0)), {})["drw_tau_day_{band}"][0, 0])


@LAW
@given(st.integers(2, 40), st.integers(0, 99))
def test_walks_side_by_side_are_each_their_own(n, seed):
    rng = np.random.default_rng(seed)
    time, y, noise = np.sort(rng.uniform(0, 50, n)), rng.normal(0, 0.2, n), rng.uniform(1e-4, 1e-2, n)
    variance = np.array([0.01, 0.2, 3.0])
    together = minus_log_likelihood(time, y, noise, variance, 4.0)
    alone = [minus_log_likelihood(time, y, noise, variance[[k]], 4.0)[0] for k in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


# -- [Fe/H] and second periods -----------------------------------------------------------------------------------------


@LAW
@given(st.floats(0.4, 0.9), st.floats(0, 2 * np.pi), st.integers(-3, 3))
def test_the_metallicity_does_not_depend_on_the_turn_of_the_phase(period, phase, turns):
    first, second = relation(np.full(2, period), phase + 2 * np.pi * np.array([0, turns]), np.zeros(2))[0]
    assert second == pytest.approx(first, abs=1e-9) and abs(first + 1.5) < 1.65 * np.pi + 1e-6


def test_a_star_without_the_band_or_the_period_has_no_metallicity():
    time = np.random.default_rng(0).uniform(0, 60, 90)
    mag = 15 + 0.4 * np.cos(2 * np.pi * time / 0.57) + 0.2 * np.cos(4 * np.pi * time / 0.57 + 2)
    for band, period in (("g", 0.57), ("G", np.nan)):
        found = compute_metallicity(curves_of(time, mag, bands=(band,)), {"period_day": np.array([period])})
        assert set(found) == {f"feh_{kind}_{what}" for kind in ("rrab", "rrc") for what in ("dex", "error")}
        assert all(np.isnan(value).all() for value in found.values())
    assert METALLICITIES[0] < -1.5 < METALLICITIES[1]


def test_the_second_period_is_given_over_the_first():
    time, first, second = np.random.default_rng(3).uniform(0, 200, 300), 0.54, 0.402
    mag = 15 + 0.3 * np.cos(2 * np.pi * time / first) + 0.1 * np.cos(2 * np.pi * time / second)
    curves = curves_of(time, mag, period=PeriodConfig(f_max=4.0))
    found = compute_prewhitened(curves, {"period_day": np.array([first])})
    assert found["prewhitened_period_day"][0] == pytest.approx(second, rel=1e-4)
    assert found["prewhitened_period_ratio"][0] == pytest.approx(second / first, rel=1e-4)
    assert found["prewhitened_amplitude_mag"][0] == pytest.approx(0.1, rel=0.1)
