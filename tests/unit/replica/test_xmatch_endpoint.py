"""CDS XMatch through unmodified astroquery, against distances computed by astropy."""

import io
import os
from pathlib import Path

import astropy.units as u
import numpy as np
import pyarrow.csv
import pytest
import requests
from astropy.coordinates import SkyCoord, search_around_sky
from astropy.io import votable
from astropy.table import Table

from tasks.replica import xmatch
from tests.unit.replica.served_sky import Server, serving

CATALOGUE = "vizier:IV/39/tic82"
RADIUS = 20.0


@pytest.fixture(scope="module")
def served():
    with serving(xmatch) as server:
        yield server


@pytest.fixture
def server(served: Server):
    yield served
    served.state.faults.clear()
    served.state.limits.xmatch_rows = 50_000


@pytest.fixture(scope="module")
def tic(served: Server):
    relation = served.holdings.tables("vizier")["iv/39/tic82"].relation
    with served.holdings.connect() as connection:
        return connection.execute(f"SELECT * FROM {relation}").to_arrow_table().to_pandas()


@pytest.fixture(scope="module")
def positions(tic) -> Table:
    """Places near stars, up to twice the radius and just inside or outside it, and at the poles and RA 0."""
    rng = np.random.default_rng(3)
    n = 80
    star = tic.iloc[rng.integers(0, len(tic), n)]
    distance, angle = rng.uniform(0, 2 * RADIUS, n) / 3600, rng.uniform(0, 2 * np.pi, n)
    distance[:20] = RADIUS / 3600 * np.tile([0.9999, 1.0001], 10)
    dec = star["DEJ2000"].to_numpy() + distance * np.cos(angle)
    ra = star["RAJ2000"].to_numpy() + distance * np.sin(angle) / np.cos(np.radians(dec))
    ra, dec = np.append(ra % 360, [0.0, 10.0, 10.0]), np.append(np.clip(dec, -90, 90), [0.0, 90.0, -90.0])
    return Table(
        {"source_id": 2**60 + np.arange(n + 3), "ra": ra, "dec": dec, "name": [f"star {i}" for i in range(n + 3)]}
    )


@pytest.fixture(scope="module")
def expected(tic, positions):
    """Pairs within RADIUS by astropy: (source_id, TIC) -> arcsec."""
    here = SkyCoord(positions["ra"], positions["dec"], unit="deg")
    there = SkyCoord(tic["RAJ2000"].to_numpy(), tic["DEJ2000"].to_numpy(), unit="deg")
    i, j, distance, _ = search_around_sky(here, there, RADIUS * u.arcsec)
    keys = zip(positions["source_id"][i].tolist(), tic["TIC"].to_numpy()[j].tolist(), strict=True)
    found = dict(zip(keys, distance.arcsec, strict=True))
    assert 20 < len(found) < len(positions) + 40
    return found


@pytest.fixture
def cds(server: Server):
    from astroquery.xmatch import XMatchClass

    cds = XMatchClass()
    cds.URL = f"{server.url}/xmatch/api/v1/sync"
    return cds


def query(cds, cat1, **options) -> Table:
    return cds.query(
        cat1=cat1, cat2=CATALOGUE, max_distance=RADIUS * u.arcsec, colRA1="ra", colDec1="dec", cache=False, **options
    )


def pairs_of(found) -> dict:
    return {
        (int(id), int(tic)): distance
        for id, tic, distance in zip(found["source_id"], found["TIC"], found["angDist"], strict=True)
    }


def same_pairs(found, expected) -> None:
    found = pairs_of(found)
    assert set(found) == set(expected)
    for pair, distance in expected.items():
        assert found[pair] == pytest.approx(distance, abs=2e-6)


def test_a_table_against_the_catalogue(cds, positions, tic, expected, monkeypatch):
    monkeypatch.setattr(cds, "get_available_tables", _uncached(cds))
    found = query(cds, positions)
    same_pairs(found, expected)
    assert found.colnames[:5] == ["angDist", "source_id", "ra", "dec", "name"]
    assert found.colnames[5:] == list(tic.columns)
    assert found["name"].tolist() == [f"star {id - 2**60}" for id in found["source_id"].tolist()]
    stars = tic.set_index("TIC").loc[found["TIC"].tolist()]
    teff = np.ma.filled(found["Teff"].astype(float), np.nan)
    np.testing.assert_array_equal(teff, stars["Teff"].to_numpy())
    assert found["angDist"].unit == u.arcsec


def _uncached(cds):
    """The real call, without astroquery's cache on disk, where another run's answer could lie."""
    original = cds.get_available_tables
    return lambda **_: original(cache=False)


def test_available_tables(cds):
    tables = cds.get_available_tables(cache=False)
    assert "IV/39/tic82" in tables
    answer = requests.get(f"{cds.URL}/tables", params={"action": "getColList", "tabName": CATALOGUE}, timeout=20)
    assert answer.json()[0]["name"] == "TIC"
    refused = requests.get(f"{cds.URL}/tables", params={"action": "getColList", "tabName": "vizier:x"}, timeout=20)
    assert refused.status_code == 400 and "error" in refused.json()


def post(server: Server, positions: Table, form: str = "ascii.csv", **parameters) -> requests.Response:
    text = io.BytesIO() if form == "votable" else io.StringIO()
    positions.write(text, format=form)
    fields = {"request": "xmatch", "distMaxArcsec": RADIUS, "cat2": CATALOGUE, "colRA1": "ra", "colDec1": "dec"}
    fields |= {"RESPONSEFORMAT": "csv"} | parameters
    fields = {name: value for name, value in fields.items() if value is not None}
    upload = {"cat1": ("cat1.csv", text.getvalue())}
    return requests.post(f"{server.url}/xmatch/api/v1/sync", data=fields, files=upload, timeout=20)


def read(answer: requests.Response, delimiter: str = ","):
    assert answer.status_code == 200, answer.text
    options = pyarrow.csv.ParseOptions(delimiter=delimiter)
    return pyarrow.csv.read_csv(io.BytesIO(answer.content), parse_options=options).to_pandas()


@pytest.mark.parametrize("form", ["ascii.csv", "votable"])
@pytest.mark.parametrize("style", ["csv", "tsv"])
def test_uploads_and_formats(server, positions, expected, form, style):
    same_pairs(
        read(post(server, positions, form, responseFormat=style, RESPONSEFORMAT=None), {"tsv": "\t"}.get(style, ",")),
        expected,
    )


def test_the_best_of_each_and_chosen_columns(server, positions, expected):
    found = read(post(server, positions, selection="best", cols1="source_id", cols2="TIC,Tmag"))
    assert list(found.columns) == ["angDist", "source_id", "TIC", "Tmag"]
    best: dict[int, float] = {}
    for (id, _), distance in expected.items():
        best[id] = min(best.get(id, np.inf), distance)
    assert found["source_id"].tolist() == sorted(best)
    np.testing.assert_allclose(found["angDist"], [best[id] for id in sorted(best)], atol=2e-6)


def test_a_cone_limits_the_first_catalogue(server, positions, expected):
    centre = SkyCoord(positions["ra"][0], positions["dec"][0], unit="deg")
    inside = SkyCoord(positions["ra"], positions["dec"], unit="deg").separation(centre) < 40 * u.deg
    ids = set(positions["source_id"][inside].tolist())
    found = read(post(server, positions, area="cone", coneRA=centre.ra.deg, coneDec=centre.dec.deg, coneRadiusDeg=40.0))
    same_pairs(found, {pair: distance for pair, distance in expected.items() if pair[0] in ids})
    assert 0 < len(found) < len(expected)


def test_rows_beyond_maxrec_are_cut(server, positions, expected):
    answer = post(server, positions, RESPONSEFORMAT="votable", MAXREC="5")
    document = votable.parse(io.BytesIO(answer.content))
    assert len(document.get_first_table().array) == 5 < len(expected)
    assert document.get_info_by_id("QUERY_STATUS").value == "OVERFLOW"


def test_a_name_may_be_there_twice(server, positions):
    twice = Table(positions[:5])
    twice["TIC"] = np.arange(5)
    header = post(server, twice).text.splitlines()[0].split(",")
    assert header.count("TIC") == 2
    assert len(post(server, twice, RESPONSEFORMAT="votable").content) > 0


def test_too_many_rows_end_in_a_gateway(server, positions):
    server.state.limits.xmatch_rows = len(positions) - 1
    answer = post(server, positions)
    assert answer.status_code == 504 and answer.text.startswith("<html>")


@pytest.mark.parametrize(
    "parameters",
    [
        {"distMaxArcsec": 181},
        {"distMaxArcsec": "x"},
        {"distMaxArcsec": 0},
        {"cat2": "vizier:II/246/out"},
        {"colRA1": "right"},
        {"colRA1": "name"},
        {"RESPONSEFORMAT": "json"},
        {"request": "other"},
        {"area": "zone"},
        {"cols2": "x"},
    ],
)
def test_bad_requests_say_why_where_astroquery_looks(server, positions, parameters):
    answer = post(server, positions, **parameters)
    assert answer.status_code == 400
    assert votable.parse(io.BytesIO(answer.content)).get_info_by_id("QUERY_STATUS").content


def test_astroquery_raises_the_services_sentence(cds, positions, monkeypatch):
    from astroquery.exceptions import InvalidQueryError

    monkeypatch.setattr(cds, "get_available_tables", _uncached(cds))
    with pytest.raises(InvalidQueryError, match="colRA1 'right' is no column of cat1"):
        cds.query(cat1=positions, cat2=CATALOGUE, max_distance=1 * u.arcsec, colRA1="right", colDec1="dec", cache=False)


def test_answers_are_shaped_as_the_recorded_one(server, positions):
    import astroquery.xmatch

    place = Path(astroquery.xmatch.__file__).parent / "tests" / "data" / "query_res.csv"
    recorded = place.read_text().splitlines()
    ours = post(server, positions).text.splitlines()
    assert recorded[0].split(",")[0] == ours[0].split(",")[0] == "angDist"
    assert all(len(line.split(",")[0].partition(".")[2]) <= 6 for line in [*recorded[1:], *ours[1:]])
    assert os.linesep.join(ours).count('"') == 0


def test_faults_of_content(server, positions):
    plain = read(post(server, positions))
    for kind in ("missing_ids", "duplicate_ids", "capped", "sentinel"):
        server.state.faults.add([{"service": "cds_xmatch", "kind": kind}])
        faulty = read(post(server, positions))
        first = plain["TIC"] == plain["TIC"][0]
        expected = {"missing_ids": (~first).sum(), "duplicate_ids": len(plain) + first.sum(), "capped": 1}
        assert len(faulty) == expected.get(kind, len(plain))
        assert (faulty["Teff"][0] == -999) == (kind == "sentinel")
        assert read(post(server, positions)).equals(plain)
