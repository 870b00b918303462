import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from lakehouse.delta.store import Lake
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
        (" ;\n", "The query is empty"),
    ],
)
@pytest.mark.parametrize("read_only", [True, False])
def test_a_bad_query_is_one_sentence(full, sql, message, read_only):
    with pytest.raises(BadInput, match=message) as caught:
        run_sql(full, sql, read_only)
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select * from 'http://127.0.0.1:9/x.parquet'", "requires the extension httpfs to be loaded"),
        ("install httpfs from 'http://127.0.0.1:9'", "The query failed: "),
    ],
)
def test_no_extension_is_fetched_for_ones_own_query_either(full, sql, message):
    with pytest.raises(BadInput, match=message):
        run_sql(full, sql, read_only=False)


@pytest.mark.parametrize(
    "sql",
    [
        "copy core_sample__source to '{}/new.parquet'",
        "select 1; copy core_sample__source to '{}/new.parquet'",
        "explain analyze copy core_sample__source to '{}/new.parquet'",
        "export database '{}/new'",
        "attach '{}/new.db'",
        "create table new as select * from read_csv('{}/secret.csv')",
        "select * from read_csv('{}/secret.csv')",
        "select * from '{}/secret.csv'",
        "select * from read_text('{}/secret.csv')",
        "select * from glob('{}/*')",
        "select * from read_csv('{}/lake/tables/../../secret.csv')",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']; select * from '{}/secret.csv'",
        "pragma enable_object_cache",
        "call pragma_version()",
    ],
)
def test_a_confined_query_reads_the_lake_alone_and_changes_nothing(full, tmp_path, sql):
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadInput, match=r"confined to SELECT|Permission Error"):
        run_sql(full, sql.format(tmp_path))
    assert sorted(tmp_path.rglob("*")) == before


def test_ones_own_query_may_read_and_write_files(full, tmp_path):
    run_sql(full, f"copy core_sample__source to '{tmp_path}/new.parquet'", read_only=False)
    assert run_sql(full, f"select count(*) from '{tmp_path}/new.parquet'", read_only=False).column(0).to_pylist() == [2]


def test_a_confined_query_may_look_around_in_the_lake(full):
    for sql in ("describe core_sample__source", "show tables", "summarize core_sample__source", "values (1)",
                "from core_sample__source", "with x as (select 1) select * from x"):  # fmt: skip
        assert run_sql(full, sql).num_rows


@pytest.mark.parametrize(
    "name", ["L[1]", "L*", "survey=gaia", "key=1[x]", "it's", 'a "b"', "c:d", "-x", "~t", "{x}", "ü★"]
)
def test_the_name_of_a_lake_is_no_pattern(tmp_path, sources, name, monkeypatch):
    """L[1] is not L1 beside it, nor does key=value in a path become a column; absolute and relative paths alike."""
    monkeypatch.chdir(tmp_path)
    for other in ("L1", "Lx"):
        Lake(other, create=True).append("r1", SOURCE, sources([7]))
    Lake(name, create=True).append("r1", SOURCE, sources([1, 2]))
    for path in (name, tmp_path / name):
        assert one(Path(path), "select source_id from core_sample__source order by 1") == [1, 2]
        assert Lake(path).read(SOURCE)["source_id"].to_pylist() == [1, 2]
        assert run_sql(path, "select * from core_sample__source").column_names == SOURCE.arrow().names


def test_python_variables_are_not_tables(full):
    secret__table = pa.table({"a": [1]})
    with pytest.raises(BadInput, match="no table secret__table"):
        run_sql(full, "select * from secret__table")
    assert secret__table.num_rows == 1


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
