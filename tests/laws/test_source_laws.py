"""Laws about where values come from: features declare their sources, and no regressor reads those of its labels."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from schemas import TABLES, Column
from tasks import features, surveys
from tasks.features import (
    FEATURES,
    INPUTS,
    Feature,
    FeatureConfig,
    compute_features,
    declared_columns,
    feature_columns,
    keep_independent,
)
from tasks.lightcurves import LightCurveBatch
from tasks.surveys import SURVEYS, sources_of_labels
from tasks.surveys.survey import LabelOrigin

BANDS, NAMES = ("G", "BP", "g_ps1"), ("gaia", "ps1")
CONFIG = FeatureConfig(groups=(0, 0, 1), surveys=NAMES, inputs=INPUTS)
ORIGINS = [origin for survey in SURVEYS.values() for origin in survey.label_origins]
OWN = "core_tic__source.tmag"
CATALOGUES = ("core_gaia__source", "core_tic__source", "core_sample__input")


def value_path(name: str) -> str:
    """The input of features called `name` as "table.column"."""
    return next(TABLES[table].path_of(name) for table in CATALOGUES if name in TABLES[table].columns_by_name)


def computed(changed: str = "") -> dict[str, np.ndarray]:
    """Every feature of four stars, with one of the inputs twelve times as large."""
    rng = np.random.default_rng(5)
    star, time = np.repeat(np.arange(4), 90), rng.uniform(0, 300, 360)
    mag = 15 + 0.3 * np.sin(time * (2.1 + star)) + rng.normal(0, 0.01, 360)
    batch = LightCurveBatch.from_epochs(star, time, mag, np.full(360, 0.01), np.arange(360) % 3, None, BANDS)
    known = {name: rng.uniform(1, 2, 4) * (0.05 if name == "parallax_error" else 1) for name in INPUTS}
    if changed:
        known[changed] = 12 * known[changed]
    table = compute_features(batch, CONFIG, known)
    return {name: table[name].to_numpy() for name in table.column_names[1:]}


@pytest.fixture(scope="module")
def before():
    """Every feature with the inputs as they are."""
    return computed()


@pytest.mark.parametrize("name", INPUTS)
def test_a_feature_declares_the_catalogue_values_that_it_reads_and_no_others(name, before):
    after = computed(name)
    moved = {column for column in before if not np.array_equal(before[column], after[column], equal_nan=True)}
    declared = {c.name for c in feature_columns(BANDS, CONFIG) if c.shares_source([value_path(name)])}
    assert moved == declared and declared


@pytest.mark.parametrize("feature", FEATURES.values(), ids=FEATURES)
def test_sources_are_columns_of_tables(feature):
    for column in feature.columns:
        for table, _, name in (value.partition(".") for value in column.derived_from):
            assert TABLES[table].path_of(name) in column.derived_from
        assert set(column.derived_from) <= {value_path(name) for name in INPUTS}


@pytest.mark.parametrize("origin", ORIGINS, ids=lambda origin: origin.name)
def test_no_regressor_reads_what_its_labels_were_derived_from(origin):
    declared = declared_columns(BANDS, NAMES)
    read = keep_independent(declared, declared, sources_of_labels([origin.name]))
    assert not [name for name in read if set(declared[name].derived_from) & set(origin.derived_from)]
    left_out = set(declared) - set(read)
    assert bool(left_out) == bool(origin.derived_from)
    for table, _, name in (value.partition(".") for value in origin.derived_from):
        assert TABLES[table].path_of(name) in origin.derived_from


def test_a_regressor_of_labels_of_the_tic_lacks_these_columns_alone():
    declared = declared_columns(BANDS, NAMES)
    read = keep_independent(declared, declared, sources_of_labels(["gaia_dr3", "tic"]))
    left_out = {declared[name].name for name in set(declared) - set(read)}
    assert left_out == {"ebv", "colour0_mag_{pair}", "abs_mag_g0", "luminosity_root0_{band}"}
    assert keep_independent(declared, declared, sources_of_labels(["gaia_dr3", "gaia_dr3_sos", "objects"])) == tuple(
        declared
    )


def test_origins_have_names_of_their_own():
    assert len({origin.name for origin in ORIGINS}) == len(ORIGINS) >= 3


def test_a_column_that_nobody_declares_is_read_by_no_regressor():
    declared = declared_columns(BANDS, NAMES)
    assert keep_independent(["colour_mag_G_BP", "of_an_older_version"], declared, ()) == ("colour_mag_G_BP",)


def test_every_column_that_is_computed_stands_for_a_declared_one(before):
    declared = declared_columns(BANDS, NAMES)
    assert set(before) <= set(declared)
    assert declared["colour_mag_BP_g_ps1"].name == "colour_mag_{pair}" and "colour_mag_G_g_ps1" in declared


def test_a_new_feature_made_of_the_labels_source_is_left_out_without_another_edit(monkeypatch):
    column = Column("tmag_excess", pa.float32(), "x.", "mag", "phot.mag", nullable=True, derived_from=(OWN,))
    new = Feature(
        "excess", (column, replace(column, name="harmless", derived_from=())), lambda curves, earlier: {}, "x"
    )
    monkeypatch.setitem(features.FEATURES, new.name, new)
    origin = LabelOrigin("fifth", derived_from=(TABLES["core_tic__source"].path_of("tmag"),))
    monkeypatch.setitem(surveys.SURVEYS, "fifth", replace(SURVEYS["tic"], name="fifth", label_origins=(origin,)))
    declared = declared_columns(BANDS, NAMES)
    read = keep_independent(declared, declared, sources_of_labels(["fifth"]))
    assert "tmag_excess" not in read and "harmless" in read
    assert "tmag_excess" in keep_independent(declared, declared, sources_of_labels(["tic"]))
