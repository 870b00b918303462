"""Times of a file as days, and the sentence for a file that counts in something else than it declares."""

import re

import numpy as np
import pytest

from schemas import BadInput
from schemas.dataset import DatasetSpec
from tasks.folder.timescale import JD_FROM, MAX_SPAN_DAY, SCALES, check_scale, check_step, days, in_range


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


@pytest.mark.parametrize("scale", SCALES)
def test_the_right_scale_passes_and_a_wrong_one_is_told_it(scale):
    one = spec(time_unit=scale.unit, time_zero=scale.zero)
    median = (58_400.0 - one.zero_mjd) / float(days(np.array([1.0]), spec(time_unit=scale.unit))[0])
    check_scale(one, median, median, median, "f")
    assert one.zero_mjd == pytest.approx(scale.zero_mjd)
    wrong = spec(time_zero="mjd" if scale.zero == "jd" else "jd")
    with pytest.raises(BadInput, match=rf'time_unit = "{scale.unit}" and .*time_zero = "{scale.zero}"'):
        check_scale(wrong, median, median, median, "f")


@pytest.mark.parametrize(("declared", "median", "zeros"), [
    ("bjd", 1_900.0, ["bjd-2450000", "bjd-2457000", "bjd-2455197.5", "bjd-2440000"]),
    ("bjd", 800.0, ["bjd-2450000", "bjd-2454833", "bjd-2440000"]),
    ("hjd", 57_000.0, ["mjd", "hjd-2400000"]),
    ("jd", 57_000.0, ["mjd", "jd-2400000"]),
    ("mjd", 8_000.0, ["jd-2450000", "jd-2440000"]),
])  # fmt: skip
def test_every_zero_point_that_fits_is_named(declared, median, zeros):
    with pytest.raises(BadInput) as caught:
        check_scale(spec(time_zero=declared), median, median, median, "f")
    named = set(re.findall(r'time_zero = "([^"]+)"', str(caught.value).partition(": the values")[2]))
    assert set(zeros) <= named and "the one that the file counts from" in str(caught.value)
    assert ('"bjd-2457000" (TESS)' in str(caught.value)) == ("bjd-2457000" in zeros)


@pytest.mark.parametrize("declared", ["bjd", "hjd", "jd", "mjd"])
@pytest.mark.parametrize("median", [1.0, 500.0, 1_900.0, 12_000.0, 57_000.0, 2_458_000.0, 5e9, 1.5e9])
def test_what_is_advised_is_accepted(declared, median):
    try:
        check_scale(spec(time_zero=declared), median, median, median, "f")
    except BadInput as error:
        advice = str(error).partition(": the values")[2]
        for unit, zeros in re.findall(r'time_unit = "(\w+)" and (.*?)(?=, or time_unit| in dataset)', advice):
            for zero in re.findall(r'time_zero = "([^"]+)"', zeros):
                check_scale(spec(time_zero=zero, time_unit=unit), median, median, median, "f")


def test_coarse_steps_are_refused_and_small_ones_noted():
    with pytest.raises(BadInput, match=r"column 'time' are stored as numbers of 32 bits, in steps of 0.25 d"):
        check_step(spec(time_zero="jd"), 0.25, "a/f.parquet")
    with pytest.raises(BadInput, match=r"in steps of 7\.3 d"):
        check_step(spec(time_unit="yr"), 0.02, "f")
    assert "0.25 d" in check_step(spec(coarse_time=True), 0.25, "a/f.parquet")[0]
    assert check_step(spec(), 2.0**-8, "a/f.parquet") == [
        "The times of f.parquet are stored as numbers of 32 bits, in steps of 0.0039 d."
    ]
    assert check_step(spec(time_unit="s"), 32.0, "f") == check_step(spec(), 0.0, "f") == []


def test_a_scale_that_nothing_fits_asks_for_the_truth():
    with pytest.raises(BadInput, match=r'MJD 1e\+12: set the time_unit .* "arbitrary" where it is unknown'):
        check_scale(spec(time_zero="mjd"), 1e12, 1e12, 1e12, "f")


@pytest.mark.parametrize(("unit", "span", "advice"), [("d", 1e6, "s"), ("yr", 1e5, "h"), ("yr", 1e8, "min")])
def test_centuries_without_a_zero_are_a_shorter_unit(unit, span, advice):
    with pytest.raises(BadInput, match=f'spans .* years: .* set time_unit = "{advice}"'):
        check_scale(spec(time_unit=unit), 0.0, span / 2, span, "f")
    check_scale(spec(time_unit="d"), 0.0, 10.0, MAX_SPAN_DAY, "f")
    with pytest.raises(BadInput, match="some times look like JD, the others count from another zero"):
        check_scale(spec(time_unit="d"), 1800.0, 58000.0, 2.4587e6, "f")
    with pytest.raises(BadInput, match='set time_unit = "s"'):
        check_scale(spec(time_unit="d"), 0.0, 1.22e6, 2.44e6, "f")
