"""The statistics: the extractor is the compiled one, and its values are their definitions."""

import numpy as np
import pytest

from tasks.features.feature import Curves, FeatureConfig
from tasks.features.statistics import NEEDS_ERRORS, NEEDS_TIME, STATISTIC_COLUMNS, compute_statistics, extractor
from tasks.lightcurves import LightCurveBatch

RNG = np.random.default_rng(8)
N = 50
TIME, MAG, ERR = np.sort(RNG.uniform(0, 90, N)), RNG.normal(15, 0.3, N).astype(np.float32), np.full(N, 0.1, np.float32)


def found(time=TIME, mag=MAG, err=ERR, band=None, **config):
    band = np.zeros(len(time)) if band is None else band
    batch = LightCurveBatch.from_epochs(np.zeros(len(time)), time, mag, err, band, None, ("g", "r"))
    return compute_statistics(Curves.of(batch, FeatureConfig(**config)), {})


def test_the_extractor_is_compiled():
    assert type(extractor()).__module__ == "light_curve.light_curve_ext"


def test_every_statistic_has_a_column():
    values = found()
    assert set(values) == {column.name for column in STATISTIC_COLUMNS.values()}
    # linear_trend_sigma is not a feature: the extractor must not shift the others by it
    assert set(STATISTIC_COLUMNS) | {"linear_trend_sigma"} == set(extractor().names)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("amplitude_mag_{band}", np.ptp(MAG) / 2),
        ("std_mag_{band}", np.std(MAG, ddof=1)),
        ("mad_mag_{band}", np.median(np.abs(MAG - np.median(MAG)))),
        ("percent_amplitude_mag_{band}", np.abs(MAG - np.median(MAG)).max()),
        ("eta_{band}", np.sum(np.diff(MAG.astype(float)) ** 2) / ((N - 1) * np.var(MAG, ddof=1))),
        ("reduced_chi2_{band}", np.sum(((MAG - MAG.astype(float).mean()) / 0.1) ** 2) / (N - 1)),
        ("trend_mag_per_day_{band}", np.polyfit(TIME, MAG, 1)[0]),
        ("maximum_slope_mag_per_day_{band}", np.max(np.abs(np.diff(MAG.astype(float)) / np.diff(TIME)))),
        ("stetson_k_{band}", np.mean(np.abs(MAG - MAG.mean())) / np.std(MAG)),
    ],
)
def test_values_are_their_definitions(column, expected):
    assert found()[column][0, 0] == pytest.approx(expected, rel=1e-4)


def test_a_band_without_epochs_enough_is_undefined():
    few = found(TIME[:4], MAG[:4], ERR[:4])
    assert all(np.isnan(value).all() for value in few.values())
    assert all(np.isnan(value[0, 1]) for value in found().values())


def test_without_errors_only_their_statistics_go():
    values = found(err=None)
    undefined = {column.name for name, column in STATISTIC_COLUMNS.items() if name in NEEDS_ERRORS}
    assert {name for name, value in values.items() if np.isnan(value[0, 0])} == undefined


def test_phases_have_no_statistics_of_time():
    values = found(time=np.linspace(0, 0.98, N), has_time=False)
    undefined = {column.name for name, column in STATISTIC_COLUMNS.items() if name in NEEDS_TIME}
    assert {name for name, value in values.items() if np.isnan(value[0, 0])} == undefined


def test_equal_times_are_no_disaster():
    values = found(time=np.full(N, 3.0))
    assert values["std_mag_{band}"][0, 0] == pytest.approx(np.std(MAG, ddof=1), rel=1e-5)
    assert np.isnan(values["maximum_slope_mag_per_day_{band}"][0, 0])
