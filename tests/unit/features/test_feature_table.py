"""The table of features: its columns, its nulls, and what it makes of hard inputs."""

import numpy as np
import pyarrow as pa
import pytest

from tasks import features
from tasks.features import (
    FEATURES,
    INPUTS,
    FeatureConfig,
    colour_columns,
    colour_definitions,
    compute_colours,
    compute_features,
    feature_columns,
)
from tasks.features.feature import Feature, band_pairs
from tasks.lightcurves import LightCurveBatch
from tasks.lightcurves.series import PeriodConfig

BANDS = ("g", "r", "i")
CONFIG = FeatureConfig(period=PeriodConfig(f_max=6.0))


@pytest.fixture(scope="module")
def batch() -> LightCurveBatch:
    """A pulsator of period 0.6 day in all bands, one in g alone, a single epoch, nothing, and equal times."""
    rng = np.random.default_rng(4)
    counts = [180, 60, 1, 0, 20]
    row = np.repeat(np.arange(5), counts)
    time, band = rng.uniform(0, 80, row.size), rng.integers(0, 3, row.size)
    band[row == 1] = 0
    time[row == 4] = 5.0
    amplitude = np.array([0.5, 0.35, 0.25])[band]
    angle = 2 * np.pi * time / 0.6
    mag = 15 - 0.3 * band + amplitude * (np.cos(angle) + 0.4 * np.cos(2 * angle + 2.0)) + rng.normal(0, 0.01, row.size)
    return LightCurveBatch(
        np.arange(5),
        np.concatenate([[0], np.cumsum(counts)]),
        time,
        mag,
        np.full(row.size, 0.01),
        band,
        np.zeros(row.size),
        BANDS,
    )


@pytest.fixture(scope="module")
def table(batch) -> pa.Table:
    return compute_features(batch, CONFIG)


def test_columns_are_the_declared_ones(table):
    declared = feature_columns(BANDS, CONFIG)
    assert table.column_names == ["source_id", *(column.name for column in declared)]
    assert all(table.schema.field(column.name).equals(column.field(), check_metadata=True) for column in declared)
    assert len(set(table.column_names)) == len(table.column_names)


def test_undefined_is_null_and_never_nan(table):
    for name in table.column_names[1:]:
        known = table[name].drop_null().to_numpy()
        assert np.isfinite(known).all(), name
        assert not np.any(known == -999), name


def test_nothing_is_known_of_nothing(table):
    last = table.slice(3, 1).to_pylist()[0]
    assert {name for name, value in last.items() if value is not None} == {
        "source_id",
        *(f"n_{what}_{band}" for what in ("epoch", "error") for band in BANDS),
    }


def test_a_signal_is_described(table):
    star = table.slice(0, 1).to_pylist()[0]
    assert star["period_day"] == pytest.approx(0.6, rel=1e-3)
    assert star["fourier_amplitude_mag_g"] == pytest.approx(0.5, abs=0.01)
    assert star["r21_r"] == pytest.approx(0.4, abs=0.03)
    assert star["phi21_rad_g"] == pytest.approx(2.0, abs=0.1)
    assert star["shared_r21"] == pytest.approx(0.4, abs=0.05)
    assert star["log_amplitude_ratio_g_i"] == pytest.approx(np.log10(2), abs=0.02)
    assert star["fourier_colour_mag_g_r"] == pytest.approx(0.3, abs=0.02)
    assert star["period_r2"] > 0.98 > 0.5 > star["half_period_r2"]
    assert star["folded_eta_g"] < 0.2 < star["eta_g"]
    assert star["scatter_ratio_g"] < 0.1


def test_missing_bands_are_null(table):
    star = table.slice(1, 1).to_pylist()[0]
    assert star["period_day"] == pytest.approx(0.6, rel=1e-3)
    assert star["n_epoch_r"] == 0
    assert star["mean_mag_r"] is star["r21_r"] is star["colour_mag_g_r"] is None


def test_phases_have_no_period_but_a_shape():
    rng = np.random.default_rng(6)
    phase = rng.uniform(0, 1, 90)
    mag = 15 + 0.4 * np.cos(2 * np.pi * phase) + 0.1 * np.cos(4 * np.pi * phase + 1)
    batch = LightCurveBatch.from_epochs(np.ones(90), phase, mag, None, np.zeros(90), None, ("G",))
    star = compute_features(batch, FeatureConfig(has_time=False)).to_pylist()[0]
    assert star["period_day"] is star["timespan_day"] is star["alternation"] is star["reduced_chi2_G"] is None
    assert star["r21_G"] == pytest.approx(0.25, abs=0.01)
    assert star["std_mag_G"] > 0


def test_minima_tell_eclipsing_binaries():
    time = np.sort(np.random.default_rng(0).uniform(0, 60, 400))
    phase = time / 1.7 % 1
    mag = 14.0 + sum(depth * np.exp(-0.5 * ((phase - at) / 0.05) ** 2) for depth, at in ((0.8, 0.3), (0.4, 0.8)))
    batch = LightCurveBatch.from_epochs(np.ones(400), time, mag, np.full(400, 0.01), np.zeros(400), None, ("G",))
    star = compute_features(batch, CONFIG).to_pylist()[0]
    assert star["period_day"] == pytest.approx(1.7, rel=1e-3)
    assert 0.3 < star["minima_ratio"] < 0.7
    assert star["alternation"] < 0.1


def test_colours_at_the_extremes_and_of_the_two_minima():
    """A star that is bluer when bright, and eclipses of unlike stars: in r the other minimum is deeper than in g."""
    rng = np.random.default_rng(2)
    time, band = rng.uniform(0, 60, 800), rng.integers(0, 2, 800)
    angle = 2 * np.pi * time / 0.73
    pulsator = 15 - 0.3 * band + np.where(band == 0, 0.5, 0.3) * np.cos(angle + 1.0)
    first, other = (np.exp(-0.5 * (((time / 0.73 - at + 0.5) % 1 - 0.5) / 0.07) ** 2) for at in (0.2, 0.7))
    binary = 15 - 0.3 * band + np.where(band == 0, 0.7, 0.5) * first + np.where(band == 0, 0.2, 0.3) * other
    batch = LightCurveBatch.from_epochs(
        np.repeat([0, 1], 800), np.tile(time, 2), np.concatenate([pulsator, binary]), np.full(1600, 0.01),
        np.tile(band, 2), None, ("g", "r"),
    )  # fmt: skip
    star, eclipsing = compute_features(batch, CONFIG).to_pylist()
    assert star["bright_colour_mag_g_r"] == pytest.approx(0.3 - 0.2, abs=0.01)
    assert star["faint_colour_mag_g_r"] == pytest.approx(0.3 + 0.2, abs=0.01)
    assert star["minima_colour_mag_g_r"] is None
    assert eclipsing["period_day"] == pytest.approx(0.73, rel=1e-3)
    assert eclipsing["faint_colour_mag_g_r"] == pytest.approx(0.3 + 0.2, abs=0.02)
    assert eclipsing["minima_colour_mag_g_r"] == pytest.approx(0.2 + 0.1, abs=0.03)


def test_epochs_without_a_number_are_ignored(batch, table):
    spoiled = batch.mag.copy()
    spoiled[0] = np.nan
    without = compute_features(
        LightCurveBatch(
            batch.source_id, batch.offsets, batch.time, spoiled, batch.mag_err, batch.band, batch.flags, BANDS
        ),
        CONFIG,
    )
    assert sum(without[f"n_epoch_{band}"][0].as_py() for band in BANDS) == 179
    assert without["period_day"][0].as_py() == pytest.approx(0.6, rel=1e-3)


def test_features_come_after_what_they_need(monkeypatch):
    names = [feature.name for feature in features.order_features()]
    assert names.index("period") < names.index("fourier")
    monkeypatch.setitem(
        FEATURES, "lonely", Feature("lonely", (), lambda curves, earlier: {}, "none", needs=("nowhere",))
    )
    with pytest.raises(ValueError, match="lonely need columns of one another"):
        features.order_features()


def test_pairs_are_neighbours_and_the_ends():
    assert band_pairs(("a",)) == ()
    assert band_pairs(("a", "b")) == ((0, 1),)
    assert band_pairs(("a", "b", "c")) == ((0, 1), (1, 2), (0, 2))


def test_colours_of_mean_photometry():
    table = compute_colours(np.array([[15.0, 14.5, np.nan], [np.nan] * 3]), BANDS)
    assert table.column_names == [column.name for column in colour_columns(BANDS)]
    assert table.to_pylist()[0] == {
        "mean_mag_g": 15.0,
        "mean_mag_r": 14.5,
        "mean_mag_i": None,
        "colour_mag_g_r": 0.5,
        "colour_mag_g_i": None,
        "colour_mag_r_i": None,
    }
    assert all(value is None for value in table.to_pylist()[1].values())
    with pytest.raises(ValueError, match="there are 3 bands"):
        compute_colours(np.zeros((2, 2)), BANDS)


def test_units_and_ucds_are_valid():
    from astropy.io.votable.ucd import check_ucd
    from astropy.units import Unit

    for column in (*feature_columns(BANDS), *colour_columns(BANDS)):
        Unit(column.unit, format="vounit")
        assert check_ucd(column.ucd, check_controlled_vocabulary=True), f"{column.name}: {column.ucd}"
        assert column.doc.endswith("."), column.name


def test_each_survey_has_a_shape_of_its_own_where_there_are_several(batch):
    config = FeatureConfig(groups=(0, 0, 1), surveys=("first", "other"), period=PeriodConfig(f_max=6.0))
    star = compute_features(batch.select([0]), config).to_pylist()[0]
    assert star["shared_amplitude_mag_first"] == pytest.approx(0.42, abs=0.03)  # of g and r
    assert star["shared_amplitude_mag_other"] == pytest.approx(0.25, abs=0.02)
    assert star["shared_r21_other"] == pytest.approx(0.4, abs=0.08)
    alone = batch.keep(batch.band != 2)
    without = compute_features(alone.select([0]), config).to_pylist()[0]
    assert without["shared_amplitude_mag_other"] is None
    one = {column.name for column in feature_columns(BANDS, FeatureConfig(surveys=("only",)))}
    assert not any(name.endswith("_only") for name in one)


def test_the_surveys_of_the_sky_have_hundreds_of_columns():
    bands = ("G", "BP", "RP", "g_ps1", "r_ps1", "i_ps1", "z_ps1", "y_ps1", "g_ztf", "r_ztf", "i_ztf")
    config = FeatureConfig(surveys=("gaia", "ps1", "ztf"), inputs=INPUTS)
    names = [column.name for column in feature_columns(bands, config)]
    assert len(names) == len(set(names)) > 500
    assert len(feature_columns(("V",))) >= 100


def test_mean_photometry_with_inputs_has_luminosities_and_dereddened_colours():
    bands, config = ("G", "BP", "mine"), FeatureConfig(inputs=INPUTS)
    known = {"parallax": np.array([2.0, -0.5]), "parallax_error": np.array([0.1, 0.1]), "ebv": np.array([0.1, np.nan])}
    table = compute_colours(np.array([[15.0, 15.5, 14.0], [16.0, 16.5, 15.0]]), bands, config, known)
    assert table.column_names == [column.name for column in colour_columns(bands, config)]
    assert table["parallax_over_error"].to_pylist() == pytest.approx([20.0, -5.0])
    absolute = 15.0 + 5 * np.log10(2.0) - 10  # of a parallax of 2 mas
    assert table["luminosity_root_G"].to_pylist() == pytest.approx([10 ** (0.2 * absolute), -0.5 * 10**1.2], rel=1e-6)
    a_g, a_bp = config.extinctions(("G", "BP"))
    assert table["colour0_mag_G_BP"].to_pylist() == [pytest.approx(-0.5 - 0.1 * (a_g - a_bp), abs=1e-6), None]
    assert table["luminosity_root0_G"][0].as_py() == pytest.approx(10 ** (0.2 * (absolute - 0.1 * a_g)), rel=1e-6)
    assert table["colour0_mag_G_mine"].null_count == 2  # nobody knows the extinction of the band
    assert table["luminosity_root_mine"].null_count == 0
    assert colour_definitions(config) != colour_definitions(FeatureConfig())
