"""Names of columns: which words are recognised, in which spellings, and what the name of a time says."""

import pytest

from schemas import BadInput
from schemas.dataset import DatasetSpec
from schemas.recognition import (
    BAND,
    ID,
    LABEL,
    MAG,
    ZEROS,
    TimeName,
    find_column,
    find_time,
    fold,
    is_recognised,
    read_time_name,
)


@pytest.mark.parametrize("name", [
    "filterid", "fid", "phot_filter", "passband", "Filter", "FILTER_ID", "filter id", "photFilter", "Bandpass",
])  # fmt: skip
def test_names_of_bands(name):
    assert find_column(BAND, ["mag", name], "") == name


@pytest.mark.parametrize("name", ["Type", "VarType", "class", "Variability Type", "LABEL", "var-type"])
def test_names_of_classes(name):
    assert find_column(LABEL, ["ra", name, "sp_type", "subtype"], "") == name


@pytest.mark.parametrize("name", ["SpType", "typed", "classes", "period", "", "filter_mag", "__"])
def test_other_names_are_none(name):
    assert find_column((*LABEL, *BAND, *MAG), [name], "") is None and read_time_name(name) is None


def test_words_come_in_their_order_and_the_exact_name_before_others():
    assert find_column(MAG, ["magnitude", "Mag"], "") == "Mag"
    assert find_column(MAG, ["MAG", "mag", "Mag"], "") == "mag"
    with pytest.raises(BadInput, match=r"^lightcurves\.mag may be any of 'MAG', 'Mag', which .*say which"):
        find_column(MAG, ["MAG", "Mag", "magnitude"], "lightcurves.mag")


@pytest.mark.parametrize("name, zero", [
    *ZEROS.items(), ("HJD-2450000", "hjd-2450000"), ("hjd_minus_2450000", "hjd-2450000"), ("obs_mjd", "mjd"),
    ("BJD - 2457000.0", "bjd-2457000.0"), ("BJD_TDB", "bjd"), ("mjd-50000", "jd-2450000.5"), ("ObsMJD", "mjd"),
    ("MJD (TAI)", "mjd"), ("jd2000", None), ("mjdx", None), ("hjd_err", None),
])  # fmt: skip
def test_a_date_says_its_zero_point(name, zero):
    said = read_time_name(name)
    assert (said and said.zero) == zero
    if zero:
        assert said.unit == "d" and DatasetSpec(name="x", time_zero=zero, bands=[{"name": "g"}]).zero_mjd is not None


@pytest.mark.parametrize("name, unit", [
    ("time", "d"), ("Time", "d"), ("times", "d"), ("t", "d"), ("time_days", "d"), ("time (s)", "s"), ("obs_time", "d"),
    ("time_minutes", "min"), ("t_hr", "h"), ("time_yr", "yr"), ("exp_time", None), ("timestamp", None), ("dt", None),
])  # fmt: skip
def test_a_plain_time_may_say_its_unit(name, unit):
    assert read_time_name(name) == (TimeName("arbitrary", unit, len(ZEROS)) if unit else None)


def test_dates_come_before_plain_times():
    assert find_time(["t", "HJD", "mag"], "") == "HJD" and find_time(["mag"], "") is None
    assert find_time(["Time", "time", "mag"], "") == "time"
    with pytest.raises(BadInput, match=r"lightcurves\.time may be any of 'HJD', 'Hjd'"):
        find_time(["HJD", "Hjd", "time"], "lightcurves.time")


def test_a_name_is_its_letters_and_digits():
    assert fold("Mag_Err 2") == fold("mag-err2") == "magerr2" and fold("±") == ""


@pytest.mark.parametrize(
    "name, known", [("MagErr", True), ("hjd", True), ("type", True), ("cam", False), ("fid", False)]
)
def test_what_is_recognised_as_something_else_than_a_band(name, known):
    assert is_recognised(name) is known


def test_names_of_rubin():
    names = ["diaObjectId", "midpointMjdTai", "psfFlux"]
    assert find_column(ID, names, "") == "diaObjectId" and find_time(names, "") == "midpointMjdTai"
    assert read_time_name("midpointMjdTai").zero == "mjd"
