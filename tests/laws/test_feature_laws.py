"""Laws over every registered feature: a new one is held to them as soon as it is in FEATURES."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.features import FEATURES, INPUTS, FeatureConfig, order_features
from tasks.features.feature import Curves
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig
from tests.laws.curve_strategies import batches, shuffled

LAW = settings(max_examples=12, deadline=None)
GRAIN = 2.0**-18  # mag: multiples of it are exact in float32 below 64 mag
CONFIG = FeatureConfig(
    groups=(0, 0, 1),
    surveys=("one", "other"),
    inputs=INPUTS,
    second_period=True,
    period=PeriodConfig(f_max=4.0, n_candidates=2, refine=(2, 4)),
)


def values(name: str, batch: LightCurveBatch, config: FeatureConfig = CONFIG) -> dict[str, np.ndarray]:
    """What the feature called `name` gives, with what it needs computed before it."""
    curves, found = Curves.of(batch, config, objects(batch)), {}
    for feature in order_features():
        if feature.name == name:
            return dict(feature.compute(curves, found))
        if set(FEATURES[name].needs) & {column.name for column in feature.columns}:
            found |= feature.compute(curves, found)
    raise KeyError(name)


def objects(batch: LightCurveBatch) -> dict[str, np.ndarray]:
    """What is known of each object beside its light curve: made of its id, here and there nothing."""
    drawn = [np.random.default_rng(source).normal(3, 2, len(INPUTS)) for source in batch.source_id.tolist()]
    values = np.array(drawn).reshape(len(batch), len(INPUTS))
    return {name: np.where(value > 5, np.nan, np.abs(value)) for name, value in zip(INPUTS, values.T, strict=True)}


def assert_same(first: dict, second: dict, rtol: float = 1e-6, atol: float = 1e-9) -> None:
    assert set(first) == set(second)
    for name, value in first.items():
        np.testing.assert_allclose(second[name], value, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches())
def test_batch_equals_one_by_one(name, batch):
    together = values(name, batch)
    alone = [values(name, batch.select([i])) for i in range(len(batch))]
    assert_same(together, {column: np.concatenate([one[column] for one in alone]) for column in together})


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches(), seed=st.integers(0, 99))
def test_order_of_objects_does_not_matter(name, batch, seed):
    order = np.random.default_rng(seed).permutation(len(batch))
    together = values(name, batch)
    assert_same({column: value[order] for column, value in together.items()}, values(name, batch.select(order)))


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches(), seed=st.integers(0, 99))
def test_order_of_epochs_does_not_matter(name, batch, seed):
    assert_same(values(name, batch), values(name, shuffled(batch, seed)))


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches(min_epochs=25), days=st.integers(-2000, 2000))
def test_zero_point_of_time_does_not_matter(name, batch, days):
    shifted = replace(batch, time=batch.time + days)
    first, second = values(name, batch), values(name, shifted)
    for column in [column for column in first if "_rad_" in column]:  # 0 and 2 pi are the same angle
        turned = np.angle(np.exp(1j * (second.pop(column) - first.pop(column))))
        np.testing.assert_allclose(turned, np.zeros_like(turned) * turned, atol=1e-4, err_msg=column)
    assert_same(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches(), shift=st.sampled_from([-3, -1, 1, 8]))
def test_a_constant_magnitude_moves_what_it_should(name, batch, shift):
    mag = np.round(batch.mag.astype(float) / GRAIN) * GRAIN  # shifted without rounding
    first, second = values(name, replace(batch, mag=mag)), values(name, replace(batch, mag=mag + shift))
    feature = FEATURES[name]
    for column in feature.columns:
        if column.name in feature.of_zero_point:
            assert not np.isfinite(first[column.name]).any() or not np.allclose(
                first[column.name], second[column.name], equal_nan=True, rtol=1e-6, atol=0
            ), f"{column.name} does not depend on the zero point"
            del first[column.name], second[column.name]
        elif column.ucd.startswith("phot.mag"):
            first[column.name] = first[column.name] + shift
    assert_same(first, second, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches(), seed=st.integers(0, 99), part=st.sampled_from(["mag", "time"]))
def test_a_masked_epoch_has_no_influence(name, batch, seed, part):
    rng = np.random.default_rng(seed)
    added = rng.integers(0, 9, len(batch))  # epochs that each object gets more of, without a magnitude or a time
    row = np.concatenate([batch.row, np.repeat(np.arange(len(batch)), added)])
    n = int(added.sum())
    more = {"time": 55_000 + rng.uniform(-500, 500, n), "mag": rng.uniform(0, 30, n), "mag_err": rng.uniform(0, 1, n),
            "band": rng.integers(0, len(batch.bands), n), "flags": np.zeros(n)}  # fmt: skip
    more[part] = np.full(n, np.nan)
    order = np.lexsort((rng.random(row.size), row))
    epochs = {column: np.concatenate([getattr(batch, column), value])[order] for column, value in more.items()}
    masked = replace(batch, offsets=np.concatenate([[0], np.cumsum(batch.n_epoch + added)]), **epochs)
    assert_same(values(name, batch), values(name, masked))


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches())
def test_bands_without_epochs_change_nothing(name, batch):
    before = values(name, batch)
    more = values(name, replace(batch, bands=(*batch.bands, "u", "z")), replace(CONFIG, groups=(*CONFIG.groups, 1, 1)))
    for column in FEATURES[name].columns:
        value = more[column.name]
        if "{pair}" in column.name:
            continue  # which pairs there are depends on the bands
        kept = value[:, : len(batch.bands)] if "{band}" in column.name else value
        assert_same({column.name: before[column.name]}, {column.name: kept})


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches())
def test_float32_input_changes_nothing(name, batch):
    wide = replace(batch, mag=batch.mag.astype(np.float64), mag_err=batch.mag_err.astype(np.float64))
    assert wide.mag.dtype == np.float32  # what a batch holds, whatever it was given
    first, second = values(name, batch), values(name, wide)
    for column in first:
        np.testing.assert_array_equal(first[column], second[column], err_msg=column)


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches(), scale=st.sampled_from([1e-5, 1.0, 100.0]), offset=st.sampled_from([-20.0, 0.0, 12.0]))
def test_values_fit_into_float32(name, batch, scale, offset):
    stretched = replace(batch, time=batch.time * scale, mag=batch.mag + np.float32(offset))
    for column, value in values(name, stretched).items():
        finite = np.isfinite(value)
        with np.errstate(over="raise"):
            single = np.asarray(value)[finite].astype(np.float32)
        np.testing.assert_allclose(single, np.asarray(value)[finite], rtol=1e-6, atol=1e-37, err_msg=column)


@pytest.mark.parametrize("name", FEATURES)
@LAW
@given(batch=batches())
def test_declared_columns_are_what_comes_and_within_their_range(name, batch):
    found = values(name, batch)
    assert set(found) == {column.name for column in FEATURES[name].columns}
    for column in FEATURES[name].columns:
        value = np.asarray(found[column.name], float)
        assert len(value) == len(batch)
        low, high = column.range or (None, None)
        known = value[np.isfinite(value)]
        assert low is None or np.all(known >= low - 1e-9), column.name
        assert high is None or np.all(known <= high + 1e-9), column.name
        assert column.nullable or np.isfinite(value).all(), column.name
