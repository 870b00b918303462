"""Names, texts and paths in SQL, whatever is in them."""

import duckdb
import pytest

from schemas.sql import match_only, quote_name, quote_text


@pytest.mark.parametrize("name", ["mag", "select", 'a "quoted" name', "B − V", "x; DROP TABLE t"])
def test_a_quoted_name_is_one_column(name):
    rows = duckdb.sql(f"SELECT 1 AS {quote_name(name)}")
    assert rows.columns == [name] and rows.fetchall() == [(1,)]


def test_a_quoted_text_is_that_text():
    for text in ("", "it's", "a\\b\n", "'' ; --"):
        assert duckdb.sql(f"SELECT {quote_text(text)}").fetchall() == [(text,)]


@pytest.mark.parametrize(
    "name", ["run[1]", "run*", "run?", "[!a]", "a[", "a]b[c", "run{1,2}", "**", "new\nline", "%20", "a\\b"]
)
def test_a_path_matches_itself_alone(tmp_path, name):
    for n, folder in enumerate((name, "run1", "runs", "b", "a", "a1")):
        (tmp_path / folder).mkdir()
        duckdb.sql(f"SELECT {n} AS n").write_parquet(str(tmp_path / "x.parquet"))
        (tmp_path / "x.parquet").rename(tmp_path / folder / "x.parquet")
    pattern = match_only(tmp_path / name / "x.parquet")
    assert duckdb.execute("SELECT n FROM read_parquet(?)", [pattern]).fetchall() == [(0,)]
