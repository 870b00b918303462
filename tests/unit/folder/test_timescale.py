"""Times of a file as days, and the sentence for a file that counts in something else than it declares."""

import numpy as np
import pytest

from schemas import BadInput
from schemas.dataset import DatasetSpec
from tasks.folder.timescale import JD_FROM, MAX_SPAN_DAY, SCALES, check_scale, days, in_range


def spec(**scale):
    """A mapping with this scale of times."""
    return DatasetSpec.model_validate({"name": "t", "bands": [{"name": "V"}], **scale})


@pytest.mark.parametrize(("unit", "factor"), [("d", 1), ("h", 24), ("min", 1440), ("s", 86400), ("yr", 1 / 365.25)])
def test_every_unit_becomes_days(unit, factor):
    np.testing.assert_allclose(days(np.array([2.5 * factor]), spec(time_unit=unit)), [2.5])


def test_phases_are_left_as_they_are():
    phases = np.array([-0.5, 0.0, 1.5])
    assert days(phases, spec(kind="phase")) is phases


def test_only_julian_dates_among_mjd_are_moved():
    one = spec(time_zero="mjd", mixed_jd=True)
    assert days(np.array([58000.0, 2458001.0, JD_FROM]), one).tolist() == [58000.0, 58000.5, JD_FROM]


@pytest.mark.parametrize(
    ("scale", "good", "bad"),
    [
        ({"kind": "phase"}, [-1.0, 2.0], [-1.1, 2.1, np.nan]),
        ({"time_zero": "mjd"}, [-50_000.0, 100_000.0], [-50_001.0, 100_001.0, np.nan]),
        ({}, [500 - MAX_SPAN_DAY, 500 + MAX_SPAN_DAY], [501 - 2 * MAX_SPAN_DAY, 501 + MAX_SPAN_DAY, np.nan]),
    ],
)
def test_times_have_ends(scale, good, bad):
    assert in_range(np.array(good), spec(**scale), 500.0).all()
    assert not in_range(np.array(bad), spec(**scale), 500.0).any()


@pytest.mark.parametrize(("unit", "zero", "zero_mjd"), SCALES)
def test_the_right_scale_passes(unit, zero, zero_mjd):
    one = spec(time_unit=unit, time_zero=zero)
    median = (58_000.0 - one.zero_mjd) / float(days(np.array([1.0]), spec(time_unit=unit))[0])
    check_scale(one, median, median, median, "f")
    assert one.zero_mjd == pytest.approx(zero_mjd)


def test_a_scale_that_nothing_fits_asks_for_the_truth():
    with pytest.raises(BadInput, match=r'MJD 1e\+12: set the time_unit .* "arbitrary" where it is unknown'):
        check_scale(spec(time_zero="mjd"), 1e12, 1e12, 1e12, "f")


@pytest.mark.parametrize(("unit", "span", "advice"), [("d", 1e6, "s"), ("yr", 1e5, "h"), ("yr", 1e8, "min")])
def test_centuries_without_a_zero_are_a_shorter_unit(unit, span, advice):
    with pytest.raises(BadInput, match=f'spans .* years: .* set time_unit = "{advice}"'):
        check_scale(spec(time_unit=unit), 0.0, span / 2, span, "f")
    check_scale(spec(time_unit="d"), 0.0, 10.0, MAX_SPAN_DAY, "f")
