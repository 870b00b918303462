"""The registry: which families are computed, which again, and what their columns were computed with."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.column import Column
from tasks import features
from tasks.features import (
    FEATURES,
    INPUTS,
    FeatureConfig,
    compute_features,
    declared_columns,
    definitions,
    feature_columns,
    inputs_of,
    keep_independent,
    list_outdated,
    order_features,
    select_features,
    to_nullable,
)
from tasks.features.feature import Feature, expand, pair_difference
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig

BANDS = ("g", "r")
FULL = FeatureConfig(inputs=INPUTS, second_period=True)
QUICK = FeatureConfig(period=PeriodConfig(f_max=3.0))
NEED_PERIOD = {name for name, feature in FEATURES.items() if "period_day" in feature.needs}


@pytest.fixture(scope="module")
def batch() -> LightCurveBatch:
    rng = np.random.default_rng(2)
    row, time = np.repeat([3, 8], 70), rng.uniform(0, 40, 140)
    mag = 15 + 0.3 * np.cos(2 * np.pi * time / 1.3) + rng.normal(0, 0.02, 140)
    return LightCurveBatch.from_epochs(row, time, mag, np.full(140, 0.02), rng.integers(0, 2, 140), None, BANDS)


def names_of(config: FeatureConfig) -> set[str]:
    return {feature.name for feature in select_features(config)}


def test_a_family_is_left_out_where_its_inputs_or_its_setting_are_not_there():
    assert names_of(FULL) == set(FEATURES)
    assert set(FEATURES) - names_of(replace(FULL, second_period=False)) == {"prewhitened"}
    without = {name for name, feature in FEATURES.items() if "ebv" in feature.inputs}
    assert set(FEATURES) - names_of(replace(FULL, inputs=tuple(set(INPUTS) - {"ebv"}))) == without != set()


@settings(max_examples=30, deadline=None)
@given(st.permutations(list(FEATURES)))
def test_whatever_the_order_of_the_registry_needs_come_first(order):
    registry = {name: FEATURES[name] for name in order}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "FEATURES", registry)
        before: set[str] = set()
        for feature in order_features():
            assert set(feature.needs) <= before
            before |= {column.name for column in feature.columns}


def test_nothing_is_outdated_in_a_row_of_today():
    assert list_outdated(definitions(FULL), FULL) == ()
    assert set(list_outdated("", FULL)) == set(FEATURES)


@pytest.mark.parametrize(("changed", "expected"), [("walk", {"walk"}), ("period", {"period", *NEED_PERIOD})])
def test_a_changed_family_takes_those_that_need_it_along(changed, expected):
    stored = definitions(FULL).replace(f"{changed}:{FEATURES[changed].version}", f"{changed}:0")
    assert set(list_outdated(stored, FULL)) == expected


def test_a_family_that_was_taken_out_makes_no_work():
    assert list_outdated(definitions(FULL) + " forgotten:3", FULL) == ()
    assert list_outdated(definitions(replace(FULL, second_period=False)), FULL) == ("prewhitened",)


def test_some_families_have_the_values_that_they_have_among_all(batch):
    """With what they need read from a table, in an order of the registry's own."""
    whole = compute_features(batch, QUICK)
    known = {"period_day": whole["period_day"].to_numpy()}
    some = compute_features(batch, QUICK, families=("folded", "photometry"), known=known)
    expected = [column.name for column in feature_columns(BANDS, QUICK, ("folded", "photometry"))]
    assert some.column_names == ["source_id", *expected]
    assert some.equals(whole.select(some.column_names))


def test_objects_without_a_value_for_an_input_have_nulls(batch):
    config = replace(QUICK, inputs=INPUTS)
    table = compute_features(batch, config, {"ruwe": np.array([1.2, np.nan])}, families=("gaia",))
    assert table["ruwe"].to_pylist() == [pytest.approx(1.2), None] and table["pm"].null_count == 2


def test_every_concrete_column_leads_to_its_declared_one():
    declared = declared_columns(BANDS, ("one", "other"))
    config = replace(FULL, surveys=("one", "other"), groups=(0, 1))
    assert {column.name for column in feature_columns(BANDS, config)} <= set(declared)
    assert declared["r21_g"].name == "r21_{band}" and declared["shared_r21_other"].name == "shared_r21_{survey}"
    assert declared["colour_mag_g_r"].name == "colour_mag_{pair}"


def test_columns_of_the_source_of_the_labels_are_left_out():
    declared = declared_columns(BANDS)
    ebv = declared["ebv"].derived_from
    kept = keep_independent(("ebv", "colour0_mag_g_r", "ruwe", "period_day", "nobody"), declared, ebv)
    assert kept == ("ruwe", "period_day")
    assert keep_independent(("ebv",), declared, ()) == ("ebv",)


def test_inputs_are_those_that_the_columns_were_computed_with():
    declared = declared_columns(BANDS)
    assert inputs_of(("period_day", "std_mag_g"), declared) == ()
    assert inputs_of(("colour0_mag_g_r", "pm"), declared) == ("ebv", "pmdec", "pmra")


def test_what_is_not_finite_or_does_not_fit_is_null():
    values = np.array([1.5, np.nan, np.inf, -np.inf, 1e300, 1e-300])
    assert to_nullable(values, pa.float32()).to_pylist() == [1.5, None, None, None, None, 0.0]
    assert to_nullable(values, pa.float64()).null_count == 3


def column(name: str) -> Column:
    return Column(name, pa.float32(), "Something.", nullable=True)


def test_declared_columns_expand_in_the_order_of_their_axis():
    bands = ("a", "b", "c")
    assert [each.name for each in expand(column("x_{band}"), bands)] == ["x_a", "x_b", "x_c"]
    assert [each.name for each in expand(column("x_{pair}"), bands)] == ["x_a_b", "x_b_c", "x_a_c"]
    assert [each.name for each in expand(column("x_{survey}"), bands, ("s", "t"))] == ["x_s", "x_t"]
    assert expand(column("x_{survey}"), bands, ("s",)) == () and expand(column("x"), bands) == (column("x"),)
    assert expand(column("x_{band}"), bands)[1].doc == "Something. Band b."


def test_differences_of_pairs_are_in_the_order_of_their_columns():
    assert pair_difference(np.array([[1.0, 3.0, np.nan]]), ("a", "b", "c"))[0, 0] == -2
    assert np.isnan(pair_difference(np.array([[1.0, 3.0, np.nan]]), ("a", "b", "c"))[0, 1:]).all()
    assert pair_difference(np.ones((4, 1)), ("a",)).shape == (4, 0)


def test_a_family_that_needs_itself_is_refused(monkeypatch):
    loop = Feature("loop", (column("x"),), lambda curves, earlier: {}, "none.", needs=("x",))
    monkeypatch.setitem(FEATURES, "loop", loop)
    with pytest.raises(ValueError, match="loop need columns of one another"):
        order_features()
