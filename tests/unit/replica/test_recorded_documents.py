"""Documents of the services beside those that astroquery's own tests read: the same elements, attributes and keys."""

import csv
import json
import xml.etree.ElementTree as ET
from collections import defaultdict

import pytest
import requests
from astropy.table import Table

from tasks.replica import tap, xmatch
from tests.real_data import of_astroquery
from tests.unit.replica.served_sky import Server, serving

TAP = "/tap-server/tap"
QUERY = "SELECT TOP 3 source_id, ra, dec FROM gaiadr3.gaia_source"


@pytest.fixture(scope="module")
def server():
    with serving(tap, xmatch) as served:
        yield served


def local(name: str) -> str:
    """A name without its namespace: services may give the same element under another one."""
    return name.rpartition("}")[2]


def structure(document: ET.Element, path: str = "") -> dict[str, set[str]]:
    """By path below the root: the attributes that an element has anywhere."""
    found: dict[str, set[str]] = defaultdict(set)
    for child in document:
        here = f"{path}/{local(child.tag)}"
        found[here] |= {local(name) for name in child.attrib}
        for inner, attributes in structure(child, here).items():
            found[inner] |= attributes
    return found


def finished_job(server: Server) -> str:
    """Its id."""
    fields = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": QUERY, "PHASE": "RUN", "FORMAT": "votable"}
    job = requests.post(f"{server.url}{TAP}/async", data=fields, timeout=20).url
    assert requests.get(f"{job}?WAIT=20", timeout=30).ok
    return job.rpartition("/")[2]


def test_the_list_of_jobs_has_the_structure_of_the_recorded_one(server):
    id = finished_job(server)
    theirs = ET.parse(of_astroquery("utils/tap", "jobs_list.xml")).getroot()
    ours = ET.fromstring(requests.get(f"{server.url}{TAP}/async", timeout=20).content)
    assert ours.tag == theirs.tag and structure(ours) == structure(theirs)
    assert [child.tag for child in ours[0]] == [child.tag for child in theirs[0]]
    (entry,) = [one for one in ours if one.get("id") == id]
    (href,) = [value for name, value in entry.attrib.items() if local(name) == "href"]
    assert href.endswith(f"/async/{id}")  # as the recorded ones end


def test_the_set_of_tables_has_the_structure_of_the_recorded_one(server):
    theirs = ET.parse(of_astroquery("utils/tap", "test_tables.xml")).getroot()
    ours = ET.fromstring(requests.get(f"{server.url}{TAP}/tables", timeout=20).content)
    assert local(ours.tag) == local(theirs.tag) == "tableset"
    own = structure(ours)
    for path, attributes in structure(theirs).items():
        assert path in own and attributes <= own[path], path
    kinds = {local(one.tag): set() for one in ours.iter()}
    for one in ours.iter():
        kinds[local(one.tag)] |= {value for name, value in one.attrib.items() if local(name) == "type"}
    assert kinds["table"] == {"base_table"} and kinds["dataType"] == {"vod:TAPType"}


def test_an_answer_in_json_has_the_keys_and_fields_of_the_recorded_one(server):
    theirs = json.loads(of_astroquery("gaia", "launch_job_async.json").read_text())
    fields = {"REQUEST": "doQuery", "LANG": "ADQL", "QUERY": QUERY, "FORMAT": "json"}
    ours = requests.post(f"{server.url}{TAP}/sync", data=fields, timeout=20).json()
    assert ours.keys() == theirs.keys() and len(ours["data"]) == 3
    told = {one["name"]: one for one in theirs["metadata"]}
    for own in ours["metadata"]:
        assert own.keys() == told[own["name"]].keys()
        for what in ("datatype", "unit", "ucd", "arraysize"):
            assert own[what] == told[own["name"]][what], (own["name"], what)


def test_a_crossmatch_has_its_columns_in_the_order_of_the_recorded_one(server):
    """The separation, then the columns of the uploaded list, then those of the catalogue."""
    listed = Table.read(of_astroquery("xmatch", "posList.csv"), format="ascii.csv")
    with of_astroquery("xmatch", "query_res.csv").open() as lines:
        theirs = next(csv.reader(lines))
    assert theirs[0] == "angDist" and theirs[1 : 1 + len(listed.columns)] == listed.colnames
    parameters = {
        "request": "xmatch",
        "distMaxArcsec": "5",
        "RESPONSEFORMAT": "csv",
        "cat2": "vizier:IV/39/tic82",
        "colRA1": "ra",
        "colDec1": "dec",
    }
    upload = {"cat1": ("cat1.csv", of_astroquery("xmatch", "posList.csv").read_bytes())}
    answer = requests.post(f"{server.url}/xmatch/api/v1/sync", data=parameters, files=upload, timeout=20)
    assert answer.status_code == 200, answer.text
    ours = next(csv.reader(answer.text.splitlines()))
    assert ours[: 1 + len(listed.columns)] == theirs[: 1 + len(listed.columns)] and "TIC" in ours
