"""Laws of times: scales undo each other, light travel is bounded, blocks and shapes change nothing."""

import erfa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.lightcurves import times
from tasks.lightcurves.times import AU_DAY, SCALES, direction, light_travel, mjd, rescale, to_barycentre

LAW = settings(max_examples=50, deadline=None)
MJD = st.floats(45_000, 62_000)
POSITION = st.tuples(st.floats(0, 360), st.floats(-90, 90))
SECOND = 1 / 86_400


@LAW
@given(MJD, st.sampled_from(SCALES), st.sampled_from(SCALES), st.sampled_from(SCALES))
def test_scales_undo_each_other_and_do_not_depend_on_the_way(day, first, over, last):
    direct = rescale(day, first, last)
    assert rescale(rescale(day, first, over), over, last) == pytest.approx(direct, abs=5e-6 * SECOND)
    assert rescale(direct, last, first) == pytest.approx(day, abs=5e-6 * SECOND)


@LAW
@given(st.integers(57_800, 60_500))
def test_differences_of_scales_are_the_published_ones(day):
    """37 leap seconds since 2017; TT is 32.184 s ahead of TAI, TDB within 2 ms of TT, TCB ahead since 1977."""
    assert rescale(day, "utc", "tai") - day == pytest.approx(37 * SECOND, abs=2e-6 * SECOND)
    assert rescale(day, "tai", "tt") - day == pytest.approx(32.184 * SECOND, abs=2e-6 * SECOND)
    assert abs(rescale(day, "tt", "tdb") - day) < 2e-3 * SECOND
    ahead = 1.550519768e-8 * (day - 43_144.0003725) + 6.55e-5 * SECOND  # IAU 2006 resolution B3
    assert rescale(day, "tdb", "tcb") - day == pytest.approx(ahead, abs=3e-6 * SECOND)


@LAW
@given(MJD, POSITION, st.sampled_from(["sun", "barycentre"]))
def test_light_takes_no_longer_than_from_one_side_of_the_orbit(day, position, origin):
    delay = light_travel(day, *position, origin)
    assert abs(delay) < 1.018 * AU_DAY + (0.011 * AU_DAY if origin == "barycentre" else 0)
    ra, dec = position
    assert light_travel(day, ra + 180, -dec, origin) == pytest.approx(-delay, abs=1e-12)  # the opposite direction


@LAW
@given(POSITION)
def test_directions_are_unit_vectors(position):
    vector = direction(*position)
    assert np.linalg.norm(vector) == pytest.approx(1) and vector[2] == pytest.approx(np.sin(np.radians(position[1])))
    np.testing.assert_allclose(direction(position[0] + 360, position[1]), vector, atol=1e-12)


def test_delays_are_those_of_the_ephemeris_between_its_days():
    """By the cubic through two days; the ephemeris itself, at each time, is the reference."""
    day = 58_000 + np.random.default_rng(0).uniform(0, 2000, 300)
    ra, dec = np.random.default_rng(1).uniform(0, 360, 300), np.random.default_rng(2).uniform(-90, 90, 300)
    heliocentric, barycentric = erfa.epv00(times.MJD_ZERO, day)
    for origin, earth in (("sun", heliocentric), ("barycentre", barycentric)):
        expected = AU_DAY * np.sum(earth["p"] * direction(ra, dec), axis=-1)
        np.testing.assert_allclose(light_travel(day, ra, dec, origin), expected, rtol=0, atol=1e-6 * SECOND)


def test_blocks_and_shapes_change_nothing(monkeypatch):
    day = 58_000 + np.random.default_rng(0).uniform(0, 900, (7, 3))
    whole = light_travel(day, 10.0, -20.0)
    monkeypatch.setattr(times, "BLOCK", 4)
    np.testing.assert_array_equal(light_travel(day, 10.0, -20.0), whole)
    one_by_one = [[float(light_travel(each, 10.0, -20.0)) for each in row] for row in day]
    np.testing.assert_allclose(whole, one_by_one, rtol=0, atol=1e-15)
    assert light_travel(np.zeros((0,)), 1.0, 2.0).shape == (0,) and rescale(day, "utc", "tcb").shape == (7, 3)


@LAW
@given(MJD, POSITION)
def test_a_time_at_the_barycentre_does_not_depend_on_where_it_was_counted(day, position):
    """Earth, Sun and barycentre: three ways to the same instant."""
    tdb = rescale(day, "utc", "tdb")
    expected = tdb + light_travel(tdb, *position)
    assert to_barycentre(day, *position, to="tdb") == pytest.approx(expected, abs=1e-9 * SECOND)
    assert to_barycentre(expected, *position, "tdb", "barycentre", "tdb") == pytest.approx(expected, abs=1e-12)
    hjd = tdb + light_travel(tdb, *position, "sun")
    assert to_barycentre(hjd, *position, "tdb", "sun", "tdb") == pytest.approx(expected, abs=1e-3 * SECOND)


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_missing_positions_and_times_stay_missing():
    found = to_barycentre([58_000.0, 58_001.0], [np.nan, 10.0], [5.0, 5.0])
    assert np.isnan(found).tolist() == [True, False]
    with pytest.raises(ValueError, match="not 'moon'"):
        light_travel(58_000.0, 1.0, 2.0, "moon")
    np.testing.assert_array_equal(mjd([2_400_000.5, 2_458_000.5]), [0.0, 58_000.0])
