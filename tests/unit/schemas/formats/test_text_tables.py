"""Tables in text: cells stay as they are written, and what is no table is said in one sentence."""

import pytest

from schemas import BadInput
from schemas.formats.csv import read as read_csv
from schemas.formats.csv import read_dialect
from schemas.formats.text import read as read_text


def rows(read, path, text):
    """Columns of a file with this text."""
    path.write_text(text)
    with read(path) as reader:
        return reader.read_all().to_pydict()


def test_cells_stay_as_they_are_written(tmp_path):
    found = rows(read_csv, tmp_path / "a.csv", 'id,mag,note\n0012,+15.50,"a, ""b"""\n4295806720123456789,>16.1,\n')
    assert found == {
        "id": ["0012", "4295806720123456789"], "mag": ["+15.50", ">16.1"], "note": ['a, "b"', ""],
    }  # fmt: skip


def test_names_lose_the_blanks_around_them(tmp_path):
    assert rows(read_csv, tmp_path / "a.csv", "id, mjd ,mag\na,1,2\n") == {"id": ["a"], "mjd": ["1"], "mag": ["2"]}


@pytest.mark.parametrize("text", ["id,mag\n", "id,mag", "# c\nid,mag\n\n"])
def test_a_header_alone_is_a_table_without_rows(tmp_path, text):
    assert rows(read_csv, tmp_path / "a.csv", text) == {"id": [], "mag": []}


def test_one_column_needs_no_separator(tmp_path):
    assert rows(read_csv, tmp_path / "a.csv", "source_id\n12\n13\n") == {"source_id": ["12", "13"]}


def test_the_separator_is_the_most_frequent_in_the_header(tmp_path):
    (tmp_path / "a.csv").write_text('id;"mag, corrected";mjd\n')
    dialect = read_dialect(tmp_path / "a.csv")
    assert (dialect.separator, dialect.names) == (";", ("id", "mag, corrected", "mjd"))


def test_text_of_a_line_of_names_without_a_comment(tmp_path):
    assert rows(read_text, tmp_path / "a.dat", "mjd mag\n1 2\n3   4\n") == {"mjd": ["1", "3"], "mag": ["2", "4"]}


@pytest.mark.parametrize("text", ["", "1 2\n3 4\n"])
def test_text_without_names_is_refused(tmp_path, text):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(BadInput, match="names no columns"):
        read_text(tmp_path / "a.txt")
