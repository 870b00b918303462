import subprocess
import sys

import pyarrow as pa
import pytest

from lakehouse.query import connect, describe, quote_versions, run_sql
from schemas import TABLES, BadInput

SOURCE = TABLES["core_sample__source"]
EPOCH = TABLES["raw_sample__epoch"]


@pytest.fixture
def full(lake, sources, epochs):
    lake.append("r1", SOURCE, sources(range(8)))
    lake.append("r1", EPOCH, epochs(range(8)))
    lake.overwrite("r2", SOURCE, sources([1, 2]), {"dataset": "demo"})
    return lake


def one(lake, sql):
    return run_sql(lake, sql).column(0).to_pylist()


def test_tables_by_name_and_at_any_version(full):
    assert one(full, "select count(*) from core_sample__source") == [2]
    assert one(full, "select count(*) from core_sample__source@1") == [8]
    assert one(full, "select count(*) from core_sample__source@0") == [0]
    joined = (
        "select a.source_id from core_sample__source@1 a anti join core_sample__source b using (source_id) order by 1"
    )
    assert one(full, joined) == [0, 3, 4, 5, 6, 7]


def test_a_view_equals_the_table_in_values_and_types(full):
    found = run_sql(full, "select * from raw_sample__epoch order by source_id")
    expected = full.read(EPOCH)
    assert found.column_names == expected.column_names
    for name in expected.column_names:
        assert found[name].to_pylist() == expected[name].to_pylist()
        assert str(found.schema.field(name).type).split("<")[0] == str(expected.schema.field(name).type).split("<")[0]


def test_an_empty_table_has_its_columns_and_types(lake):
    for spec in TABLES.values():
        lake.create(spec)
        found = run_sql(lake, f"select * from {spec.name}")
        assert found.num_rows == 0 and found.column_names == spec.arrow().names


def test_a_pinned_connection(full):
    connection = connect(full, versions={"core_sample__source": 1})
    assert connection.execute("select count(*) from core_sample__source").fetchone() == (8,)
    assert connection.execute("select count(*) from raw_sample__epoch").fetchone() == (8,)
    assert connect(full.path).execute("select count(*) from core_sample__source").fetchone() == (2,)


def test_the_at_sign_is_left_alone_in_text_and_comments():
    sql = "select 'a__b@1', \"a__b@2\", x@3 from a__b@4 -- a__b@5\n/* a__b@6 */"
    text, old = quote_versions(sql)
    assert old == {("a__b", 4)}
    assert text == sql.replace("a__b@4", '"a__b@4"')


def test_a_filter_opens_only_the_files_it_needs(full):
    plan = connect(full).execute("explain analyze select * from raw_sample__epoch where tile = 2").fetchall()[0][1]
    assert "Total Files Read: 1" in plan


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "select * from core_sample__sorce",
            r"no table core_sample__sorce \(did you mean core_sample__source\?\); it has",
        ),
        ("select * from out__catalogue@1", "no table out__catalogue; it has core_sample__source, raw_sample__epoch"),
        ("select * from core_sample__source@9", "versions 0 to 2, not 9"),
        ("selec 1", "The query failed: Parser Error: syntax error at or near"),
        ("select colour from core_sample__source", 'The query failed: .*"colour" not found.* Candidate bindings: '),
        ("select 1/'a'", "The query failed: Conversion Error"),
        (
            "select * from 'http://127.0.0.1:9/x.parquet'",
            "The query failed: .*requires the extension httpfs to be loaded",
        ),
        ("install httpfs from 'http://127.0.0.1:9'", "The query failed: "),
    ],
)
def test_a_bad_query_is_one_sentence(full, sql, message):
    with pytest.raises(BadInput, match=message) as caught:
        run_sql(full, sql)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


def test_python_variables_are_not_tables(full):
    secret__table = pa.table({"a": [1]})
    with pytest.raises(BadInput, match="no table secret__table"):
        run_sql(full, "select * from secret__table")
    assert secret__table.num_rows == 1


def test_a_folder_with_a_quote_in_its_name(tmp_path, sources):
    from lakehouse.delta.store import Lake

    lake = Lake(tmp_path / "it's a lake", create=True)
    lake.append("r1", SOURCE, sources([1]))
    assert one(lake, "select count(*) from core_sample__source") == [1]
    assert lake.read(SOURCE, ["source_id"]).num_rows == 1


def test_describe_gives_units_meanings_rows_and_versions(full, features):
    spec, rows = features([1], ["amplitude_g"])
    full.append("r3", spec, rows)
    found = describe(full, SOURCE.name)
    ra = next(column for column in found.columns if column.name == "ra")
    assert (ra.unit, ra.ucd) == ("deg", "pos.eq.ra;meta.main") and ra.doc.startswith("Right ascension")
    assert (found.rows, found.version, len(found.versions)) == (2, 2, 3)
    assert describe(full, spec.name).columns[-1].doc == spec.columns[-1].doc
    with pytest.raises(BadInput, match="did you mean core_sample__source"):
        describe(full, "core_sample_source")


def test_a_query_imports_nothing_heavy(full):
    heavy = ["pandas", "pandera", "astropy", "torch", "dask", "prefect", "pyarrow.dataset"]
    program = (
        "import sys; from lakehouse.query import run_sql, describe; from lakehouse.delta.store import Lake;"
        f"run_sql(sys.argv[1], 'select count(*) from core_sample__source'); describe(sys.argv[1], '{SOURCE.name}');"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program, str(full.path)], capture_output=True, text=True)
    assert found.stdout.strip() == "[]", found.stderr
