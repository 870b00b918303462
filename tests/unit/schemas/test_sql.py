"""Names in SQL, whatever is in them."""

import duckdb
import pytest

from schemas.sql import quote_name


@pytest.mark.parametrize("name", ["mag", "select", 'a "quoted" name', "B − V", "x; DROP TABLE t"])
def test_a_quoted_name_is_one_column(name):
    rows = duckdb.sql(f"SELECT 1 AS {quote_name(name)}")
    assert rows.columns == [name] and rows.fetchall() == [(1,)]
