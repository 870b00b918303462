"""Why features are null, counted: stars made to lack one thing each."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from tasks.features import FEATURES, INPUTS, FeatureConfig, compute_features, select_features
from tasks.features import nulls as why
from tasks.features.feature import candidate_names, expand
from tasks.features.nulls import null_reasons
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig

BANDS = ("g", "r")
CONFIG = FeatureConfig(inputs=INPUTS, period=PeriodConfig(f_max=3.0))
COUNTS = {
    "whole": (60, 60),
    "no r": (60, 0),
    "few r": (60, 3),
    "no errors in r": (60, 60),
    "short": (5, 0),
    "none": (0, 0),
}


@pytest.fixture(scope="module")
def batch() -> LightCurveBatch:
    rng = np.random.default_rng(1)
    row = np.repeat(np.arange(len(COUNTS)), [sum(pair) for pair in COUNTS.values()])
    band = np.concatenate([np.repeat([0, 1], pair) for pair in COUNTS.values()])
    time = rng.uniform(0, 50, row.size)
    err = np.where((row == 3) & (band == 1), np.nan, 0.02)
    mag = 15 + 0.3 * np.cos(2 * np.pi * time / 1.7) + rng.normal(0, 0.02, row.size)
    counts = np.bincount(row, minlength=len(COUNTS))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return LightCurveBatch(np.arange(len(COUNTS)), offsets, time, mag, err, band, np.zeros(row.size), BANDS)


def counted(batch, config=CONFIG):
    objects = {name: np.where(np.arange(len(batch)) == 0, 3.0, np.nan) for name in INPUTS}
    return null_reasons(compute_features(batch, config, objects), select_features(config), BANDS, config)


def test_each_lack_is_named(batch):
    found = counted(batch)
    # "no r", "short" and "none" have no epoch in r; "few r" has three
    assert {reason: n for (column, reason), n in found.items() if column == "std_mag_r"} == {
        why.NO_EPOCH: 3, why.FEW: 1}  # fmt: skip
    assert {reason: n for (column, reason), n in found.items() if column == "drw_tau_day_r"} == {
        why.NO_EPOCH: 3, why.FEW: 1, why.NO_ERROR: 1}  # fmt: skip
    assert {reason: n for (column, reason), n in found.items() if column == "period_day"} == {
        why.NO_EPOCH: 1, why.FEW_FOR_PERIOD: 1}  # fmt: skip
    assert {reason: n for (column, reason), n in found.items() if column == "folded_eta_g"} == {
        why.NO_EPOCH: 1, why.FEW_FOR_PERIOD: 1}  # fmt: skip
    assert {reason: n for (column, reason), n in found.items() if column == "ruwe"} == {why.NO_INPUT: 5}
    assert {reason: n for (column, reason), n in found.items() if column == "colour_mag_g_r"} == {why.NO_EPOCH: 3}
    assert not any(column == "n_epoch_g" for column, _ in found)


def test_every_null_is_counted_once(batch):
    table = compute_features(batch, CONFIG, {name: np.full(len(batch), np.nan) for name in INPUTS})
    found = null_reasons(table, select_features(CONFIG), BANDS, CONFIG)
    for name in table.column_names[1:]:
        assert sum(n for (column, _), n in found.items() if column == name) == table[name].null_count, name
    halves = null_reasons(table.slice(0, 3), select_features(CONFIG), BANDS, CONFIG) + null_reasons(
        table.slice(3), select_features(CONFIG), BANDS, CONFIG
    )
    assert halves == found


def test_folded_curves_have_no_time(batch):
    folded = replace(batch.select([0]), time=batch.select([0]).time % 1)
    found = counted(folded, replace(CONFIG, has_time=False))
    assert found["period_day", why.PHASES] == found["timespan_day", why.PHASES] == 1
    assert ("folded_eta_g", why.PHASES) not in found


@pytest.mark.parametrize("name", [name for name, feature in FEATURES.items() if feature.of_errors])
def test_what_needs_errors_is_declared(batch, name):
    """Of the star without errors in r, the declared columns are null there, and in g they are not."""
    table = compute_features(batch.select([3]), CONFIG)
    declared = set(FEATURES[name].of_errors)
    assert declared <= {column.name for column in FEATURES[name].columns}
    for column in declared:
        assert table[column.format(band="r")][0].as_py() is None, column
    assert any(table[column.format(band="g")][0].as_py() is not None for column in declared)


def test_an_empty_table_has_no_nulls():
    nothing = compute_features(LightCurveBatch.from_epochs([], [], [], [], [], None, BANDS), CONFIG)
    assert isinstance(nothing, pa.Table) and null_reasons(nothing, select_features(CONFIG), BANDS, CONFIG) == {}


def test_what_needs_times_is_declared():
    """The columns that no star has a value of when the times are phases, and some when they are not: these alone."""
    rng = np.random.default_rng(2)
    row, band = np.repeat(np.arange(12), 80), np.tile([0, 1], 480)
    phase = rng.uniform(0, 1, row.size)
    mag = 15 + 0.3 * np.sin(2 * np.pi * phase) + 0.1 * np.sin(4 * np.pi * phase) + rng.normal(0, 0.02, row.size)
    cycle = rng.integers(0, 80, row.size)
    config = replace(CONFIG, surveys=("one", "two"), groups=(0, 1), second_period=True)
    tables = []
    for time, has_time in ((phase, False), ((cycle + phase) * 0.7, True)):
        curves = LightCurveBatch.from_epochs(row, time, mag, np.full(row.size, 0.02), band, None, BANDS)
        tables.append(compute_features(curves, replace(config, has_time=has_time)))
    folded, timed = ({name for name in each.column_names if each[name].null_count < 12} for each in tables)
    declared = {
        column.name
        for feature in FEATURES.values()
        for each in feature.columns
        if each.name in feature.of_times
        for column in expand(each, BANDS, config.surveys)
    }
    rare = {name for each in FEATURES["period"].columns for name in candidate_names(each)[1:]}
    assert timed - folded - rare == declared - rare and not folded & declared
