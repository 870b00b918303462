"""Flat Parquet files of a release: times as text, lengths of texts, and a VOTable header of every column."""

import xml.etree.ElementTree as xml
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lakehouse.releases.voparquet import VOTABLE, write_voparquet
from schemas import Column, TableSpec

COLUMNS = (
    Column("name", pa.string(), "Name of the row.", ucd="meta.id"),
    Column("seen", pa.timestamp("us", "UTC"), "When it was seen.", nullable=True),
    Column("period_day", pa.float64(), "Period.", "d", "time.period", nullable=True),
    Column("prob_δ Sct", pa.float32(), "Probability.", nullable=True),
)
SPEC = TableSpec("out__test", 1, "A table of a test.", COLUMNS, ("name",), ())
ROWS = pa.table({
    "name": ["a", "long name", "δ"], "seen": [datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None, None],
    "period_day": [0.5, None, 2.0], "prob_δ Sct": [0.25, 0.5, None],
})  # fmt: skip


@pytest.fixture
def written(tmp_path):
    write_voparquet(tmp_path / "test.parquet", SPEC, ROWS)
    return pq.read_table(tmp_path / "test.parquet")


def fields(header):
    tree = xml.fromstring(header)
    return {field.get("name"): field for field in tree.iter(f"{{{VOTABLE}}}FIELD")}


def test_values_come_back_and_times_are_iso_text(written):
    assert written["period_day"].to_pylist() == [0.5, None, 2.0] and written["name"].to_pylist()[2] == "δ"
    first, *nulls = written["seen"].to_pylist()
    assert datetime.fromisoformat(first) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) and nulls == [None, None]


def test_every_column_carries_its_unit_and_meaning_in_plain_metadata(written):
    assert written.schema.field("period_day").metadata[b"unit"] == b"d"
    assert written.schema.field("prob_δ Sct").metadata[b"description"] == b"Probability."
    assert written.schema.metadata[b"description"] == b"A table of a test."


def test_the_header_says_unit_ucd_and_type_and_points_to_the_parquet_data(written):
    header = written.schema.metadata[b"IVOA.VOTable-Parquet.content"]
    period = fields(header)["period_day"]
    assert (period.get("unit"), period.get("ucd"), period.get("datatype")) == ("d", "time.period", "double")
    assert fields(header)["seen"].get("datatype") in ("char", "unicodeChar")
    (parquet,) = xml.fromstring(header).iter(f"{{{VOTABLE}}}PARQUET")
    assert parquet.get("type") == "Parquet-local-XML"


def test_a_name_that_is_no_xml_id_is_in_the_file_and_not_in_the_header(written):
    assert "prob_δ Sct" in written.column_names
    assert list(fields(written.schema.metadata[b"IVOA.VOTable-Parquet.content"])) == ["name", "seen", "period_day"]


def test_lengths_of_texts_are_those_of_the_longest(written):
    lengths = {key.decode(): value for key, value in written.schema.metadata.items() if key.startswith(b"table::len")}
    assert lengths["table::len::name"] == b"9" and int(lengths["table::len::seen"]) >= len("2026-01-02 03:04:05")
    assert len(lengths) == 2


def test_the_header_of_no_rows_has_the_same_columns(tmp_path):
    write_voparquet(tmp_path / "empty.parquet", SPEC, SPEC.empty())
    header = pq.read_schema(tmp_path / "empty.parquet").metadata[b"IVOA.VOTable-Parquet.content"]
    assert list(fields(header)) == ["name", "seen", "period_day"]
