"""What the data server refuses, and what its faults do to an answer."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
import pyarrow.csv
import pytest
import requests

from tasks.replica import datalink, truth
from tasks.replica.state import Limits
from tests.unit.replica.served_sky import Server, serving


@pytest.fixture(scope="module")
def served():
    with serving(datalink, truth) as server:
        yield server


@pytest.fixture
def server(served: Server):
    yield served
    served.state.faults.clear()
    served.state.limits.__dict__.update(Limits().__dict__)


@pytest.fixture(scope="module")
def flagged(served: Server) -> np.ndarray:
    """Every source that says it has epoch photometry, ascending."""
    relation = served.holdings.tables("gaia")["gaiadr3.gaia_source"].relation
    with served.holdings.connect() as connection:
        query = f"SELECT source_id FROM {relation} WHERE has_epoch_photometry ORDER BY source_id"
        return connection.execute(query).fetchnumpy()["source_id"]


@pytest.fixture(scope="module")
def ids(served: Server, flagged: np.ndarray) -> np.ndarray:
    return served.holdings.epoch_photometry(flagged)["source_id"].unique().to_numpy()


def ask(server: Server, ids, **parameters) -> requests.Response:
    text = ids if isinstance(ids, str) else ",".join(map(str, ids))
    form = {"ID": text, "RETRIEVAL_TYPE": "EPOCH_PHOTOMETRY", "DATA_STRUCTURE": "INDIVIDUAL", "FORMAT": "csv"}
    form |= {"USE_ZIP_ALWAYS": "true", "VALID_DATA": "false", "RELEASE": "Gaia DR3", **parameters}
    return requests.post(f"{server.url}/data-server/data", data=form, timeout=20)


def unpacked(answer: requests.Response) -> dict[int, "pyarrow.Table"]:
    """Tables by source id."""
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        return {
            int(name.removesuffix(".csv").rpartition(" ")[2]): pyarrow.csv.read_csv(io.BytesIO(files.read(name)))
            for name in files.namelist()
        }


def test_ids_without_product_are_missing_and_none_at_all_gives_an_empty_zip(server, ids, flagged):
    empty = np.setdiff1d(flagged, ids)
    assert empty.size > 0, "the sky holds no empty product: choose another seed"
    assert set(unpacked(ask(server, [*empty, *ids[:2], 12345]))) == set(ids[:2])
    assert unpacked(ask(server, empty)) == {}
    assert unpacked(ask(server, ids[:2], RETRIEVAL_TYPE="XP_SAMPLED")) == {}


def test_ids_may_be_designations_and_come_twice(server, ids):
    text = f"Gaia DR3 {ids[1]}, gaia dr3 {ids[0]},{ids[1]}"
    assert list(unpacked(ask(server, text))) == sorted(ids[:2])


@pytest.mark.parametrize("text", ["", "12-15", "x", "Gaia DR3", "1,,2", "1 OR 1=1"])
def test_other_ids_are_refused(server, text):
    answer = ask(server, text)
    assert answer.status_code == 500
    assert "identifier" in answer.text or "Missing mandatory parameter ID" in answer.text


def test_more_than_the_limit_of_ids_is_refused_with_the_documented_sentence(server):
    from astroquery.gaia import GaiaClass

    gaia = GaiaClass(
        gaia_tap_server=server.url + "/",
        gaia_data_server=server.url + "/",
        tap_server_context="tap-server",
        data_server_context="data-server",
        show_server_messages=False,
    )
    sentence = r"Error 500:\nMaximum number of Source Ids reached \(max: 5000, found: 5001\)"
    with pytest.raises(requests.HTTPError, match=sentence):
        gaia.load_data(list(range(1, 5002)), retrieval_type="EPOCH_PHOTOMETRY", format="csv")
    assert unpacked(ask(server, range(1, 5001))) == {}


def test_structures_are_those_of_the_knob(server, ids):
    assert ask(server, ids[:1], DATA_STRUCTURE="DATAMODEL_STANDARD").status_code == 500
    refused = ask(server, ids[:1], DATA_STRUCTURE="COMBINED")
    assert refused.status_code == 500
    assert "Invalid Data Structure parameter: 'COMBINED', valid ones are: RAW, INDIVIDUAL" in refused.text
    server.state.limits.change({"structures": ["DATAMODEL_GAIA", "DATAMODEL_STANDARD"]})
    refused = ask(server, ids[:1])
    assert "'INDIVIDUAL', valid ones are: DATAMODEL_GAIA, DATAMODEL_STANDARD" in refused.text
    assert set(unpacked(ask(server, ids[:1], DATA_STRUCTURE="DATAMODEL_STANDARD"))) == set(ids[:1])
    raw = zipfile.ZipFile(io.BytesIO(ask(server, ids[:1], DATA_STRUCTURE="DATAMODEL_GAIA").content))
    assert raw.namelist() == ["EPOCH_PHOTOMETRY_RAW.csv"]


def test_the_fault_wrong_structure_is_the_renaming_itself(server, ids):
    server.state.faults.add([{"service": "gaia_datalink", "kind": "wrong_structure"}])
    refused = ask(server, ids[:1])
    assert refused.status_code == 500
    assert "Invalid Data Structure parameter: 'INDIVIDUAL', valid ones are: DATAMODEL_GAIA" in refused.text
    assert set(unpacked(ask(server, ids[:1], DATA_STRUCTURE="DATAMODEL_STANDARD"))) == set(ids[:1])
    assert ask(server, ids[:1]).status_code == 500


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("FORMAT", "votable_gzip", "Invalid Format parameter"),
        ("RETRIEVAL_TYPE", "LIGHT_CURVE", "Unknown retrieval type: 'LIGHT_CURVE'"),
        ("RELEASE", "Gaia DR2", "Unknown release: 'Gaia DR2'"),
        ("LINKING_PARAMETER", "TRANSIT_ID", "Invalid Linking parameter"),
    ],
)
def test_unknown_parameters_are_refused(server, ids, name, value, sentence):
    answer = ask(server, ids[:1], **{name: value})
    assert answer.status_code == 500
    assert sentence in answer.text


def test_valid_data_drops_what_is_rejected_or_empty(server, ids):
    every, valid = unpacked(ask(server, ids)), unpacked(ask(server, ids, VALID_DATA="true"))
    dropped = 0
    for id, rows in every.items():
        has_flux = pc.or_(
            pc.is_valid(rows["g_transit_flux"]), pc.or_(pc.is_valid(rows["bp_flux"]), pc.is_valid(rows["rp_flux"]))
        )
        kept = rows.filter(pc.and_(has_flux, pc.invert(rows["rejected_by_photometry"])))
        dropped += len(rows) - len(kept)
        assert valid[id]["transit_id"].to_pylist() == kept["transit_id"].to_pylist()
    assert dropped > 0


def test_one_product_may_come_without_a_zip(server, ids):
    answer = requests.get(
        f"{server.url}/data-server/data", params={"ID": f"Gaia DR3 {ids[0]}", "format": "CSV"}, timeout=20
    )
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.startswith("solution_id,source_id,transit_id")


def test_faults_of_content(server, ids):
    plain = unpacked(ask(server, ids[:4]))
    for kind in ("empty_product", "missing_ids", "duplicate_ids", "sentinel"):
        server.state.faults.add([{"service": "gaia_datalink", "kind": kind, "rows": 2}])
        faulty = unpacked(ask(server, ids[:4]))
        if kind == "empty_product":
            assert faulty == {}
        elif kind == "missing_ids":
            assert set(faulty) == set(ids[2:4])
        elif kind == "duplicate_ids":
            lengths = {id: len(rows) // len(plain[id]) for id, rows in faulty.items()}
            assert lengths == dict(zip(ids[:4].tolist(), [2, 2, 1, 1], strict=True))
        else:
            flux = faulty[ids[0]]["g_transit_flux"].to_pylist()
            assert flux[:2] == [-999, -999] and flux[2:] == plain[ids[0]]["g_transit_flux"].to_pylist()[2:]
        after = unpacked(ask(server, ids[:4]))
        assert all(after[id].equals(plain[id]) for id in plain), kind


def test_a_truncated_zip_is_no_zip_and_the_log_knows(server, ids):
    server.state.log.clear()
    server.state.faults.add([{"service": "gaia_datalink", "kind": "truncated_zip"}])
    with pytest.raises(zipfile.BadZipFile):
        unpacked(ask(server, ids[:3]))
    assert set(unpacked(ask(server, ids[:3]))) == set(ids[:3])
    log = [(entry["service"], entry["n_items"], entry["fault"]) for entry in server.state.log.entries()]
    assert log == [("gaia_datalink", 3, "truncated_zip"), ("gaia_datalink", 3, None)]


def test_raw_rows_come_twice_under_the_fault(server, ids):
    server.state.faults.add([{"service": "gaia_datalink", "kind": "duplicate_ids"}])
    answer = ask(server, ids[:2], DATA_STRUCTURE="RAW")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as files:
        rows = pyarrow.csv.read_csv(io.BytesIO(files.read("EPOCH_PHOTOMETRY_RAW.csv")))
    assert rows["source_id"].to_pylist() == [ids[0], ids[0], ids[1]]


def test_links_of_what_is_there(server, ids, flagged, tmp_path: Path, monkeypatch):
    from astroquery.gaia import GaiaClass

    gaia = GaiaClass(
        gaia_tap_server=server.url + "/",
        gaia_data_server=server.url + "/",
        tap_server_context="tap-server",
        data_server_context="data-server",
        show_server_messages=False,
    )
    empty = np.setdiff1d(flagged, ids)
    links = gaia.get_datalinks([int(ids[0]), int(empty[0])])
    assert links["ID"].tolist() == [f"Gaia DR3 {ids[0]}"]
    answer = requests.get(f"{links['access_url'][0]}&FORMAT=csv", timeout=20)
    assert set(unpacked(answer)) == {ids[0]}


def test_the_truth_is_told(server, ids):
    answer = requests.post(f"{server.url}/truth", data={"source_id": ",".join(map(str, [*ids, 17]))}, timeout=20)
    told = pyarrow.csv.read_csv(io.BytesIO(answer.content))
    held = server.holdings.truth(ids)
    assert told.column_names == held.column_names
    assert told["source_id"].to_pylist() == held["source_id"].to_pylist()
    np.testing.assert_array_equal(told["period_day"].to_numpy(), held["period_day"].to_numpy())
    assert told["is_blended"].to_pylist() == held["is_blended"].to_pylist()
    assert requests.post(f"{server.url}/truth", data={"source_id": "x"}, timeout=20).status_code == 400
