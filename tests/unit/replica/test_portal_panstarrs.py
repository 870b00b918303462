"""The catalogs.mast API for Pan-STARRS1 through unmodified astroquery, against the held tables."""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord

from tasks.replica import catalogs_mast, portal
from tests.unit.replica.served_sky import Server, serving


@pytest.fixture(scope="module")
def served():
    with serving(portal, catalogs_mast) as server:
        yield server


@pytest.fixture
def server(served: Server):
    yield served
    served.state.faults.clear()


def table_of(served: Server, name: str):
    relation = served.holdings.tables("ps1")[name].relation
    with served.holdings.connect() as connection:
        return connection.execute(f'SELECT * FROM {relation} ORDER BY "objID"').to_arrow_table().to_pandas()


@pytest.fixture(scope="module")
def objects(served: Server):
    return table_of(served, "dbo.meanobjectview")


@pytest.fixture(scope="module")
def detections(served: Server):
    return table_of(served, "dbo.detection")


@pytest.fixture(scope="module")
def catalogs(served: Server):
    from astroquery.mast import CatalogsClass, conf

    catalogs = CatalogsClass()
    catalogs._service_api_connection.REQUEST_URL = f"{served.url}/catalogs.mast/api/v0.1/"
    with conf.set_temp("catalogs_server", f"{served.url}/catalogs.mast"):
        yield catalogs


def test_detections_of_an_object(catalogs, detections):
    wanted = detections["objID"].iloc[0]
    rows = detections[detections["objID"] == wanted].sort_values("obsTime")
    found = catalogs.query_criteria(
        catalog="PANSTARRS", table="detection", data_release="dr2", objID=int(wanted),
        columns=["objID", "obsTime", "filterID", "psfFlux", "psfFluxErr", "infoFlag3"], sort_by=["obsTime"],
    )  # fmt: skip
    assert found.colnames == ["objID", "obsTime", "filterID", "psfFlux", "psfFluxErr", "infoFlag3"]
    assert set(found["objID"]) == {wanted}
    for name in ("obsTime", "filterID", "psfFlux", "infoFlag3"):
        values = np.ma.filled(found[name], -999)
        np.testing.assert_array_equal(values.astype(rows[name].dtype), rows[name].to_numpy(), name)


def test_objects_in_a_cone(catalogs, objects):
    centre = SkyCoord(objects["raMean"][7], objects["decMean"][7], unit="deg")
    distance = SkyCoord(objects["raMean"].to_numpy(), objects["decMean"].to_numpy(), unit="deg").separation(centre)
    near = objects[(distance < 10 * u.deg) & (objects["nDetections"] >= 5)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = catalogs.query_region(
            centre, radius=10 * u.deg, catalog="PANSTARRS", table="mean", nDetections=[("gte", 5)],
            columns=["objName", "objID", "nDetections"],
        )  # fmt: skip
    assert sorted(found["objID"]) == sorted(near["objID"])
    assert len(near) > 1
    np.testing.assert_allclose(np.sort(found["distance"]), np.sort(distance[near.index].deg), atol=1e-10)


def test_metadata_and_answers_are_those_of_the_recorded_ones(served, objects):
    import json

    import astroquery.mast

    folder = Path(astroquery.mast.__file__).parent / "tests" / "data"
    theirs = {column["column_name"]: column for column in json.loads((folder / "panstarrs_columns.json").read_text())}
    ours = requests.get(f"{served.url}{catalogs_mast.PREFIX}/mean/metadata.json", timeout=20).json()
    assert [column["column_name"] for column in ours] == list(theirs)
    for column in ours:
        recorded = theirs[column["column_name"]]
        assert set(column) <= set(recorded)
        assert column["unit"] == recorded["unit"], column["column_name"]
        assert column["ucd"] == recorded["ucd"].replace(";;", ";"), column["column_name"]  # a slip of theirs
        assert column["type"] == {"unsignedByte": "short"}.get(recorded["type"], recorded["type"])
    answer = json.loads((folder / "panstarrs.json").read_text())
    own = requests.post(
        f"{served.url}{catalogs_mast.PREFIX}/mean.json", json={"objID": str(objects["objID"][0])}, timeout=20
    ).json()
    assert set(own) == set(answer)
    assert set(answer["info"][0]) <= set(own["info"][0])
    place = [column["name"] for column in own["info"]].index("objID")
    assert own["data"] == [own["data"][0]] and own["data"][0][place] == str(objects["objID"][0])
    assert type(answer["data"][0][1]) is str  # objID there


def test_pages_order_and_filters(served, objects):
    def ask(**parameters):
        answer = requests.get(f"{served.url}{catalogs_mast.PREFIX}/mean.json", params=parameters, timeout=20)
        return [int(row[0]) for row in answer.json()["data"]]

    many = {"nDetections.gt": 10, "columns": "objID"}
    expected = objects[objects["nDetections"] > 10].sort_values(["gMeanPSFMag", "objID"], ascending=[False, True])
    ids = expected["objID"].tolist()
    assert ask(**many, sort_by="desc.gMeanPSFMag") == ids
    assert ask(**many, sort_by="gMeanPSFMag.desc", pagesize=7, page=2) == ids[7:14]
    assert ask(columns="objID", objID=[str(id) for id in ids[:3]]) == sorted(ids[:3])


@pytest.mark.parametrize(
    ("table", "parameters", "status"),
    [
        ("mean", {"objID.like": "1"}, 400),
        ("mean", {"nothing": 1}, 400),
        ("mean", {"columns": ["x"], "objID": 1}, 400),
        ("mean", {"objID": "x"}, 400),
        ("mean", {"ra": 1, "dec": "x", "radius": 1}, 400),
        ("mean", {}, 400),
        ("stack", {"objID": 1}, 400),
    ],
)
def test_what_the_api_refuses(served, table, parameters, status):
    answer = requests.post(f"{served.url}{catalogs_mast.PREFIX}/{table}.json", json=parameters, timeout=20)
    assert answer.status_code == status and answer.json()["message"]


def test_sentinels(server, detections):
    wanted = str(detections["objID"].iloc[0])

    def flux():
        answer = requests.post(
            f"{server.url}{catalogs_mast.PREFIX}/detection.json",
            json={"objID": wanted, "columns": ["objID", "psfFlux"], "sort_by": ["obsTime"]},
            timeout=20,
        )
        return [row[1] for row in answer.json()["data"]]

    plain = flux()
    server.state.faults.add([{"service": "mast_portal", "kind": "sentinel", "rows": 2, "path": "detection"}])
    assert flux() == [-999, -999, *plain[2:]]
    assert flux() == plain


def test_a_process_that_reads_its_addresses_from_the_configuration(served, detections, tmp_path):
    """The catalogs server is where `conf.server` says, with "catalogs." before "mast": nothing is set by hand here."""
    (tmp_path / "astropy").mkdir()
    (tmp_path / "astropy" / "astroquery.cfg").write_text(
        f"[mast]\nserver = {served.url}/mast\ncatalogs_server = {served.url}/catalogs.mast\n"
    )
    wanted = int(detections["objID"].iloc[0])
    code = (
        "from astroquery.mast import Catalogs\n"
        f"rows = Catalogs.query_criteria(catalog='PANSTARRS', table='detection', data_release='dr2', objID={wanted})\n"
        "star = Catalogs.query_criteria(catalog='TIC', Tmag=[10, 17])\n"
        "print(len(rows), len(star))\n"
    )
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    n_detection, n_star = map(int, done.stdout.split()[-2:])
    assert n_detection == (detections["objID"] == wanted).sum()
    assert n_star > 0
