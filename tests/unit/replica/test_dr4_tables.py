"""Gaia DR4 beside DR3: its tables, what moved, and what its switches change."""

import json
from collections import Counter

import numpy as np
import pytest
import requests

from tasks.replica.dr4 import declared
from tasks.replica.dr4.sources import LAST_ID
from tasks.replica.served import read_columns
from tests.unit.replica.dr4_sky import adql, ask_tap, reset, served_dr4, switch
from tests.unit.replica.served_sky import Server


@pytest.fixture(scope="module")
def served():
    with served_dr4() as server:
        server.state.limits.row_caps["gaia_tap"] = (100_000, 3_000_000)
        yield server


@pytest.fixture
def server(served: Server):
    reset(served)
    served.state.limits.row_caps["gaia_tap"] = (100_000, 3_000_000)
    yield served
    reset(served)


def test_tap_schema_tells_every_table_and_column(server):
    schemas = adql(server, "SELECT schema_name FROM TAP_SCHEMA.schemas")["schema_name"].to_pylist()
    assert {"gaiadr3", "gaiadr4", "TAP_SCHEMA"} == set(schemas)
    tables = adql(server, "SELECT table_name FROM TAP_SCHEMA.tables WHERE schema_name = 'gaiadr4'")
    names = {name.removeprefix("gaiadr4.") for name in tables["table_name"].to_pylist()}
    assert names == {table.name.removeprefix("gaiadr4.") for table in declared.TABLES}
    assert not names & {"gaia_source_lite", "astrophysical_parameters", "dr2_neighbourhood"}
    of_g = adql(server, "SELECT * FROM TAP_SCHEMA.columns WHERE table_name = 'gaiadr4.gaia_source'")
    assert len(of_g) == 123 and of_g["column_name"].to_pylist() == [one.name for one in read_columns("dr4_gaia_source")]
    assert dict(Counter(of_g["datatype"].to_pylist()))["BIGINT"] == 7


def test_tap_schema_marks_arrays_and_knows_itself(server):
    arrays = adql(
        server,
        "SELECT table_name, column_name, datatype FROM TAP_SCHEMA.columns "
        "WHERE arraysize = '*' AND datatype <> 'VARCHAR'",
    ).to_pylist()
    assert {"table_name": "gaiadr4.vari_long_period_variable", "column_name": "frequencies", "datatype": "DOUBLE"} in (
        arrays
    )
    own = adql(server, "SELECT column_name FROM TAP_SCHEMA.columns WHERE table_name = 'TAP_SCHEMA.schemas'")
    assert own["column_name"].to_pylist() == ["schema_name", "utype", "description"]


@pytest.mark.parametrize("table", declared.TABLES, ids=lambda table: table.name)
def test_every_table_has_the_columns_that_are_promised(server, table):
    rows = adql(server, f"SELECT TOP 3 * FROM {table.name}")
    assert rows.column_names == [column.name for column in table.columns]
    filled = adql(server, f"SELECT COUNT(*) AS n FROM {table.name}")["n"][0].as_py()
    assert filled > 0


def test_positions_are_those_of_2017(server):
    rows = adql(
        server,
        "SELECT n.ra, n.dec, n.ref_epoch, o.ra AS ra3, o.dec AS dec3, o.pmra, o.pmdec FROM gaiadr4.gaia_source AS n "
        "JOIN gaiadr3.gaia_source AS o ON o.source_id = n.source_id WHERE o.pmra IS NOT NULL",
    ).to_pandas()
    assert (rows["ref_epoch"] == 2017.5).all() and len(rows) > 200
    east = (rows["ra"] - rows["ra3"]) * np.cos(np.radians(rows["dec"])) * 3.6e6
    north = (rows["dec"] - rows["dec3"]) * 3.6e6
    far = np.abs(rows["dec"]) < 80
    np.testing.assert_allclose(east[far], 1.5 * rows["pmra"][far], atol=1e-3)
    np.testing.assert_allclose(north, 1.5 * rows["pmdec"], atol=1e-3)
    assert np.abs(north).max() > 5


def test_most_ids_stay_some_are_new_and_a_few_are_no_place_on_the_sky(server):
    held = server.holdings.dr4._sources
    new, old = held["source_id"].to_numpy(), held["dr3_source_id"].to_numpy()
    assert np.unique(new).size == new.size
    is_off = new > LAST_ID
    moved = (new != old) & ~is_off
    assert 0.95 < (new == old).mean() < 0.99 and 0 < is_off.sum() < 0.03 * new.size
    assert moved.any() and (new[moved] >> 35 == old[moved] >> 35).all()
    rows = adql(server, "SELECT source_id, healpix29 FROM gaiadr4.all_source_astrometry").to_pandas()
    agree = rows["healpix29"] // 2**34 == rows["source_id"] // 2**35
    assert 0.95 < agree.mean() < 1


def test_the_neighbourhood_says_which_is_the_same_star_or_does_not(server):
    rows = adql(server, "SELECT * FROM gaiadr4.dr3_neighbourhood").to_pandas()
    words = rows["probable_match"].map({True: "yes", False: "no"}).fillna("unknown").value_counts()
    assert words["yes"] > 250 and words["no"] > 0 and words["unknown"] > 5
    same = rows[rows["probable_match"] == True]  # noqa: E712
    assert (same["angular_distance"] < 5).all() and (same["magnitude_difference"].abs() < 0.5).all()
    assert not same["source_id"].duplicated().any()
    held = server.holdings.dr4._sources.to_pandas().set_index("source_id")["dr3_source_id"]
    assert (held[same["source_id"]].to_numpy() == same["dr3_source_id"].to_numpy()).all()


def test_one_join_leads_to_dr2(server):
    rows = adql(
        server,
        "SELECT g.source_id, d2.dr2_source_id FROM gaiadr4.gaia_source AS g "
        "LEFT JOIN gaiadr4.dr3_neighbourhood AS dr ON dr.source_id = g.source_id "
        "LEFT JOIN gaiadr3.dr2_neighbourhood AS d2 ON d2.dr3_source_id = dr.dr3_source_id",
    )
    assert rows["dr2_source_id"].null_count < 0.1 * len(rows) and len(rows) > 280


def test_gaia_source_is_the_good_part(server):
    counts = {
        name: adql(server, f"SELECT COUNT(*) AS n FROM gaiadr4.{name}")["n"][0].as_py()
        for name in ("gaia_source", "all_source_astrometry", "all_source_flags", "all_source_photometry")
    }
    assert counts["all_source_flags"] == counts["all_source_astrometry"] > counts["gaia_source"]
    assert counts["all_source_photometry"] < counts["all_source_flags"]
    lost = adql(server, "SELECT raw_g_mean_mag FROM gaiadr4.all_source_astrometry WHERE in_gaia_source = 'false'")
    assert min(lost["raw_g_mean_mag"].to_pylist()) > 19
    index = adql(server, "SELECT random_index FROM gaiadr4.gaia_source")["random_index"].to_numpy()
    assert sorted(index) == list(range(counts["gaia_source"]))


def test_statistics_are_those_of_the_epochs(server):
    rows = adql(
        server,
        "SELECT source_id, phot_g_n_cal, phot_g_flux_median, phot_g_flux_standard_deviation, phot_g_stetson_index, "
        "phot_g_abbe_value FROM gaiadr4.all_source_photometry WHERE phot_g_n_cal > 20",
    ).to_pandas()
    held = server.holdings.dr4.epochs(rows["source_id"].to_numpy())
    flux, error = held.flux(0)
    ids, first = np.unique(held.source_id, return_index=True)
    rows = rows.set_index("source_id").loc[ids]
    parts = [part[np.isfinite(part)] for part in np.split(flux, first[1:])]
    assert rows["phot_g_n_cal"].tolist() == [len(part) for part in parts]
    np.testing.assert_allclose(rows["phot_g_flux_median"], [np.median(part) for part in parts], rtol=1e-6)
    std = [part.std(ddof=1) for part in parts]
    np.testing.assert_allclose(rows["phot_g_flux_standard_deviation"], std, rtol=1e-5)
    x, e = parts[0], np.split(error, first[1:])[0]
    d = np.sqrt(x.size / (x.size - 1)) * (x - x.mean()) / e[np.isfinite(e)]
    pairs = d[1:] * d[:-1]
    stetson = np.mean(np.sign(pairs) * np.sqrt(np.abs(pairs)))
    np.testing.assert_allclose(rows["phot_g_stetson_index"].iloc[0], stetson, rtol=1e-4)
    abbe = x.size * np.sum(np.diff(x) ** 2) / (2 * (x.size - 1) * np.sum((x - x.mean()) ** 2))
    np.testing.assert_allclose(rows["phot_g_abbe_value"].iloc[0], abbe, rtol=1e-4)


def test_before_the_release_there_is_no_schema(server):
    switch(server, is_released=False)
    assert "gaiadr4" not in adql(server, "SELECT schema_name FROM TAP_SCHEMA.schemas")["schema_name"].to_pylist()
    answer = ask_tap(server, "SELECT TOP 1 source_id FROM gaiadr4.gaia_source")
    assert answer.status_code == 400 and "unknown table" in answer.text
    assert requests.get(f"{server.url}/cdn/Gaia/gdr4/", timeout=20).status_code == 200


def test_tables_and_columns_go_by_other_names(server):
    switch(server, renamed={"vari_rrlyrae.pf": "period_fundamental", "ap_xp": "ap_xp_main"})
    rows = adql(server, "SELECT TOP 5 r.period_fundamental, r.p1_o FROM gaiadr4.vari_rrlyrae AS r")
    assert rows.column_names == ["period_fundamental", "p1_o"] and len(rows)
    assert len(adql(server, "SELECT teff_gspphot FROM gaiadr4.ap_xp_main"))
    for query in ("SELECT pf FROM gaiadr4.vari_rrlyrae", "SELECT source_id FROM gaiadr4.ap_xp"):
        assert ask_tap(server, query).status_code == 400
    assert len(adql(server, "SELECT TOP 5 pf FROM gaiadr3.vari_rrlyrae"))


def test_a_column_becomes_one_of_arrays(server):
    switch(server, array_columns=["vari_rrlyrae.pf"])
    cells = adql(server, "SELECT pf FROM gaiadr4.vari_rrlyrae WHERE pf IS NOT NULL")["pf"].to_pylist()
    assert all(cell.startswith("(") and 0.2 < float(cell.strip("()")) < 1.2 for cell in cells)
    (row,) = adql(
        server,
        "SELECT datatype, arraysize FROM TAP_SCHEMA.columns "
        "WHERE table_name = 'gaiadr4.vari_rrlyrae' AND column_name = 'pf'",
    ).to_pylist()
    assert row == {"datatype": "DOUBLE", "arraysize": "*"}


def test_booleans_are_compared_with_the_words_that_are_switched_on(server):
    query = "SELECT TOP 3 source_id FROM gaiadr4.all_source_flags WHERE has_epoch_photometry = '{}'"
    assert len(adql(server, query.format("true"))) == len(adql(server, query.format("t"))) == 3
    requests.post(f"{server.url}/_limits", json={"boolean_words": ["t", "f"]}, timeout=20)
    assert len(adql(server, query.format("t"))) == 3
    refused = ask_tap(server, query.format("true"))
    assert refused.status_code == 400 and "boolean" in refused.text


def test_a_slow_queue_keeps_a_job_queued(server):
    from astroquery.utils.tap import TapPlus

    requests.post(f"{server.url}/_limits", json={"queue_seconds": 1.0}, timeout=20)
    tap = TapPlus(url=f"{server.url}/tap-server/tap")
    job = tap.launch_job_async("SELECT TOP 1 source_id FROM gaiadr3.gaia_source", background=True)
    assert job.get_phase(update=True) == "QUEUED"
    assert len(job.get_results()) == 1 and job.get_phase() == "COMPLETED"


def test_what_is_no_switch_is_refused(server):
    for wrong, word in (
        ({"colour": 1}, "colour"),
        ({"time_unit": "s"}, "day"),
        ({"flags": [["x", "u", "reject"]]}, "bands are"),
        ({"structures": ["RAW"]}, "two structures"),
    ):
        answer = requests.post(f"{server.url}/_limits", json={"dr4": wrong}, timeout=20)
        assert answer.status_code == 400 and word in json.loads(answer.text)["error"]


def test_tables_are_described_with_those_of_dr3(server):
    text = requests.get(f"{server.url}/tap-server/tap/tables", timeout=20).text
    assert "<name>gaiadr4.all_source_flags</name>" in text and "<name>gaiadr3.gaia_source</name>" in text
    one = requests.get(f"{server.url}/tap-server/tap/tables/gaiadr4.dr3_neighbourhood", timeout=20).text
    assert "<name>probable_match</name>" in one
