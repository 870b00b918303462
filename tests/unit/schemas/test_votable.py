"""Tables as VOTable: what astropy reads back has the units, UCDs and meanings of the declaration."""

import io

import pyarrow as pa
import pytest
from astropy.io.votable import parse, validate

from schemas import TABLES
from schemas.votable import longest_text

SCALAR = {name: [c for c in spec.columns if not (c.is_family or c.is_list) and not pa.types.is_timestamp(c.type)]
          for name, spec in TABLES.items()}  # fmt: skip
# VOTable has no signed byte; the one table with such a column is never released.
WRITABLE = {name: TABLES[name] for name, columns in SCALAR.items() if all(c.type != pa.int8() for c in columns)}
every_table = pytest.mark.parametrize("spec", WRITABLE.values(), ids=WRITABLE)


def written(spec, table):
    """The VOTable as bytes."""
    buffer = io.BytesIO()
    spec.votable(table).to_xml(buffer)
    return buffer.getvalue()


def empty(spec):
    """The scalar columns of a table without rows; times are text by then."""
    return pa.schema([spec.arrow().field(column.name) for column in SCALAR[spec.name]]).empty_table()


@every_table
def test_what_is_read_back_is_what_was_declared(spec):
    table = parse(io.BytesIO(written(spec, empty(spec)))).get_first_table()
    assert table.name == spec.name
    assert [field.name for field in table.fields] == [column.name for column in SCALAR[spec.name]]
    for field, column in zip(table.fields, SCALAR[spec.name], strict=True):
        assert (field.ucd or "") == column.ucd and " ".join(field.description.split()) == column.doc
        assert (field.unit.to_string("vounit") if field.unit is not None else "") == column.unit


@every_table
def test_the_document_is_valid(spec, capsys):
    buffer = io.BytesIO(written(spec, empty(spec)))
    text = io.StringIO()
    validate(buffer, output=text)
    assert "error" not in text.getvalue().lower()


@pytest.mark.parametrize("kind, datatype", [
    (pa.int64(), "long"), (pa.int32(), "int"), (pa.int16(), "short"), (pa.float64(), "double"), (pa.float32(), "float"),
])  # fmt: skip
def test_numbers_keep_their_width(kind, datatype):
    fields = {
        f.name: f
        for spec in WRITABLE.values()
        for f in spec.votable(empty(spec)).get_first_table().fields
        if spec.columns_by_name[f.name].type == kind
    }
    assert fields and {field.datatype for field in fields.values()} == {datatype}


@pytest.mark.parametrize("texts, length", [(["a", "abc"], 3), ([""], 1), ([None], 1), ([], 1), (["δ☉"], 2)])
def test_the_longest_text_is_counted_in_characters(texts, length):
    assert longest_text(pa.table({"x": pa.array(texts, pa.string()), "n": pa.nulls(len(texts), pa.int8())})) == {
        "x": length
    }


def test_columns_that_the_table_lacks_are_left_out():
    spec = TABLES["core_sample__photometry"]
    fields = spec.votable(empty(spec).drop_columns("mag_err")).get_first_table().fields
    assert "mag_err" not in [field.name for field in fields] and len(fields) == len(spec.columns) - 1
