"""The Gaia tables and epoch photometry, against the sky that they were made of."""

import numpy as np
import pandas as pd
import pytest

from tasks.lightcurves.flags import BAD_QUALITY
from tasks.lightcurves.photometry import flux_to_mag
from tasks.surveys.gaia import SURVEY
from tests.unit.replica.held_sky import N, holdings, query, sky, truth

ZERO_POINT = {band.name: band.zero_points["Vega"] for band in SURVEY.bands}
NAMES = {"G": ("g_transit_time", "g_transit_flux", "g"), "BP": ("bp_obs_time", "bp_flux", "bp"),
         "RP": ("rp_obs_time", "rp_flux", "rp")}  # fmt: skip


def gaia_to_mjd(time):
    """MJD of times that count from BJD 2455197.5 (Gaia DR3 documentation, 20.7)."""
    return np.asarray(time) + 55_197.0


def sky_epochs(survey: str) -> pd.DataFrame:
    batch = sky().epochs[survey]
    columns = {name: getattr(batch, name) for name in ("time", "mag", "mag_err", "band", "flags")}
    return pd.DataFrame({"source_id": batch.source_id[batch.row], **columns})


@pytest.fixture(scope="module")
def transits() -> pd.DataFrame:
    return holdings().epoch_photometry(sky().sources["source_id"].to_numpy()).to_pandas()


@pytest.fixture(scope="module")
def source() -> pd.DataFrame:
    return query("SELECT * FROM gaia_source").set_index("source_id")


@pytest.mark.parametrize("band", NAMES)
def test_every_epoch_of_the_sky_comes_back(transits, band):
    time, flux, low = NAMES[band]
    seen = transits[transits[flux].notna()]
    expected = sky_epochs("gaia").query(f"band == {list(NAMES).index(band)}").sort_values(["source_id", "time"])
    expected = expected[expected.source_id.isin(transits.source_id)].reset_index(drop=True)
    assert seen.source_id.tolist() == expected.source_id.tolist()
    assert np.abs(gaia_to_mjd(seen[time]) - expected.time.to_numpy()).max() * 86400 < 1e-4
    mag, error = flux_to_mag(seen[flux], seen[flux] / seen[f"{flux}_over_error"], ZERO_POINT[band])
    assert np.abs(mag - expected.mag.to_numpy()).max() < 1e-5
    assert np.abs(error / expected.mag_err.to_numpy() - 1).max() < 1e-5
    assert np.allclose(seen[f"{flux}_error"], seen[flux] / seen[f"{flux}_over_error"], rtol=1e-5)
    doubtful = ((expected["flags"] & ~BAD_QUALITY) != 0).to_numpy()
    assert np.array_equal(seen[f"variability_flag_{low}_reject"], doubtful) and doubtful.any()
    bad = ((expected["flags"] & BAD_QUALITY) != 0).to_numpy()
    assert seen.rejected_by_photometry.to_numpy()[bad].all() and bad.any()


def test_a_transit_is_rejected_only_where_a_band_of_it_is_bad(transits):
    bad = sky_epochs("gaia").query("flags % 2 == 1")
    at = np.round(gaia_to_mjd(transits.g_transit_time) * 24).astype(int)  # visits are 106 min apart
    where = {(one, round(time * 24)) for one, time in zip(bad.source_id, bad.time, strict=True)}
    expected = [pair in where for pair in zip(transits.source_id, at, strict=True)]
    assert (transits.rejected_by_photometry == expected).mean() > 0.999  # delays of a band may cross the rounding


def test_transits_are_in_order_with_ids_of_their_own(transits):
    key = transits[["source_id", "g_transit_time"]]
    assert key.equals(key.sort_values(["source_id", "g_transit_time"]))
    assert not transits.duplicated(["source_id", "transit_id"]).any()
    assert transits.g_transit_time.notna().all()
    assert 0.02 < (transits.g_other_flags != 0).mean() < 0.08


def test_some_products_are_empty_though_the_flag_says_otherwise(source, transits):
    has = source.index[source.has_epoch_photometry]
    assert set(has) == set(sky().epochs["gaia"].source_id)
    empty = set(has) - set(transits.source_id)
    assert 0 < len(empty) < 0.012 * N
    assert holdings().epoch_photometry(np.array(list(empty))).num_rows == 0


def test_ids_in_any_order_twice_and_unknown(transits):
    ids = transits.source_id.unique()[[5, 3, 3]]
    found = holdings().epoch_photometry(np.array([*ids, 17, -1])).to_pandas()
    assert found.equals(transits[transits.source_id.isin(ids)].reset_index(drop=True))
    assert holdings().epoch_photometry(np.array([], np.int64)).num_rows == 0


def test_the_mean_flux_is_that_of_the_good_epochs(source):
    epochs = sky_epochs("gaia").query("flags == 0")
    for code, band in enumerate(("g", "bp", "rp")):
        zero = ZERO_POINT[band.upper()]
        flux = 10 ** (-0.4 * (epochs.mag.astype(float) - zero))
        of = flux[epochs.band == code].groupby(epochs.source_id).agg(["mean", "sem", "count"]).query("count > 1")
        got = source.loc[of.index]
        assert np.allclose(got[f"phot_{band}_mean_flux"], of["mean"], rtol=1e-6)
        assert np.allclose(got[f"phot_{band}_mean_flux_error"], of["sem"], rtol=1e-4)
        assert np.allclose(got[f"phot_{band}_mean_mag"], zero - 2.5 * np.log10(of["mean"]), atol=1e-5)
        assert (got[f"phot_{band}_n_obs"] == of["count"] * (9 if band == "g" else 1)).all()
    assert np.abs(source.phot_g_mean_mag - truth().mean_g_mag).quantile(0.99) < 0.6
    assert np.allclose(source.bp_rp, source.phot_bp_mean_mag - source.phot_rp_mean_mag, atol=1e-5, equal_nan=True)


def test_sources_are_those_of_the_sky_and_the_field_stars_beside_them(source):
    own = sky().sources.to_pandas().set_index("source_id")
    assert source.index.is_monotonic_increasing and source.index.is_unique
    for name in ("ra", "dec", "parallax", "pmra", "pmdec"):
        assert np.array_equal(source.loc[own.index, name], own[name])
    field = source.drop(own.index)
    around = truth().query("neighbour_sep_arcsec >= 0.4 and not is_duplicate")
    assert len(field) == (around.mean_g_mag + around.neighbour_delta_g_mag < 21).sum() > 100
    assert not field.has_epoch_photometry.any() and (field.phot_variable_flag == "NOT_AVAILABLE").all()
    assert 0.15 < field.parallax.isna().mean() < 0.45
    assert sorted(source.random_index) == list(range(len(source)))
    assert abs(np.corrcoef(source.random_index, np.arange(len(source)))[0, 1]) < 0.1
    # The pixel of order 12 is the high bits of the id, for all.
    assert (source.designation == "Gaia DR3 " + source.index.astype(str)).all()


def test_each_field_star_is_where_the_truth_says(source):
    from astropy.coordinates import SkyCoord

    around = truth().query("neighbour_sep_arcsec >= 0.4 and not is_duplicate")
    host = source.loc[around.index]
    field = source.drop(truth().index)
    to_field = SkyCoord(host.ra, host.dec, unit="deg").match_to_catalog_sky(SkyCoord(field.ra, field.dec, unit="deg"))[
        1
    ]
    found = np.abs(to_field.arcsec - around.neighbour_sep_arcsec) < 1e-3
    faint = around.mean_g_mag + around.neighbour_delta_g_mag > 21
    assert (found | faint).all()


def test_classes_are_the_labels_and_never_the_truth(source):
    label = sky().class_labels.to_pandas().set_index("source_id")
    variable = label[label["class"] != "CONST"]
    result = query("SELECT * FROM gaia_vari_classifier_result").set_index("source_id")
    served = {
        "RRab": "RR",
        "RRc": "RR",
        "RRd": "RR",
        "CEP": "CEP",
        "T2CEP": "CEP",
        "DSCT_SXPHE": "DSCT|GDOR|SXPHE",
        "ECL": "ECL",
        "MIRA_SR": "LPV",
    }
    assert set(result.index) == set(variable.index)
    assert (result.best_class_name == variable["class"].map(served).loc[result.index]).all()
    assert np.array_equal(result.best_class_score, variable.score.loc[result.index])
    assert set(result.classifier_name) == {"nTransits:5+"}
    own = truth().loc[result.index, "class"].map(served)
    assert 0.01 < (result.best_class_name != own).mean() < 0.2
    assert set(source.index[source.phot_variable_flag == "VARIABLE"]) == set(variable.index)
    assert set(source.index[source.phot_variable_flag == "CONSTANT"]) == set(label.index[label["class"] == "CONST"])


def test_each_published_class_has_its_table():
    label = sky().class_labels.to_pandas().set_index("source_id")["class"]
    rrlyrae = query("SELECT * FROM gaia_vari_rrlyrae").set_index("source_id")
    assert rrlyrae.best_classification.equals(
        label[label.isin(["RRab", "RRc", "RRd"])].loc[rrlyrae.index].rename("best_classification")
    )
    assert set(rrlyrae.index) == set(label.index[label.isin(["RRab", "RRc", "RRd"])])
    assert rrlyrae.pf.notna().equals(rrlyrae.best_classification.isin(["RRab", "RRd"]))
    assert rrlyrae.p1_o.notna().equals(rrlyrae.best_classification.isin(["RRc", "RRd"]))
    cepheid = query("SELECT * FROM gaia_vari_cepheid").set_index("source_id")
    assert cepheid.type_best_classification.map({"DCEP": "CEP", "T2CEP": "T2CEP"}).equals(
        label[label.isin(["CEP", "T2CEP"])].loc[cepheid.index].rename("type_best_classification")
    )
    assert cepheid.mode_best_classification.notna().equals(cepheid.type_best_classification == "DCEP")
    flags = query("SELECT * FROM gaia_vari_summary").set_index("source_id")
    for table, wanted, flag in (
        ("vari_eclipsing_binary", ["ECL"], "in_vari_eclipsing_binary"),
        ("vari_long_period_variable", ["MIRA_SR"], "in_vari_long_period_variable"),
        ("vari_rrlyrae", ["RRab", "RRc", "RRd"], "in_vari_rrlyrae"),
        ("vari_cepheid", ["CEP", "T2CEP"], "in_vari_cepheid"),
    ):
        ids = set(query(f"SELECT source_id FROM gaia_{table}").source_id)
        assert ids == set(label.index[label.isin(wanted)]) == set(flags.index[flags[flag]])


def test_periods_are_near_the_truth_where_the_class_is_right():
    label = sky().class_labels.to_pandas().set_index("source_id")["class"]
    main = (
        query("""
        SELECT source_id, coalesce(p1_o, pf) AS period FROM gaia_vari_rrlyrae
        UNION ALL SELECT source_id, coalesce(pf, p1_o) FROM gaia_vari_cepheid
        UNION ALL SELECT source_id, 1 / frequency FROM gaia_vari_eclipsing_binary
        UNION ALL SELECT source_id, 1 / frequency FROM gaia_vari_long_period_variable""")
        .set_index("source_id")
        .period
    )
    own = truth().loc[main.index]
    right = label.loc[main.index] == own["class"]
    near = np.abs(main / own.period_day - 1) < 1e-4
    alias = np.abs(1 / main - 1 / own.period_day - 1.0027) < 1e-2
    assert (near | alias)[right].all() and 0.005 < alias[right & (own["class"] != "MIRA_SR")].mean() < 0.05
    assert not (main == own.period_day).any()
    assert not near[~right].any() and main[~right].between(0.04, 700).all()
    double = query("SELECT source_id, pf, p1_o FROM gaia_vari_rrlyrae WHERE best_classification = 'RRd'")
    assert (double.p1_o / double.pf).between(0.5, 0.9).all()


def test_parameters_are_the_labels_with_their_errors():
    labels = sky().parameter_labels.to_pandas().query("origin == 'gaia_dr3'")
    table = query("SELECT * FROM gaia_astrophysical_parameters").set_index("source_id")
    for column, quantity in (("teff_gspphot", "teff_k"), ("radius_gspphot", "radius_rsun"), ("mh_gspspec", "feh_dex")):
        label = labels.query(f"quantity == '{quantity}' and not is_photometric").set_index("source_id")
        got = table[column].dropna()
        assert set(got.index) == set(label.index)
        assert np.allclose(got, label.value.loc[got.index], rtol=1e-6)
        half = (table[f"{column}_upper"] - table[f"{column}_lower"]).loc[got.index] / 2
        assert np.allclose(half, label.err.loc[got.index], rtol=1e-3)
        own = truth().loc[got.index, quantity]
        assert not np.isclose(got, own, rtol=1e-6, atol=0).any()
    metal = (
        query("SELECT source_id, metallicity, metallicity_error FROM gaia_vari_rrlyrae").set_index("source_id").dropna()
    )
    label = labels[labels.is_photometric].set_index("source_id").loc[metal.index]
    assert len(metal) > 100 and np.allclose(metal.metallicity, label.value, rtol=1e-6)
    assert np.allclose(metal.metallicity_error, label.err, rtol=1e-6)


def test_dr2_ids():
    table = query("SELECT * FROM gaia_dr2_neighbourhood")
    first = table.sort_values("angular_distance").drop_duplicates("dr3_source_id").set_index("dr3_source_id")
    n_sources = len(query("SELECT source_id FROM gaia_source"))
    assert 0.003 < 1 - len(first) / n_sources < 0.02
    assert 0.015 < (len(table) - len(first)) / n_sources < 0.045
    own = first[~first.index.isin(truth().index[truth().is_duplicate])]
    assert 0.12 < (own.dr2_source_id != own.index).mean() < 0.18
    assert own.dr2_source_id.is_unique
    second = table.drop(table.index[table.dr2_source_id.isin(first.dr2_source_id)])
    assert (second.magnitude_difference.abs() > 0.4).all() and (first.magnitude_difference.abs() < 0.1).all()
    twins = truth()[truth().is_duplicate]
    twins = twins[twins.index.isin(first.index) & twins.duplicate_of.isin(first.index)]
    shared = first.dr2_source_id.loc[twins.index].to_numpy() == first.dr2_source_id.loc[twins.duplicate_of].to_numpy()
    assert 0 < shared.sum() < len(shared)
