"""What the replica does not answer is refused by name."""

import pytest

from tasks.replica.adql import AdqlError, translate
from tests.unit.replica.hand_made import HandMade

S = "gaiadr3.gaia_source"
REFUSED = {
    f"SELECT POLYGON_AREA(ra) FROM {S}": "POLYGON_AREA",
    f"SELECT ra FROM {S} WHERE 1=CONTAINS(POINT('ICRS',ra,dec), POLYGON('ICRS',1,2,3,4,5,6))": "POLYGON",
    f"SELECT ra FROM {S} WHERE 1=CONTAINS(POINT('ICRS',ra,dec), BOX('ICRS',1,2,3,4))": "BOX",
    f"SELECT ra FROM {S} WHERE 1=INTERSECTS(POINT('ICRS',ra,dec), CIRCLE('ICRS',1,2,3))": "INTERSECTS",
    f"SELECT ra FROM {S} WHERE 2=CONTAINS(POINT(ra,dec), CIRCLE(1,2,3))": "CONTAINS",
    f"SELECT ra FROM {S} WHERE 1=CONTAINS(POINT('GALACTIC',l,b), CIRCLE('GALACTIC',1,2,3))": "GALACTIC",
    f"SELECT ra FROM {S} WHERE 1=CONTAINS(POINT(ra,dec), CIRCLE(1,2))": "CIRCLE takes",
    f"SELECT DISTANCE(ra, dec) FROM {S}": "DISTANCE takes",
    f"SELECT sphere_distance(1,2,3,4) FROM {S}": "SPHERE_DISTANCE",
    f"SELECT GAIA_HEALPIX_INDEX(8, source_id) FROM {S}": "GAIA_HEALPIX_INDEX",
    "SELECT crossmatch_positional('a','b','c','d',1.0,'x') FROM dual": "CROSSMATCH_POSITIONAL",
    f"SELECT ra FROM {S} LIMIT 3": "TOP",
    f"SELECT ra::int FROM {S}": "CAST",
    f"SELECT CAST(ra AS DATE) FROM {S}": "DATE",
    f"SELECT ra, FROM {S}": "missing",
    f"SELECT [ra] FROM {S}": "brackets",
    f"SELECT MIN(ra) OVER (PARTITION BY dec) FROM {S}": "WINDOW",
    f"SELECT CASE WHEN ra > 1 THEN 2 END FROM {S}": "CASE",
    f"WITH a AS (SELECT ra FROM {S}) SELECT ra FROM a": "WITH",
    f"SELECT ra FROM {S} NATURAL JOIN gaiadr3.vari_rrlyrae": "NATURAL",
    f"SELECT ra FROM {S} TABLESAMPLE (10 PERCENT)": "SAMPLE",
    f"SELECT ra FROM {S}, LATERAL (SELECT 1) AS x": "LATERAL",
    f"SELECT ra FROM {S} WHERE source_id IN ()": "empty",
    "SELECT 1": "FROM",
    f"DELETE FROM {S}": "DELETE",
    f"SELECT ra FROM {S}; DROP TABLE x": "2 statements",
    "": "0 statements",
    "<html>": "",
    f"SELECT ra FROM {S} WHERE": "",
    "SELECT ra FROM gaia_source": 'unknown table "gaia_source"; near are gaiadr3.gaia_source',
    "SELECT * FROM read_parquet('/etc/passwd')": "READ_PARQUET",
    "SELECT * FROM '/etc/passwd'": "unknown table",
    "SELECT * FROM duckdb_settings": "unknown table",
    f"SELECT raa FROM {S}": 'unknown column "raa" in gaiadr3.gaia_source; near are ra',
    f"SELECT ra FROM {S} WHERE pf > 1": 'unknown column "pf"',
    f"SELECT ra FROM {S} ORDER BY nothing": 'unknown column "nothing"',
    f"SELECT v.ra FROM {S}": 'unknown table "v"',
    f"SELECT x.* FROM {S}": 'unknown table "x"',
    f"SELECT source_id FROM {S} AS g JOIN gaiadr3.vari_rrlyrae AS v ON g.source_id = v.source_id": "g and v: say which",
    f"SELECT a.ra FROM {S} AS a JOIN {S} AS a USING (source_id)": "two tables",
    f"SELECT ra FROM {S} JOIN gaiadr3.vari_rrlyrae USING (pf)": "USING",
    "SELECT ra FROM (SELECT ra FROM gaiadr3.gaia_source)": "needs a name",
    f"SELECT ra FROM {S} WHERE has_epoch_photometry": "no condition by itself",
    f"SELECT ra FROM {S} WHERE has_epoch_photometry = 1": "compare it with 'true'",
    f"SELECT ra FROM {S} WHERE has_epoch_photometry = 'yes'": "compare it with 'true'",
    f"SELECT ra FROM {S} WHERE has_epoch_photometry = TRUE": "BOOLEAN",
    f"SELECT ra FROM {S} UNION SELECT ra, dec FROM {S}": "1 columns with 2",
    f"SELECT TOP ra dec FROM {S}": "",
}


@pytest.fixture(scope="module")
def sky() -> HandMade:
    return HandMade(200)


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: text[:60])
def test_refused_by_name(sky, text):
    with pytest.raises(AdqlError) as caught:
        translate(text, sky.tables("gaia"))
    message = str(caught.value)
    assert REFUSED[text] in message and "\n" not in message and len(message) < 400


def test_a_query_runs_nothing_that_sqlglot_alone_would_let_through(sky):
    """Whatever the text, what is run reads the served views alone."""
    text = f'SELECT "ra""; DROP" FROM {S}'
    with pytest.raises(AdqlError, match="unknown column"):
        translate(text, sky.tables("gaia"))
    query = translate(f'SELECT ra AS "a""; --" FROM {S}', sky.tables("gaia"))
    assert sky.connect().execute(query.sql).to_arrow_table().column_names == ['a"; --']
