"""The MAST portal's TIC through unmodified astroquery, against the held catalogue and the recorded answers."""

import json
import warnings
from pathlib import Path

import astropy.units as u
import numpy as np
import pytest
import requests
from astropy.coordinates import SkyCoord

from tasks.replica import portal
from tasks.replica.portal_columns import IDS, NUMERIC_TEXT
from tests.unit.replica.served_sky import Server, serving

COMPARED = ("ID", "GAIA", "Tmag", "Teff", "rad", "lumclass", "disposition")


@pytest.fixture(scope="module")
def served():
    with serving(portal) as server:
        yield server


@pytest.fixture
def server(served: Server):
    yield served
    served.state.faults.clear()


@pytest.fixture(scope="module")
def held(served: Server):
    relation = served.holdings.tables("tic")["dbo.catalogrecord"].relation
    with served.holdings.connect() as connection:
        return connection.execute(f"SELECT * FROM {relation} ORDER BY ID::BIGINT").to_arrow_table().to_pandas()


@pytest.fixture(scope="module")
def catalogs(served: Server):
    from astroquery.mast import CatalogsClass

    catalogs = CatalogsClass()
    connection = catalogs._portal_api_connection
    connection.MAST_REQUEST_URL = f"{served.url}/mast/api/v0/invoke"
    connection.COLUMNS_CONFIG_URL = f"{served.url}/mast/portal/Mashup/Mashup.asmx/columnsconfig"
    connection._column_configs = {}
    return catalogs


@pytest.fixture(scope="module")
def recorded() -> Path:
    import astroquery.mast

    return Path(astroquery.mast.__file__).parent / "tests" / "data"


def invoke(server: Server, service: str, **parameters) -> dict:
    page = {name: parameters.pop(name) for name in ("page", "pagesize") if name in parameters}
    body = {"service": service, "params": parameters, "format": "json", "cacheBreaker": "x", **page}
    answer = requests.post(f"{server.url}/mast/api/v0/invoke", data={"request": json.dumps(body)}, timeout=20)
    assert answer.status_code == 200
    return answer.json()


def same_rows(found, expected) -> None:
    """The same stars with the same values, in any order."""
    assert sorted(map(int, found["ID"])) == sorted(expected["ID"].astype(int))
    expected = expected.set_index("ID")
    for row in found:
        star = expected.loc[str(row["ID"])]
        for name in COMPARED[1:]:
            value = row[name]
            if star[name] is None or star[name] != star[name]:
                assert value is np.ma.masked or value != value or str(value) == "", name
            else:
                assert str(value) == str(star[name]), name


def test_by_gaia_ids(catalogs, held):
    wanted = held[held["GAIA"].notna()].iloc[::20]
    found = catalogs.query_criteria(catalog="TIC", GAIA=[*wanted["GAIA"], "17"])
    same_rows(found, held[held["GAIA"].isin(wanted["GAIA"])])
    assert len(found.colnames) == 89


def test_by_ids_and_classes(catalogs, held):
    wanted = held.iloc[::9]
    same_rows(catalogs.query_criteria(catalog="TIC", ID=[int(id) for id in wanted["ID"]]), wanted)
    giants = wanted[wanted["lumclass"] == "GIANT"]
    assert 0 < len(giants) < len(wanted)
    same_rows(catalogs.query_criteria(catalog="TIC", ID=list(wanted["ID"]), lumclass="GIANT"), giants)


def test_by_range_over_pages(server, catalogs, held):
    bright = held[held["Tmag"].between(12.0, 17.0)]
    found = catalogs.query_criteria(catalog="TIC", Tmag=[12.0, 17.0], pagesize=40)
    assert len(bright) > 120
    same_rows(found, bright)
    filters = [{"paramName": "Tmag", "values": [{"min": 12.0, "max": 17.0}]}]
    pages = [
        invoke(server, "Mast.Catalogs.Filtered.Tic.Rows", filters=filters, columns="*", page=page, pagesize=40)
        for page in (1, 2, 99)
    ]
    total = -(-len(bright) // 40)
    assert [answer["paging"]["pagesFiltered"] for answer in pages] == [total] * 3
    assert [len(answer["data"]) for answer in pages] == [40, 40, 0]
    assert pages[0]["paging"] == {
        "page": 1,
        "pageSize": 40,
        "pagesFiltered": total,
        "rows": 40,
        "rowsFiltered": len(bright),
        "rowsTotal": len(bright),
    }


def test_pages_are_no_longer_than_the_server_allows(server, held):
    server.state.limits.portal_page = 13
    try:
        filters = [{"paramName": "Tmag", "values": [{"min": 0, "max": 99}]}]
        answer = invoke(server, "Mast.Catalogs.Filtered.Tic.Rows", filters=filters, page=1, pagesize=50_000)
    finally:
        server.state.limits.portal_page = 50_000
    assert len(answer["data"]) == 13
    assert answer["paging"]["pagesFiltered"] == -(-int(held["Tmag"].notna().sum()) // 13)


@pytest.mark.parametrize("ra", [None, 0.0])
def test_by_cone(catalogs, held, ra):
    """Around a star, and around RA 0 where the circle goes over the edge."""
    centre = SkyCoord(held["ra"][5] if ra is None else ra, held["dec"][5], unit="deg")
    distance = SkyCoord(held["ra"].to_numpy(), held["dec"].to_numpy(), unit="deg").separation(centre)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no results
        found = catalogs.query_region(centre, radius=15 * u.deg, catalog="TIC")
    near = held[distance < 15 * u.deg]
    same_rows(found, near)
    if len(found):
        expected = dict(zip(held["ID"].astype(int), distance.arcsec, strict=True))
        np.testing.assert_allclose(found["dstArcSec"], [expected[int(id)] for id in found["ID"]], atol=1e-6)
        assert np.all(np.diff(found["dstArcSec"]) >= 0)
    bright = near[near["Tmag"].between(10.0, 17.0)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        same_rows(catalogs.query_criteria(catalog="TIC", coordinates=centre, radius=15 * u.deg, Tmag=[10, 17]), bright)


def test_wildcards(catalogs, held):
    star = held[held["TWOMASS"].notna()].iloc[0] if held["TWOMASS"].notna().any() else held.iloc[0]
    name = "TWOMASS" if star["TWOMASS"] else "ID"
    start = str(star[name])[:4]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = catalogs.query_criteria(catalog="TIC", **{name: [f"{start}*"]})
    same_rows(found, held[held[name].astype(str).str.startswith(start)])


def test_fields_are_those_of_the_recorded_answer(server, held, recorded):
    theirs = json.loads((recorded / "tic.json").read_text())
    filters = [{"paramName": "ID", "values": [held["ID"][0]]}]
    ours = invoke(server, "Mast.Catalogs.Filtered.Tic.Rows", filters=filters, columns="*")
    assert set(ours) == set(theirs)
    assert ours["fields"] == theirs["fields"]
    assert set(ours["paging"]) == set(theirs["paging"])
    assert set(ours["data"][0]) == set(theirs["data"][0])
    for name in ("ID", "objID"):
        assert type(ours["data"][0][name]) is type(theirs["data"][0][name]) is int
    assert set(NUMERIC_TEXT) < set(IDS)


def test_columns_of_everything_are_those_of_the_recorded_answer(server, recorded):
    theirs = json.loads((recorded / "ticcolumns_filtered.json").read_text())
    ours = invoke(server, "Mast.Catalogs.All.Tic")
    (table,), (their_table,) = ours["data"]["Tables"], theirs["data"]["Tables"]
    assert set(ours) == set(theirs) and set(table) == set(their_table)
    assert table["Fields"] == their_table["Fields"]
    assert table["Columns"] == their_table["Columns"]
    own, recorded_ones = table["ExtendedProperties"], their_table["ExtendedProperties"]
    assert set(own) == set(recorded_ones)
    assert set(own["discreteHistogram"]) == set(recorded_ones["discreteHistogram"])
    # Ids by range would keep astroquery from asking for them; e_ebv is left out of the recorded histograms.
    assert set(own["continuousHistogram"]) - {"e_ebv"} == set(recorded_ones["continuousHistogram"]) - set(IDS)
    assert set(own["continuousHistogram"]["Tmag"]) == set(recorded_ones["continuousHistogram"]["Tmag"])
    assert own["continuousHistogram"]["Tmag"]["type"] == "numeric"


@pytest.mark.parametrize(
    ("service", "parameters"),
    [
        ("Mast.Catalogs.Filtered.Tic.Rows", {"filters": [{"paramName": "tmag; DROP", "values": ["1"]}]}),
        ("Mast.Catalogs.Filtered.Tic.Rows", {"filters": [{"paramName": "HIP", "values": ["x"]}]}),
        ("Mast.Catalogs.Filtered.Tic.Rows", {}),
        ("Mast.Catalogs.Tic.Cone", {"ra": 1.0}),
        ("Mast.Galex.Catalog", {"ra": 1.0, "dec": 1.0, "radius": 1.0}),
    ],
)
def test_what_the_portal_does_not_understand(server, service, parameters):
    answer = invoke(server, service, **parameters)
    assert answer["status"] == "ERROR" and answer["msg"] and answer["data"] == []


def test_faults_of_content(server, held):
    wanted = [str(id) for id in held["ID"][:3]]

    def rows():
        filters = [{"paramName": "ID", "values": wanted}]
        return invoke(server, "Mast.Catalogs.Filtered.Tic.Rows", filters=filters, columns="*")["data"]

    plain = rows()
    for kind in ("missing_ids", "duplicate_ids", "sentinel", "empty_product"):
        server.state.faults.add([{"service": "mast_portal", "kind": kind}])
        faulty = rows()
        expected = {
            "missing_ids": plain[1:],
            "duplicate_ids": [plain[0], *plain],
            "empty_product": [],
            "sentinel": [plain[0] | {name: -999 for name in portal.STELLAR}, *plain[1:]],
        }
        assert faulty == expected[kind]
        assert rows() == plain
