"""DataLink for DR4: its epochs beside those of DR3, its layouts, its refusals; and DR3, which nothing of it touches."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import requests

from tasks.replica.switches import BANDS
from tasks.sky.cadence import GAIA_END, GAIA_LATER_END
from tests.unit.replica.dr4_sky import adql, ask_data, epochs, members, reset, served_dr4, switch
from tests.unit.replica.served_sky import Server

ZERO = 55197.0  # MJD of Gaia's time 0
NAMES = (
    "solution_id,source_id,transit_id,g_obs_time,g_flux,g_flux_error,g_flux_over_error,g_mag,g_n_obs,bp_obs_time,"
    "bp_flux,bp_flux_error,bp_flux_over_error,bp_mag,rp_obs_time,rp_flux,rp_flux_error,rp_flux_over_error,rp_mag"
)


@pytest.fixture(scope="module")
def served():
    with served_dr4() as server:
        yield server


@pytest.fixture
def server(served: Server):
    reset(served)
    yield served
    reset(served)


@pytest.fixture(scope="module")
def ids(served: Server) -> list[int]:
    """Ten RR Lyrae stars by their numbers in DR4, which are those of DR3 too."""
    rows = adql(
        served,
        "SELECT TOP 10 n.source_id FROM gaiadr4.vari_rrlyrae AS n JOIN gaiadr3.vari_rrlyrae AS o "
        "ON o.source_id = n.source_id JOIN gaiadr4.all_source_flags AS fl ON fl.source_id = n.source_id "
        "WHERE fl.has_epoch_photometry = 'true' ORDER BY n.source_id",
    )
    return rows["source_id"].to_pylist()


def test_a_file_for_each_source_with_the_names_of_the_draft(server, ids):
    found = members(ask_data(server, ids[:2]))
    assert list(found) == [f"EPOCH_PHOTOMETRY-Gaia DR4 {id}.csv" for id in sorted(ids[:2])]
    for rows in found.values():
        assert ",".join(rows.column_names[:19]) == NAMES and len(rows.column_names) == 23


def test_the_first_transits_are_those_of_dr3(server, ids):
    new, old = epochs(server, ids), epochs(server, ids, RELEASE="Gaia DR3")
    joined = old.join(new, ["source_id", "transit_id"], right_suffix="_4", join_type="inner")
    assert len(joined) == len(old) < len(new)
    assert pc.max(pc.abs(pc.subtract(joined["g_transit_time"], joined["g_obs_time"]))).as_py() == 0
    change = pc.subtract(joined["g_mag"], joined["g_transit_mag"]).drop_null().to_numpy()
    np.testing.assert_allclose(change, 0.005, atol=1e-9)
    time = new["g_obs_time"].to_numpy() + ZERO
    assert time.max() < GAIA_LATER_END and (time > GAIA_END).mean() > 0.3
    assert np.unique(new["transit_id"].to_numpy()).size == len(new)


def test_stars_keep_their_period_after_dr3(server):
    """Light curves go on in phase: the late epochs of an RR Lyrae star follow the early ones."""
    star = adql(server, "SELECT TOP 1 source_id, pf FROM gaiadr3.vari_rrlyrae WHERE best_classification = 'RRab'")
    truth = requests.post(f"{server.url}/truth", data={"source_id": star["source_id"][0].as_py()}, timeout=20)
    period = float(truth.text.splitlines()[1].split(",")[truth.text.splitlines()[0].split(",").index("period_day")])
    rows = epochs(server, star["source_id"].to_pylist())
    time, mag = rows["g_obs_time"].to_numpy(), rows["g_mag"].to_numpy(zero_copy_only=False)
    order = np.argsort((time / period) % 1)
    order = order[np.isfinite(mag[order])]
    late = time[order] + ZERO > GAIA_END
    changes = np.abs(np.diff(mag[order]))[late[1:] != late[:-1]]
    assert np.median(changes) < 0.5 * np.nanstd(mag)


def test_every_source_has_epochs_field_stars_too(server):
    rows = adql(
        server,
        "SELECT fl.source_id, fl.has_epoch_photometry, o.has_epoch_photometry AS before "
        "FROM gaiadr4.all_source_flags AS fl LEFT JOIN gaiadr3.gaia_source AS o ON o.source_id = fl.source_id",
    ).to_pandas()
    share = (rows["has_epoch_photometry"].astype(str).str.lower() == "true").mean()
    assert share > 0.95
    new = rows[(rows["before"].astype(str).str.lower() == "false")]["source_id"].tolist()
    assert len(new) > 3 and len(set(epochs(server, new)["source_id"].to_pylist())) > 0.8 * len(new)


def test_times_come_in_nanoseconds(server, ids):
    days = epochs(server, ids[:3])
    switch(server, time_unit="ns")
    ns = epochs(server, ids[:3])
    assert pa.types.is_integer(ns["g_obs_time"].type)
    for band in BANDS:
        name = f"{band}_obs_time"
        assert ns[name].null_count == days[name].null_count
        np.testing.assert_allclose(
            ns[name].drop_null().to_numpy() / 86400e9, days[name].drop_null().to_numpy(), atol=1e-10
        )


@pytest.mark.parametrize("sense", ["reject", "use", "bits"])
def test_flags_have_the_names_and_the_sense_that_are_switched_on(server, ids, sense):
    switch(server, flags=[["is_g_bad", "g", sense]])
    rows = epochs(server, ids)
    assert rows.column_names[19:] == ["is_g_bad"]
    values = rows["is_g_bad"].to_numpy(zero_copy_only=False)
    if sense == "bits":
        assert set(values.tolist()) == {0, -(2**15)}
    is_rejected = {"reject": values == True, "use": values == False, "bits": values < 0}[sense]  # noqa: E712
    old = epochs(server, ids, RELEASE="Gaia DR3")
    known = dict(zip(old["transit_id"].to_pylist(), old["rejected_by_photometry"].to_pylist(), strict=True))
    told = [(known[id], bool(bad)) for id, bad in zip(rows["transit_id"].to_pylist(), is_rejected, strict=True)
            if id in known]  # fmt: skip
    assert len(told) == len(old) and all(a == b for a, b in told) and any(a for a, _ in told)


def test_flags_of_the_variability_processing_are_a_product_of_their_own(server, ids):
    flags = epochs(server, ids, RETRIEVAL_TYPE="EPOCH_FLAGS_VARI")
    assert flags.column_names == ["solution_id", "source_id", "transit_id", "g_used", "bp_used", "rp_used"]
    old = epochs(server, ids, RELEASE="Gaia DR3")
    joined = old.join(flags, ["source_id", "transit_id"], right_suffix="_4", join_type="inner")
    assert len(joined) == len(old)
    assert pc.all(pc.equal(joined["variability_flag_bp_reject"], pc.invert(joined["bp_used"]))).as_py()
    assert set(joined["bp_used"].to_pylist()) == {True, False}
    switch(server, vari_flags=[])
    assert "Unknown retrieval type: 'EPOCH_FLAGS_VARI'" in ask_data(server, ids, RETRIEVAL_TYPE="EPOCH_FLAGS_VARI").text


def test_files_of_single_ccds_come_along_where_that_is_switched_on(server, ids):
    switch(server, with_ccd=True)
    names = sorted(members(ask_data(server, ids[:1])))
    assert names == [f"EPOCH_PHOTOMETRY-Gaia DR4 {ids[0]}.csv", f"EPOCH_PHOTOMETRY_CCD-Gaia DR4 {ids[0]}.csv"]
    kinds = {name.split("-")[0] for name in members(ask_data(server, ids[:1], RETRIEVAL_TYPE="ALL"))}
    assert kinds == {"EPOCH_PHOTOMETRY", "EPOCH_PHOTOMETRY_CCD", "EPOCH_FLAGS_VARI"}


def test_all_sources_in_one_file(server, ids):
    (name, rows), = members(ask_data(server, ids, DATA_STRUCTURE="DATAMODEL_GAIA")).items()  # fmt: skip
    assert name == "EPOCH_PHOTOMETRY_RAW.csv" and set(rows["source_id"].to_pylist()) == set(ids)


def test_releases_have_structures_of_their_own(server, ids):
    refused = ask_data(server, ids[:1], DATA_STRUCTURE="INDIVIDUAL")
    assert "'INDIVIDUAL', valid ones are: DATAMODEL_GAIA, DATAMODEL_STANDARD" in refused.text
    refused = ask_data(server, ids[:1], RELEASE="Gaia DR3", DATA_STRUCTURE="DATAMODEL_STANDARD")
    assert "valid ones are: RAW, INDIVIDUAL" in refused.text
    switch(server, structures=["RAW", "INDIVIDUAL"])
    assert len(epochs(server, ids[:1], DATA_STRUCTURE="INDIVIDUAL"))


def test_what_is_not_served_yet_is_refused_in_the_words_of_the_server(server, ids):
    switch(server, has_products=False)
    answer = ask_data(server, ids[:1])
    assert answer.status_code == 500 and "Unknown retrieval type: 'EPOCH_PHOTOMETRY'" in answer.text
    switch(server, is_released=False)
    answer = ask_data(server, ids[:1])
    assert answer.status_code == 500 and "Unknown release: 'Gaia DR4'" in answer.text
    assert len(epochs(server, ids[:1], RELEASE="Gaia DR3"))


def test_valid_data_leaves_out_what_is_rejected(server, ids):
    rows, valid = epochs(server, ids), epochs(server, ids, VALID_DATA="true")
    assert len(valid) == len(rows.filter(pc.invert(rows["g_rejected"]))) < len(rows)


def test_faults_of_content_are_done_to_dr4_too(server, ids):
    server.state.faults.add([{"service": "gaia_datalink", "kind": "missing_ids", "rows": 2}])
    assert len(members(ask_data(server, ids))) == len(ids) - 2


def test_the_truth_is_told_by_the_new_numbers(server):
    rows = adql(
        server,
        "SELECT dr.source_id, dr.dr3_source_id FROM gaiadr4.dr3_neighbourhood AS dr "
        "WHERE dr.probable_match = 'true' AND dr.source_id <> dr.dr3_source_id",
    )
    told = [
        requests.post(f"{server.url}/truth", data={"source_id": ",".join(map(str, ids))}, timeout=20).text.splitlines()
        for ids in (rows["source_id"].to_pylist(), rows["dr3_source_id"].to_pylist())
    ]
    ours, theirs = (sorted(line.partition(",")[2] for line in lines[1:]) for lines in told)
    assert ours == theirs and len(ours) > 3
    assert {int(line.partition(",")[0]) for line in told[0][1:]} <= set(rows["source_id"].to_pylist())


def test_dr3_is_the_same_whatever_dr4_does(server, ids):
    """The same bytes before and after, in every state of the switches; what no processor rounds is as it always was."""
    queries = [f"SELECT * FROM {name} ORDER BY 1, 2, 3" for name in server.holdings.tables("gaia")]

    def answers() -> list[bytes]:
        text = [adql_bytes(server, query) for query in queries]
        return [*text, ask_data(server, ids, RELEASE="Gaia DR3").content]

    before = answers()
    switch(server, is_released=False)
    assert answers() == before
    switch(server, is_released=True, time_unit="ns", renamed={"gaia_source": "source", "gaia_source.ra": "alpha"})
    assert answers() == before
    rows = epochs(server, ids, RELEASE="Gaia DR3").select(["source_id", "transit_id", "rejected_by_photometry"])
    assert hashlib.blake2b(rows.to_pandas().to_csv().encode(), digest_size=8).hexdigest() == "fac70d984b58bf8b"


def adql_bytes(server: Server, query: str) -> bytes:
    form = {"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "csv", "QUERY": query}
    answer = requests.post(f"{server.url}/tap-server/tap/sync", data=form, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.content
