"""IRSA's ZTF light-curve service: what it gives in every format, and what it refuses."""

import io

import numpy as np
import pyarrow.csv
import pytest
import requests
from astropy.coordinates import SkyCoord
from astropy.io.votable import parse, parse_single_table
from astropy.table import Table

from tasks.replica import lightcurves_ztf
from tests import real_data
from tests.unit.replica.served_sky import Server, serving

PATH = "/irsa/cgi-bin/ZTF/nph_light_curves"


@pytest.fixture(scope="module")
def served():
    with serving(lightcurves_ztf) as server:
        yield server


@pytest.fixture
def server(served: Server):
    yield served
    served.state.faults.clear()


@pytest.fixture(scope="module")
def objects(served: Server):
    relation = served.holdings.tables("irsa")["ztf_objects_dr24"].relation
    with served.holdings.connect() as connection:
        return connection.execute(f"SELECT * FROM {relation} ORDER BY oid").to_arrow_table().to_pandas()


def ask(server: Server, *oids, method="get", **parameters) -> requests.Response:
    items = [("ID", str(oid)) for oid in oids] + list(parameters.items())
    sent = {"params": items} if method == "get" else {"data": items}
    return requests.request(method, server.url + PATH, timeout=20, **sent)


def curves(answer: requests.Response):
    assert answer.status_code == 200, answer.text
    return pyarrow.csv.read_csv(io.BytesIO(answer.content)).to_pandas()


def flagged(server: Server, objects) -> tuple[np.ndarray, object]:
    """Objects among whose epochs are good ones, warnings and unusable ones; and all their epochs."""
    rows = server.holdings.ztf_epochs(objects["oid"].to_numpy()).to_pandas()
    some = rows.groupby("oid")["catflags"].agg([lambda f: (f == 0).any(), lambda f: (f >= 32768).any()]).all(axis=1)
    chosen = some[some].index[:6].to_numpy()
    assert chosen.size == 6
    return chosen, rows[rows["oid"].isin(chosen)]


@pytest.mark.parametrize("method", ["get", "post"])
def test_light_curves_by_repeated_id(server, objects, method):
    oids, rows = flagged(server, objects)
    found = curves(ask(server, *oids[::-1], method=method, FORMAT="CSV", BAD_CATFLAGS_MASK="0"))
    assert list(found.columns) == list(rows.columns) and len(found.columns) == 24
    for name in ("oid", "expid", "hjd", "mjd", "catflags", "filtercode", "field", "ccdid", "qid"):
        assert found[name].tolist() == rows[name].tolist(), name  # ccdid and qid came as 0x3
    np.testing.assert_array_equal(found["mag"].astype(np.float32), rows["mag"])


def test_small_integers_are_written_as_in_the_recorded_answer(server, objects):
    lines = ask(server, objects["oid"][0], FORMAT="csv").text.splitlines()
    cells = dict(zip(lines[0].split(","), lines[1].split(","), strict=True))
    assert cells["ccdid"] == f"0x{objects['ccdid'][0]:X}" and cells["qid"] == f"0x{objects['qid'][0]:X}"


def test_masks_of_catflags(server, objects):
    oids, rows = flagged(server, objects)
    for mask, expected in (
        (None, rows["catflags"] & 32768 == 0),
        ("65535", rows["catflags"] == 0),
        ("0", rows["catflags"] >= 0),
    ):
        parameters = {"BAD_CATFLAGS_MASK": mask} if mask else {}
        found = curves(ask(server, *oids, FORMAT="CSV", **parameters))
        assert found["hjd"].tolist() == rows["hjd"][expected].tolist(), mask
    assert 0 < (rows["catflags"] == 0).sum() < (rows["catflags"] & 32768 == 0).sum() < len(rows)


def test_a_range_of_time(server, objects):
    oids, rows = flagged(server, objects)
    first, last = np.quantile(rows["mjd"], [0.3, 0.6])
    found = curves(ask(server, *oids, FORMAT="CSV", BAD_CATFLAGS_MASK="0", TIME=f"{first} {last}"))
    assert found["mjd"].tolist() == rows["mjd"][rows["mjd"].between(first, last)].tolist()
    found = curves(ask(server, *oids, FORMAT="CSV", BAD_CATFLAGS_MASK="0", TIME=f"-Inf {first}"))
    assert found["mjd"].tolist() == rows["mjd"][rows["mjd"] <= first].tolist()


def test_light_curves_by_position(server, objects):
    centre = objects.iloc[3]
    distance = SkyCoord(objects["ra"].to_numpy(), objects["dec"].to_numpy(), unit="deg").separation(
        SkyCoord(centre["ra"], centre["dec"], unit="deg")
    )
    position = f"CIRCLE {centre['ra']} {centre['dec']} 0.001"
    for bands in ("g", "g,r", "g,r,i"):
        near = objects[(distance.deg <= 0.001) & objects["filtercode"].isin([f"z{band}" for band in bands.split(",")])]
        answer = ask(server, POS=position, BANDNAME=bands, FORMAT="CSV", BAD_CATFLAGS_MASK="0")
        found = curves(answer) if near["nobs"].sum() else None
        if found is not None:
            assert sorted(set(found["oid"])) == near["oid"][near["nobs"] > 0].tolist(), bands
    least = int(objects["nobs"].median())
    answer = ask(server, POS=position, NOBS_MIN=str(least), MAG="10 22", FORMAT="CSV", BAD_CATFLAGS_MASK="0")
    assert set(curves(answer)["oid"]) == set(objects["oid"][(distance.deg <= 0.001) & (objects["nobs"] >= least)])


def test_unknown_objects_have_no_rows(server):
    answer = ask(server, 17, FORMAT="CSV")
    assert answer.status_code == 200
    assert answer.text.count("\n") == 1 and answer.text.startswith("oid,expid,hjd,mjd,mag,magerr,catflags,filtercode")


def test_all_formats_say_the_same(server, objects):
    oids, rows = flagged(server, objects)
    tables = {
        "VOTABLE": parse_single_table(io.BytesIO(ask(server, *oids).content)).to_table(use_names_over_ids=True),
        "IPAC_TABLE": Table.read(ask(server, *oids, FORMAT="IPAC_TABLE").text, format="ascii.ipac"),
        "TSV": Table.read(ask(server, *oids, FORMAT="tsv").text, format="ascii.tab"),
    }
    good = rows[rows["catflags"] & 32768 == 0]
    for form, table in tables.items():
        assert table.colnames == list(rows.columns), form
        assert table["oid"].tolist() == good["oid"].tolist(), form
        np.testing.assert_array_equal(np.asarray(table["hjd"], float), good["hjd"], form)
        np.testing.assert_array_equal(np.asarray(table["mag"]).astype(np.float32), good["mag"], form)
    assert tables["VOTABLE"]["ccdid"].tolist() == good["ccdid"].tolist()


def test_fields_are_those_of_the_recorded_answer(server, objects):
    place = real_data.recorded("ivoa_TimeSeriesZTF.xml")
    theirs = parse_single_table(str(place), verify="ignore").fields
    ours = parse_single_table(io.BytesIO(ask(server, objects["oid"][0]).content)).fields
    for own, recorded in zip(ours, theirs, strict=True):
        for what in ("name", "datatype", "ucd", "unit", "arraysize"):
            assert str(getattr(own, what)) == str(getattr(recorded, what)), (own.name, what)


@pytest.mark.parametrize(
    "parameters",
    [
        {"ID": "1", "BANDNAME": "g"},
        {"ID": "1", "POS": "CIRCLE 1 2 0.1"},
        {"ID": "1", "MAG": "1 2"},
        {"ID": "x"},
        {},
        {"POS": "CIRCLE 1 2 0.2"},
        {"POS": "BOX 1 2 0.1 0.1"},
        {"POS": "CIRCLE 1 2 0.1", "BANDNAME": "u"},
        {"ID": "1", "COLLECTION": "ztf_dr1"},
        {"ID": "1", "FORMAT": "FITS"},
        {"ID": "1", "TIME": "59000"},
        {"ID": "1", "BAD_CATFLAGS_MASK": "bad"},
        {"ID": "1", "RADIUS": "3"},
    ],
)
def test_bad_combinations_are_usage_faults(server, parameters):
    answer = ask(server, **parameters)
    assert answer.status_code == 400
    (info,) = parse(io.BytesIO(answer.content)).resources[0].infos
    assert info.value == "ERROR" and info.content.startswith("UsageFault: ")


def test_faults_of_content(server, objects):
    oids, _ = flagged(server, objects)
    plain = curves(ask(server, *oids[:2], FORMAT="CSV"))
    size = plain.groupby("oid").size()
    for kind, rows in (("missing_ids", 1), ("duplicate_ids", 1), ("sentinel", 3), ("capped", 5)):
        server.state.faults.add([{"service": "irsa_lightcurves", "kind": kind, "rows": rows}])
        faulty = curves(ask(server, *oids[:2], FORMAT="CSV"))
        if kind == "sentinel":
            assert faulty["mag"].tolist() == [-999.0] * 3 + plain["mag"].tolist()[3:]
        elif kind == "capped":
            assert faulty.equals(plain[:5])
        else:
            factor = {"missing_ids": 0, "duplicate_ids": 2}[kind]
            assert len(faulty) == factor * size.iloc[0] + size.iloc[1]
        assert curves(ask(server, *oids[:2], FORMAT="CSV")).equals(plain)
