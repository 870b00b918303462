"""Flat Parquet files whose columns carry unit, UCD and description.

Each has the VOTable header that the IVOA Note "VOParquet" asks for, so
`astropy.table.Table.read(file, format="parquet.votable")` gives units, UCDs and descriptions.
"""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as xml
from pathlib import Path

import pyarrow as pa

from lakehouse.delta.files import COMPRESSION, LEVEL, conform
from lakehouse.disk import whole_file
from schemas import TableSpec

VOTABLE = "http://www.ivoa.net/xml/VOTable/v1.3"
XML_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
VERSION_KEY = b"IVOA.VOTable-Parquet.version"
CONTENT_KEY = b"IVOA.VOTable-Parquet.content"


def write_voparquet(path: Path, spec: TableSpec, table: pa.Table) -> None:
    """One flat Parquet file whose columns carry unit, UCD and description, with a VOTable header in its metadata."""
    from pyarrow.parquet import write_table

    rows = _iso_times(conform(spec, table))
    header = votable_header(spec, rows)
    notes = {b"description": spec.doc.encode(), VERSION_KEY: b"1.0", CONTENT_KEY: header, **_text_lengths(rows)}
    with whole_file(path) as draft, open(draft, "wb") as sink:
        write_table(rows.replace_schema_metadata(notes), sink, compression=COMPRESSION, compression_level=LEVEL)


def _iso_times(rows: pa.Table) -> pa.Table:
    """Times as ISO 8601 text, which is what VOTable has for them."""
    for i, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            rows = rows.set_column(i, field.with_type(pa.string()), rows[field.name].cast(pa.string()))
    return rows


def _text_lengths(rows: pa.Table) -> dict[bytes, bytes]:
    """Longest value of each text column: astropy asks for it, and without it fails on a null."""
    from schemas.votable import longest_text

    return {f"table::len::{name}".encode(): str(length).encode() for name, length in longest_text(rows).items()}


def votable_header(spec: TableSpec, table: pa.Table) -> bytes:
    """VOTable XML of the columns; its data are the Parquet file itself.

    A column whose name is no XML id, such as "prob_δ Sct", is left out: readers that go by id would make a second,
    empty column of it. It stays in the file with its own metadata.
    """
    text = io.BytesIO()
    spec.votable(table.select([name for name in table.column_names if XML_ID.match(name)])).to_xml(text)
    xml.register_namespace("", VOTABLE)
    root = xml.fromstring(text.getvalue())
    element = root.find(f"{{{VOTABLE}}}RESOURCE/{{{VOTABLE}}}TABLE")
    assert element is not None, "a VOTable file has one table"
    xml.SubElement(element, f"{{{VOTABLE}}}PARQUET", type="Parquet-local-XML")
    return xml.tostring(root, encoding="utf-8", xml_declaration=True)
