"""Cones and positional joins in ADQL against every pair of positions in NumPy, at the poles and across RA 0 too."""

import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from tasks.replica.adql import ROW, AdqlError, prepare, translate
from tasks.replica.served import ServedColumn, ServedTable
from tests.unit.replica.hand_made import HandMade, angles

RADIUS = 0.002
UPLOAD = ServedTable(
    "tap_upload.mine",
    "upload_mine",
    "",
    (ServedColumn("name", "char"), ServedColumn("alpha", "double"), ServedColumn("delta", "double")),
)


@pytest.fixture(scope="module")
def sky() -> HandMade:
    return HandMade()


@pytest.fixture(scope="module")
def mine(sky: HandMade) -> dict[str, np.ndarray]:
    """Positions to upload: 60 stars shifted a little, and places where nothing is."""
    g, rng = sky.columns("gaiadr3.gaia_source"), np.random.default_rng(8)
    chosen = np.r_[0:20, 250:270, 500:520]
    alpha, delta = g["ra"][chosen] + 1e-4, np.clip(g["dec"][chosen] + rng.normal(0, 5e-4, 60), -90, 90)
    alpha, delta = np.r_[alpha, 12.0, 200.0, -0.0001], np.r_[delta, 33.3, -41.0, 0.003]
    return {"name": np.array([f"p{i}" for i in range(len(alpha))]), "alpha": alpha, "delta": delta}


def ask(sky: HandMade, mine: dict[str, np.ndarray], text: str, service: str = "gaia") -> pa.Table:
    cursor = sky.connect().cursor()
    prepare(cursor)
    cursor.register("incoming", pa.table(mine))
    cursor.execute(f"CREATE TEMP TABLE upload_mine AS SELECT *, row_number() OVER () AS {ROW} FROM incoming")
    query = translate(text, {**sky.tables(service), "tap_upload.mine": UPLOAD})
    return cursor.execute(query.sql).to_arrow_table()


CONES = [(10.0, 89.999, 0.01), (200.0, 90.0, 0.002), (77.0, -90.0, 0.003), (0.0, 0.0, 0.004), (359.999, 0.001, 0.005)]


@pytest.mark.parametrize("cone", [*CONES, (120.0, 20.0, 15.0), (30.0, -80.0, 60.0), (5.0, 0.0, 180.0)])
def test_cone(sky, mine, cone):
    g = sky.columns("gaiadr3.gaia_source")
    ra, dec, radius = cone
    answer = ask(
        sky,
        mine,
        f"SELECT source_id, DISTANCE(POINT('ICRS', ra, dec), POINT('ICRS', {ra}, {dec})) AS dist "
        f"FROM gaiadr3.gaia_source WHERE 1=CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', {ra}, {dec}, {radius})) "
        "ORDER BY dist ASC",
    )
    angle = angles(g["ra"], g["dec"], ra, dec)
    inside = angle <= radius
    order = np.argsort(angle[inside])
    assert answer.column("source_id").to_pylist() == g["source_id"][inside][order].tolist() and inside.any()
    np.testing.assert_allclose(answer.column("dist").to_numpy(), angle[inside][order], rtol=1e-6, atol=1e-11)


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 360), st.floats(-90, 90), st.floats(1e-6, 179))
def test_every_cone_holds_what_numpy_finds(sky, mine, ra, dec, radius):
    g = sky.columns("gaiadr3.gaia_source")
    answer = ask(
        sky,
        mine,
        "SELECT source_id FROM gaiadr3.gaia_source WHERE "
        f"CONTAINS(POINT({ra!r}, {dec!r}), CIRCLE(POINT('', ra, dec), {radius!r})) = 1",
    )
    angle = angles(g["ra"], g["dec"], ra, dec)
    sure = abs(angle - radius) > 1e-6
    found = np.isin(g["source_id"], answer.column(0).to_numpy())
    assert (found == (angle <= radius))[sure].all()


def test_outside_a_cone(sky, mine):
    g = sky.columns("gaiadr3.gaia_source")
    answer = ask(
        sky,
        mine,
        "SELECT COUNT(*) AS n FROM gaiadr3.gaia_source "
        "WHERE CONTAINS(POINT('ICRS', ra, dec), CIRCLE('ICRS', 40, -5, 30)) = 0",
    )
    assert answer.column("n").to_pylist() == [(angles(g["ra"], g["dec"], 40, -5) > 30).sum()]


JOINS = [
    "FROM gaiadr3.gaia_source AS g JOIN TAP_UPLOAD.mine AS m "
    f"ON 1=CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', m.alpha, m.delta, {RADIUS}))",
    "FROM TAP_UPLOAD.mine AS m, gaiadr3.gaia_source AS g "
    f"WHERE CONTAINS(POINT('ICRS', m.alpha, m.delta), CIRCLE('ICRS', g.ra, g.dec, {RADIUS})) = 1",
    "FROM tap_upload.MINE AS m JOIN gaiadr3.gaia_source AS g "
    f"ON DISTANCE(POINT(g.ra, g.dec), POINT(m.alpha, m.delta)) <= {RADIUS}",
    f"FROM gaiadr3.gaia_source g JOIN tap_upload.mine m ON {RADIUS} > DISTANCE(g.ra, g.dec, m.alpha, m.delta)",
    "FROM gaiadr3.gaia_source g JOIN (SELECT name, alpha, delta FROM TAP_UPLOAD.mine) AS m "
    f"ON 1=CONTAINS(POINT('ICRS', m.alpha, m.delta), CIRCLE('ICRS', g.ra, g.dec, {RADIUS * 3600}/3600.))",
]


@pytest.mark.parametrize("clause", JOINS)
def test_join_on_position(sky, mine, clause):
    g = sky.columns("gaiadr3.gaia_source")
    answer = ask(sky, mine, f"SELECT m.name, g.source_id {clause}")
    near = angles(g["ra"][None], g["dec"][None], mine["alpha"][:, None], mine["delta"][:, None]) < RADIUS
    upload, star = np.nonzero(near)
    expected = sorted(zip(mine["name"][upload].tolist(), g["source_id"][star].tolist(), strict=True))
    assert sorted((row["name"], row["source_id"]) for row in answer.to_pylist()) == expected and len(expected) > 60


def test_left_join_on_position_keeps_the_lonely(sky, mine):
    g = sky.columns("gaiadr3.gaia_source")
    answer = ask(
        sky,
        mine,
        "SELECT m.name, g.source_id, m.alpha FROM TAP_UPLOAD.mine AS m LEFT JOIN gaiadr3.gaia_source AS g "
        f"ON 1=CONTAINS(POINT('ICRS', g.ra, g.dec), CIRCLE('ICRS', m.alpha, m.delta, {RADIUS})) "
        "AND g.phot_g_mean_mag < 18.5 WHERE m.alpha < 350",
    )
    near = angles(g["ra"][None], g["dec"][None], mine["alpha"][:, None], mine["delta"][:, None]) < RADIUS
    near &= (g["phot_g_mean_mag"] < 18.5)[None]
    expected = []
    for row in np.flatnonzero(mine["alpha"] < 350):
        found = g["source_id"][near[row]].tolist() or [None]
        expected += [(str(mine["name"][row]), one) for one in found]
    found = [(row["name"], row["source_id"]) for row in answer.to_pylist()]
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert answer.column("source_id").null_count == 2


def test_outer_join_on_position_of_served_tables_is_refused(sky, mine):
    for text in (
        "gaiadr3.gaia_source AS g LEFT JOIN gaiadr3.gaia_source AS h ON DISTANCE(g.ra, g.dec, h.ra, h.dec) < 0.1",
        "TAP_UPLOAD.mine AS m RIGHT JOIN gaiadr3.gaia_source AS g ON DISTANCE(g.ra, g.dec, m.alpha, m.delta) < 0.1",
    ):
        with pytest.raises(AdqlError, match="JOIN on a position"):
            ask(sky, mine, f"SELECT g.ra FROM {text}")


@pytest.fixture(scope="module")
def large_sky() -> HandMade:
    return HandMade(300_000, 5, is_crowded=False)


@pytest.mark.parametrize("left", [False, True])
def test_five_thousand_positions_against_three_hundred_thousand_rows(large_sky, left):
    sky, rng = large_sky, np.random.default_rng(1)
    o = sky.columns("dbo.meanobjectview")
    chosen = rng.choice(len(o["objID"]), 5000, replace=False)
    delta = np.r_[o["decMean"][chosen[:3000]], rng.uniform(-90, 90, 2000)]
    mine = {"name": chosen.astype(str), "alpha": o["raMean"][chosen], "delta": delta}
    join = (
        "TAP_UPLOAD.mine m LEFT JOIN dbo.MeanObjectView o ON"
        if left
        else "dbo.MeanObjectView o, TAP_UPLOAD.mine m WHERE"
    )
    cone = "1 = CONTAINS(POINT(o.raMean, o.decMean), CIRCLE(m.alpha, m.delta, 1.5/3600))"
    began = time.perf_counter()
    answer = ask(sky, mine, f"SELECT m.name, o.objID FROM {join} {cone}", "ps1")
    seconds = time.perf_counter() - began
    print(seconds)
    pairs = cKDTree(vectors(o["raMean"], o["decMean"])).query_ball_point(
        vectors(mine["alpha"], delta), 2 * np.sin(np.radians(1.5 / 3600) / 2)
    )
    expected = [(name, o["objID"][one]) for name, near in zip(mine["name"], pairs, strict=True) for one in near]
    found = [(row["name"], row["objID"]) for row in answer.to_pylist() if row["objID"] is not None]
    assert sorted(found) == sorted(expected) and len(expected) >= 3000
    assert answer.column("objID").null_count == (sum(not near for near in pairs) if left else 0)
    assert seconds < 5  # 0.3 s on an idle core; every pair would take 15 s


def vectors(ra, dec) -> np.ndarray:
    ra, dec = np.radians(ra), np.radians(dec)
    return np.column_stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])


def test_sources_of_an_in_list_against_all_their_neighbours(sky, mine):
    g = sky.columns("gaiadr3.gaia_source")
    some = g["source_id"][:300].tolist()
    answer = ask(
        sky,
        mine,
        "SELECT a.source_id, b.source_id AS neighbour FROM gaiadr3.gaia_source AS a JOIN gaiadr3.gaia_source AS b "
        f"ON 1=CONTAINS(POINT('ICRS', b.ra, b.dec), CIRCLE('ICRS', a.ra, a.dec, {RADIUS})) "
        f"WHERE a.source_id IN ({','.join(map(str, some))}) AND a.source_id <> b.source_id",
    )
    near = angles(g["ra"][:300, None], g["dec"][:300, None], g["ra"][None], g["dec"][None]) <= RADIUS
    first, second = np.nonzero(near & (g["source_id"][:300, None] != g["source_id"][None]))
    expected = sorted(zip(g["source_id"][first].tolist(), g["source_id"][second].tolist(), strict=True))
    assert sorted((row["source_id"], row["neighbour"]) for row in answer.to_pylist()) == expected
