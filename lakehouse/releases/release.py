"""A release: flat Parquet files with units, a data dictionary and the run's manifest, in one folder.

Each file carries the VOTable header that the IVOA Note "VOParquet" asks for, so
`astropy.table.Table.read(file, format="parquet.votable")` gives units, UCDs and descriptions.
"""

from __future__ import annotations

import io
import os
import re
import secrets
import xml.etree.ElementTree as xml
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from lakehouse.delta.files import COMPRESSION, LEVEL, conform
from lakehouse.disk import room_for, sync, whole_file, whole_folder, write_json
from schemas import TableSpec

VOTABLE = "http://www.ivoa.net/xml/VOTable/v1.3"
XML_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
VERSION_KEY = b"IVOA.VOTable-Parquet.version"
CONTENT_KEY = b"IVOA.VOTable-Parquet.content"


def write_release(
    folder: str | Path,
    tables: Mapping[str, tuple[TableSpec, pa.Table]],
    manifest: Mapping[str, Any],
    extra_files: Mapping[str, str | bytes | Path] | None = None,
) -> Path:
    """Writes `folder` whole and points its sibling `latest` at it.

    `tables` maps a file's stem to a bound spec and its rows; `extra_files` maps names to text, bytes or a file to
    copy. A folder of the same name is replaced. On a full disk (BadInput) neither the folder nor `latest` changes.
    """
    folder = Path(folder)
    with room_for(f"release {folder.name}"), whole_folder(folder) as draft:
        for stem, (spec, table) in tables.items():
            write_voparquet(draft / f"{stem}.parquet", spec, table)
        (draft / "data_dictionary.md").write_text(_dictionary(spec for spec, _ in tables.values()))
        write_json(draft / "manifest.json", manifest)
        for name, content in (extra_files or {}).items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            (draft / name).write_bytes(_bytes(content))
    point_latest(folder)
    return folder


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


def point_latest(folder: Path) -> None:
    """Makes `latest` beside `folder` a link to it, in one step: a reader finds the old release or the new one."""
    draft = folder.with_name(f".latest.{secrets.token_hex(4)}.tmp")
    draft.symlink_to(folder.name, target_is_directory=True)
    os.replace(draft, folder.with_name("latest"))
    sync(folder.parent)


def _dictionary(specs: Any) -> str:
    from schemas.dictionary import dictionary

    return dictionary(specs)


def _bytes(content: str | bytes | Path) -> bytes:
    if isinstance(content, Path):
        return content.read_bytes()
    return content.encode() if isinstance(content, str) else content
