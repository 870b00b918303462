"""Answers as documents: what was in the table comes out of the file again, to the last bit."""

import csv
import gzip
import io
from pathlib import Path

import astroquery.gaia
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from astropy.io import votable
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.replica.served import ServedColumn
from tasks.replica.tables import registry
from tasks.replica.tap_formats import DIALECT, Result, convert_served, write

FIXTURE = Path(astroquery.gaia.__file__).parent / "tests/data/1710099405832VAL-result.vot"
TEXT = st.text(st.characters(codec="ascii", min_codepoint=32, max_codepoint=126))  # a VOTable's char is ASCII
ROW = st.tuples(
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.floats(width=32, allow_nan=False),
    st.none() | TEXT,
    st.none() | st.booleans(),
)
SCHEMA = pa.schema([("i", pa.int64()), ("d", pa.float64()), ("f", pa.float32()), ("s", pa.string()), ("b", pa.bool_())])


def result(rows: pa.Table, is_gaia: bool = True) -> Result:
    return Result(*convert_served(rows, [None] * rows.num_columns), "SELECT", is_gaia=is_gaia)


@settings(deadline=None)
@given(st.lists(ROW, max_size=8))
def test_csv_gives_back_every_value(rows):
    table = pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * 5, schema=SCHEMA)
    body = write(result(table, is_gaia=False), "csv").body
    options = pyarrow.csv.ConvertOptions(
        column_types=SCHEMA, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
    )
    found = pyarrow.csv.read_csv(pa.BufferReader(body), convert_options=options)
    assert found.to_pylist() == table.to_pylist()


@settings(deadline=None, max_examples=40)
@given(st.lists(ROW, max_size=8))
def test_votable_gives_back_every_value(rows):
    table = pa.table([list(column) for column in zip(*rows, strict=True)] or [[]] * 5, schema=SCHEMA)
    found = votable.parse_single_table(io.BytesIO(write(result(table), "votable").body)).to_table()
    assert len(found) == len(table)
    for name in ("i", "d", "f", "b"):
        expected = table.column(name).to_pylist()
        assert [None if value is np.ma.masked else value for value in found[name]] == expected
    # Empty text and null are the same in a VOTable; blanks at the ends are not the parser's to keep.
    assert [str(text or "").strip() for text in found["s"]] == [(text or "").strip() for text in table["s"].to_pylist()]


def test_csv_of_difficult_text_and_numbers():
    table = pa.table({"a,b": [1.0, 1e300, None], "t": ['x,"y"', "", None], "n": [float("nan"), 100.0, -0.5]})
    body = write(result(table), "text/csv").body
    assert body.decode() == '"a,b",t,n\n1.0,"x,""y""",\n1e+300,"",100.0\n,,-0.5\n'
    assert list(csv.reader(body.decode().splitlines()))[1] == ["1.0", 'x,"y"', ""]


def test_types_that_votable_has_not():
    cursor = duckdb.connect()
    rows = cursor.execute(
        "SELECT SUM(x) AS total, 1.50 AS fixed, x::TINYINT AS tiny, x::UINTEGER AS u, DATE '2020-01-02' AS day, "
        "NULL AS nothing FROM (SELECT 7 AS x) GROUP BY x"
    ).to_arrow_table()
    table, columns = convert_served(rows, [None] * 6)
    assert [one.datatype for one in columns] == ["long", "double", "short", "long", "char", "int"]
    assert table.to_pylist() == [{"total": 7, "fixed": 1.5, "tiny": 7, "u": 7, "day": "2020-01-02", "nothing": None}]


def test_many_blocks_of_rows():
    table = pa.table({"a": np.arange(120_001), "b": np.arange(120_001) / 7})
    lines = write(result(table), "csv").body.decode().splitlines()
    assert len(lines) == 120_002 and lines[-1] == f"120000,{120000 / 7!r}"


def test_gzip_is_really_compressed():
    answer = write(result(pa.table({"a": [1, 2]})), "votable_gzip")
    assert (
        answer.encoding == "gzip"
        and gzip.decompress(answer.body) == write(result(pa.table({"a": [1, 2]})), "votable").body
    )


@pytest.mark.parametrize("style", ["docx", "votable_gzip", "json", "ecsv"])
def test_formats_of_gaia_alone(style):
    with pytest.raises(ValueError, match="no formatter"):
        write(result(pa.table({"a": [1]}), is_gaia=False), style)


@pytest.mark.parametrize("style", ["application/x-votable+xml;serialization=TABLEDATA", "text/xml", "VOTable"])
def test_media_types(style):
    assert b"<TABLEDATA>" in write(result(pa.table({"a": [1]}), is_gaia=False), style).body


def test_error_document_is_what_taplus_and_pyvo_look_for():
    document = DIALECT.error("a < b & c").decode()
    assert '<INFO name="QUERY_STATUS" value="ERROR">a &lt; b &amp; c</INFO>' in document
    votable.parse(io.BytesIO(document.encode()))


def test_gaia_source_is_described_as_in_the_recorded_answer():
    """Names, IDs, datatypes, units and UCDs of all 152 fields, beside a real answer that comes with astroquery."""
    held = next(one for one in registry.SERVICES["gaia"] if one.table.name == "gaiadr3.gaia_source")
    columns: tuple[ServedColumn, ...] = held.table.columns
    document = write(Result(held.table.schema.empty_table(), columns, is_gaia=True), "votable").body
    ours, real = (votable.parse(source).get_first_table().fields for source in (io.BytesIO(document), FIXTURE))
    assert [field.name for field in ours] == [field.name for field in real] and len(ours) == 152
    for mine, recorded in zip(ours, real, strict=True):
        assert (mine.ID, mine.datatype, mine.arraysize, mine.ucd) == (
            recorded.ID,
            recorded.datatype,
            recorded.arraysize,
            recorded.ucd,
        ), mine.name
        assert str(mine.unit) == str(recorded.unit), mine.name
