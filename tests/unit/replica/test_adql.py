"""Every construct of ADQL that the replica answers, against the same question in NumPy."""

import numpy as np
import pyarrow as pa
import pytest

from tasks.replica.adql import prepare, translate
from tests.unit.replica.hand_made import HandMade

SOURCE = "gaiadr3.gaia_source"


@pytest.fixture(scope="module")
def sky() -> HandMade:
    return HandMade()


@pytest.fixture(scope="module")
def g(sky: HandMade) -> dict[str, np.ndarray]:
    return sky.columns(SOURCE)


@pytest.fixture(scope="module")
def rr(sky: HandMade) -> dict[str, np.ndarray]:
    return sky.columns("gaiadr3.vari_rrlyrae")


def ask(sky: HandMade, text: str, service: str = "gaia", limit: int | None = None) -> pa.Table:
    query = translate(text, sky.tables(service), limit)
    cursor = sky.connect().cursor()
    prepare(cursor)
    answer = cursor.execute(query.sql).to_arrow_table()
    assert answer.column_names == [output.name for output in query.outputs]
    return answer


def ids(answer: pa.Table, column: str = "source_id") -> list[int]:
    return sorted(answer.column(column).to_pylist())


def test_top_and_order(sky, g):
    answer = ask(sky, "SELECT TOP 7 source_id, phot_g_mean_mag FROM gaiadr3.gaia_source ORDER BY phot_g_mean_mag DESC")
    best = np.argsort(-g["phot_g_mean_mag"])[:7]
    assert answer.column("source_id").to_pylist() == g["source_id"][best].tolist()


def test_top_is_less_than_limit_and_limit_less_than_top(sky):
    assert len(ask(sky, "SELECT TOP 5 ra FROM gaiadr3.gaia_source", limit=9)) == 5
    assert len(ask(sky, "SELECT TOP 50 ra FROM gaiadr3.gaia_source", limit=9)) == 9
    assert len(ask(sky, "SELECT ra FROM gaiadr3.gaia_source", limit=9)) == 9
    assert translate("SELECT TOP 50 ra FROM gaiadr3.gaia_source", sky.tables("gaia"), 9).top == 50


def test_nulls_sort_as_in_postgres(sky):
    up = ask(sky, "SELECT parallax FROM gaiadr3.gaia_source ORDER BY parallax").column(0).to_pylist()
    down = ask(sky, "SELECT parallax FROM gaiadr3.gaia_source ORDER BY parallax DESC").column(0).to_pylist()
    assert up[0] is not None and up[-1] is None and down[0] is None and down[-1] is not None


def test_where_with_and_or_not(sky, g):
    answer = ask(
        sky,
        "SELECT source_id FROM gaiadr3.gaia_source WHERE (phot_g_mean_mag < 12.5 OR NOT dec > -10) "
        "AND random_index BETWEEN 100 AND 900 AND phot_variable_flag <> 'VARIABLE'",
    )
    keep = (g["phot_g_mean_mag"] < 12.5) | ~(g["dec"] > -10)
    keep &= (g["random_index"] >= 100) & (g["random_index"] <= 900) & (g["phot_variable_flag"] != "VARIABLE")
    assert ids(answer) == sorted(g["source_id"][keep].tolist()) and keep.sum() > 10


def test_in_list_of_thousands(sky, g):
    wanted = g["source_id"][::2].tolist() + list(range(4000))
    answer = ask(sky, f"SELECT source_id FROM gaiadr3.gaia_source WHERE source_id IN ({','.join(map(str, wanted))})")
    assert ids(answer) == sorted(g["source_id"][::2].tolist())


def test_not_in_list_and_like(sky, g):
    few = g["source_id"][:5].tolist()
    answer = ask(
        sky,
        f"SELECT source_id FROM gaiadr3.gaia_source WHERE source_id NOT IN ({', '.join(map(str, few))}) "
        "AND phot_variable_flag LIKE '%AVAIL%'",
    )
    keep = ~np.isin(g["source_id"], few) & (g["phot_variable_flag"] == "NOT_AVAILABLE")
    assert ids(answer) == sorted(g["source_id"][keep].tolist())


def test_strings_in_list(sky):
    answer = ask(sky, "SELECT ID, GAIA FROM dbo.catalogrecord WHERE ID IN ('3', '7', 'none')", "tic")
    assert answer.column("ID").to_pylist() == ["3", "7"] and answer.column_names == ["ID", "GAIA"]


def test_is_null(sky, g):
    null = ask(sky, "SELECT source_id FROM gaiadr3.gaia_source WHERE parallax IS NULL")
    full = ask(sky, "SELECT source_id FROM gaiadr3.gaia_source WHERE parallax IS NOT NULL")
    assert ids(null) == sorted(g["source_id"][np.isnan(g["parallax"])].tolist())
    assert len(null) + len(full) == sky.n and len(null) > 0


@pytest.mark.parametrize("spelling", ["'true'", "'True'", "'TRUE'", "'t'"])
def test_booleans_as_gaia_spells_them(sky, g, spelling):
    yes = ask(sky, f"SELECT source_id FROM gaiadr3.gaia_source WHERE has_epoch_photometry = {spelling}")
    no = ask(sky, f"SELECT source_id FROM gaiadr3.gaia_source WHERE {spelling} <> (has_epoch_photometry)")
    assert ids(yes) == sorted(g["source_id"][g["has_epoch_photometry"].astype(bool)].tolist())
    assert len(yes) + len(no) == sky.n


def test_join_using(sky, g, rr):
    answer = ask(
        sky,
        "SELECT source_id, v.pf, g.ra, v.source_id FROM gaiadr3.gaia_source AS g "
        "JOIN gaiadr3.vari_rrlyrae AS v USING (source_id) WHERE v.best_classification = 'RRc'",
    )
    place = {one: index for index, one in enumerate(g["source_id"])}
    keep = rr["best_classification"] == "RRc"
    assert answer.column_names == ["source_id", "pf", "ra", "source_id_2"]
    expected = {int(i): (p, g["ra"][place[i]]) for i, p in zip(rr["source_id"][keep], rr["pf"][keep], strict=True)}
    found = {row["source_id"]: (row["pf"], row["ra"]) for row in answer.to_pylist()}
    assert found == expected


def test_left_join_on(sky, g, rr):
    answer = ask(
        sky,
        "SELECT g.source_id, pf FROM gaiadr3.gaia_source g LEFT OUTER JOIN gaiadr3.vari_rrlyrae v "
        "ON g.source_id = v.source_id WHERE g.random_index < 500",
    )
    keep = g["random_index"] < 500
    with_period = np.isin(g["source_id"][keep], rr["source_id"])
    assert ids(answer) == sorted(g["source_id"][keep].tolist())
    assert answer.column("pf").null_count == (~with_period).sum() > 0


def test_comma_join(sky, rr):
    answer = ask(
        sky,
        "SELECT v.source_id FROM gaiadr3.gaia_source AS g, gaiadr3.vari_rrlyrae AS v WHERE g.source_id = v.source_id",
    )
    assert ids(answer) == sorted(rr["source_id"].tolist())


def test_stars_of_a_join(sky):
    every = ask(sky, "SELECT TOP 3 * FROM gaiadr3.gaia_source JOIN gaiadr3.vari_rrlyrae USING (source_id)")
    one = ask(sky, "SELECT TOP 3 v.*, ra FROM gaiadr3.gaia_source g JOIN gaiadr3.vari_rrlyrae v USING (source_id)")
    names = sky.data[SOURCE].column_names
    assert every.column_names == [*names, "pf", "best_classification"]
    assert one.column_names == ["source_id", "pf", "best_classification", "ra"]


def test_columns_qualified_by_schema_and_table(sky):
    answer = ask(sky, "SELECT TOP 1 gaiadr3.gaia_source.ra, gaia_source.dec FROM gaiadr3.gaia_source")
    assert answer.column_names == ["ra", "dec"]


def test_case_and_quotes_do_not_matter(sky):
    answer = ask(sky, 'select TOP 2 "objID", OBJID as again, "gMeanPSFMag" from DBO.meanobjectview AS "M"', "ps1")
    assert answer.column_names == ["objID", "again", "gMeanPSFMag"]


def test_sub_selects(sky, g, rr):
    answer = ask(
        sky,
        "SELECT s.source_id FROM (SELECT TOP 100 source_id, phot_g_mean_mag AS m FROM gaiadr3.gaia_source "
        "ORDER BY m) AS s WHERE s.source_id IN (SELECT source_id FROM gaiadr3.vari_rrlyrae WHERE pf > 0.5)",
    )
    bright = g["source_id"][np.argsort(g["phot_g_mean_mag"])[:100]]
    assert ids(answer) == sorted(set(bright) & set(rr["source_id"][rr["pf"] > 0.5])) and len(answer) > 0


def test_correlated_exists(sky, g, rr):
    answer = ask(
        sky,
        "SELECT source_id FROM gaiadr3.gaia_source AS g WHERE NOT EXISTS "
        "(SELECT 1 AS one FROM gaiadr3.vari_rrlyrae AS v WHERE v.source_id = g.source_id)",
    )
    assert ids(answer) == sorted(set(g["source_id"]) - set(rr["source_id"]))


def test_group_by_having_and_aggregates(sky, g):
    answer = ask(
        sky,
        "SELECT phot_variable_flag AS flag, COUNT(*) AS n, AVG(dec) AS mean, MAX(phot_g_n_obs) AS most, "
        "COUNT(DISTINCT phot_g_n_obs) AS kinds FROM gaiadr3.gaia_source WHERE phot_variable_flag <> 'VARIABLE' "
        "GROUP BY flag HAVING COUNT(*) > 10 ORDER BY flag",
    )
    for row in answer.to_pylist():
        keep = g["phot_variable_flag"] == row["flag"]
        counts = g["phot_g_n_obs"][keep]
        assert row["n"] == keep.sum() and row["mean"] == pytest.approx(g["dec"][keep].mean())
        assert row["most"] == np.nanmax(counts) and row["kinds"] == len(np.unique(counts[~np.isnan(counts)]))
    assert len(answer) == 2


def test_distinct_and_count(sky, g):
    answer = ask(sky, "SELECT DISTINCT phot_variable_flag FROM gaiadr3.gaia_source")
    assert sorted(answer.column(0).to_pylist()) == sorted(set(g["phot_variable_flag"]))
    assert ask(sky, "SELECT COUNT(*) FROM gaiadr3.gaia_source").to_pydict() == {"COUNT_ALL": [sky.n]}


def test_union(sky, rr):
    answer = ask(
        sky,
        "SELECT source_id FROM gaiadr3.vari_rrlyrae WHERE pf > 0.5 UNION "
        "SELECT source_id FROM gaiadr3.vari_rrlyrae WHERE pf < 0.6 ORDER BY source_id",
    )
    assert answer.column(0).to_pylist() == sorted(rr["source_id"].tolist())


def test_functions(sky, g):
    answer = ask(
        sky,
        "SELECT source_id, COALESCE(parallax, -999.5) AS plx, CAST(phot_g_mean_mag AS INTEGER) AS m, "
        "MOD(random_index + 1, 10) AS digit, LOG(phot_g_mean_mag) AS ln_g, LOG10(phot_g_mean_mag) AS lg, "
        "POWER(10, -0.4 * phot_g_mean_mag) AS flux, SQRT(ABS(dec)) AS root, CEILING(ra) AS up, FLOOR(ra) AS down, "
        "ROUND(ra, 2) AS near, SIN(RADIANS(dec)) AS s, ATAN2(dec, ra) AS a, LOWER(phot_variable_flag) AS low, "
        "CAST(source_id AS VARCHAR) || '-' || UPPER('x') AS text, random_index / 7 AS whole, ra / 7 AS part, "
        "PI() AS pi, EXP(-1) AS e, DEGREES(1.0) AS deg, -dec AS south "
        "FROM gaiadr3.gaia_source ORDER BY random_index",
    )
    order = np.argsort(g["random_index"])
    g = {name: values[order] for name, values in g.items()}
    found = {name: answer.column(name).to_numpy() for name in answer.column_names}
    magnitude = g["phot_g_mean_mag"].astype("f8")
    expected = {
        "plx": np.where(np.isnan(g["parallax"]), -999.5, g["parallax"]),
        "m": np.rint(magnitude),
        "digit": (g["random_index"] + 1) % 10,
        "ln_g": np.log(magnitude),
        "lg": np.log10(magnitude),
        "flux": 10 ** (-0.4 * magnitude),
        "root": np.sqrt(abs(g["dec"])),
        "up": np.ceil(g["ra"]),
        "down": np.floor(g["ra"]),
        "near": np.round(g["ra"], 2),
        "s": np.sin(np.radians(g["dec"])),
        "a": np.arctan2(g["dec"], g["ra"]),
        "whole": g["random_index"] // 7,
        "part": g["ra"] / 7,
        "pi": np.full(sky.n, np.pi),
        "e": np.full(sky.n, np.exp(-1)),
        "deg": np.full(sky.n, np.degrees(1)),
        "south": -g["dec"],
    }
    for name, values in expected.items():
        np.testing.assert_allclose(found[name].astype("f8"), values.astype("f8"), rtol=1e-6, atol=1e-12, err_msg=name)
    assert found["low"].tolist() == [text.lower() for text in g["phot_variable_flag"]]
    assert found["text"].tolist() == [f"{one}-X" for one in g["source_id"]]


def test_bit_masks(sky, g):
    answer = ask(sky, "SELECT source_id FROM gaiadr3.gaia_source WHERE (random_index & 6) = 4")
    assert ids(answer) == sorted(g["source_id"][(g["random_index"] & 6) == 4].tolist())


def test_numbers_with_a_point_are_doubles(sky, g):
    """A float column never equals its shortest decimal in double precision; with DuckDB's decimals it would."""
    short, exact = str(g["phot_g_mean_mag"][4]), repr(float(g["phot_g_mean_mag"][4]))
    question = "SELECT source_id FROM gaiadr3.gaia_source WHERE phot_g_mean_mag = "
    assert short != exact and len(ask(sky, question + short)) == 0
    assert g["source_id"][4] in ids(ask(sky, question + exact))


def test_integers_divide_as_integers(sky):
    answer = ask(sky, "SELECT TOP 1 5/60 AS trap, 5./60. AS right_way FROM gaiadr3.gaia_source")
    assert answer.to_pylist() == [{"trap": 0, "right_way": 5 / 60}]


def test_served_columns_are_remembered(sky):
    query = translate(
        "SELECT s.ra AS alpha, s.dec, s.parallax * 2 AS twice FROM (SELECT * FROM gaiadr3.gaia_source) AS s",
        sky.tables("gaia"),
    )
    assert [output.name for output in query.outputs] == ["alpha", "dec", "twice"]
    assert [output.served and output.served.unit for output in query.outputs] == ["deg", "deg", None]
