"""What a TAP service says about itself (VOSI 1.1): its tables, its capabilities, whether it is up.

TapPlus cannot read a column without `esatapplus:flags`; pyvo asks for the names first and for each table alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from tasks.replica.served import ServedColumn, ServedTable

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
SPACES = (
    'xmlns:vod="http://www.ivoa.net/xml/VODataService/v1.1" xmlns:vosi="http://www.ivoa.net/xml/VOSITables/v1.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:esatapplus="http://esa.int/xml/EsaTapPlus"'
)
TAP_TYPES = {
    "long": "BIGINT",
    "int": "INTEGER",
    "short": "SMALLINT",
    "double": "DOUBLE",
    "float": "REAL",
    "boolean": "BOOLEAN",
    "char": "VARCHAR",
}
INDEXED = ("source_id", "random_index", "ra", "dec", "objid", "id", "gaia", "oid")
UPLOADS = "ivo://ivoa.net/std/TAPRegExt#upload-inline"
STANDARDS = {
    "capabilities": "ivo://ivoa.net/std/VOSI#capabilities",
    "availability": "ivo://ivoa.net/std/VOSI#availability",
    "tables": "ivo://ivoa.net/std/VOSI#tables-1.1",
}


def tableset(tables: Sequence[ServedTable], is_short: bool, is_esa: bool) -> str:
    """All tables by schema; without their columns if `is_short`, with TAP+'s attributes if `is_esa`."""
    schemas = ""
    for schema, group in groupby(sorted(tables, key=schema_of), schema_of):
        written = "".join(_table(table, "table", is_short, is_esa) for table in group)
        public = ' esatapplus:public="true"' if is_esa else ""
        schemas += f"<schema{public}>\n<name>{escape(schema)}</name>\n{written}</schema>\n"
    return f'{HEAD}<vosi:tableset {SPACES} xsi:type="vod:TableSet">\n{schemas}</vosi:tableset>\n'


def one_table(table: ServedTable, is_esa: bool) -> str:
    """VOSI document of one table with its columns, as ESA's archive writes it or as others do."""
    return HEAD + _table(table, "vosi:table", False, is_esa, f" {SPACES}")


def schema_of(table: ServedTable) -> str:
    """The schema that a table is in."""
    return table.name.rpartition(".")[0] or "public"


def _table(table: ServedTable, tag: str, is_short: bool, is_esa: bool, spaces: str = "") -> str:
    columns = "" if is_short else "".join(_column(column, is_esa) for column in table.columns)
    esa = ' esatapplus:size="0" esatapplus:flags="0"' if is_esa else ""
    about = f"<name>{escape(table.name)}</name>\n<description>{escape(table.doc)}</description>\n"
    return f'<{tag}{spaces} type="base_table"{esa}>\n{about}{columns}</{tag}>\n'


def _column(column: ServedColumn, is_esa: bool) -> str:
    parts = {"name": column.name, "description": column.doc, "unit": column.unit, "ucd": column.ucd}
    written = "".join(f"<{tag}>{escape(text)}</{tag}>\n" for tag, text in parts.items() if text)
    size = ' arraysize="*"' if column.datatype == "char" else ""
    kind = f'<dataType xsi:type="vod:TAPType"{size}>{TAP_TYPES[column.element or column.datatype]}</dataType>\n'
    is_indexed = column.name.lower() in INDEXED
    flag = "<flag>indexed</flag>\n" if is_indexed else ""
    esa = f' esatapplus:flags="{16 if is_indexed else 0}"' if is_esa else ""
    return f'<column std="false"{esa}>\n{written}{kind}{flag}</column>\n'


def capabilities(base: str, row_cap: int | None) -> str:
    """TAP with ADQL 2.0, the output limit and uploads in the query, and the VOSI documents."""
    limit = f'<outputLimit><hard unit="row">{row_cap}</hard></outputLimit>\n' if row_cap is not None else ""
    languages = (
        '<language><name>ADQL</name><version ivo-id="ivo://ivoa.net/std/ADQL#v2.0">2.0</version></language>\n'
        "<outputFormat><mime>application/x-votable+xml</mime><alias>votable</alias></outputFormat>\n"
        "<outputFormat><mime>text/csv</mime><alias>csv</alias></outputFormat>\n"
    )
    tap = (
        '<capability standardID="ivo://ivoa.net/std/TAP" xsi:type="tr:TableAccess">\n'
        f"{_interface(base)}{languages}<uploadMethod ivo-id={quoteattr(UPLOADS)}/>\n{limit}</capability>\n"
    )
    others = "".join(
        f"<capability standardID={quoteattr(standard)}>\n{_interface(f'{base}/{name}')}</capability>\n"
        for name, standard in STANDARDS.items()
    )
    return (
        f'{HEAD}<vosi:capabilities xmlns:vosi="http://www.ivoa.net/xml/VOSICapabilities/v1.0" '
        'xmlns:tr="http://www.ivoa.net/xml/TAPRegExt/v1.0" xmlns:vs="http://www.ivoa.net/xml/VODataService/v1.1" '
        f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n{tap}{others}</vosi:capabilities>\n'
    )


def _interface(url: str) -> str:
    return (
        '<interface role="std" xsi:type="vs:ParamHTTP" version="1.1">'
        f'<accessURL use="full">{escape(url)}</accessURL></interface>\n'
    )


def availability() -> str:
    """VOSI document that says that the service is available."""
    return (
        f'{HEAD}<vosi:availability xmlns:vosi="http://www.ivoa.net/xml/VOSIAvailability/v1.0">\n'
        "<vosi:available>true</vosi:available>\n</vosi:availability>\n"
    )
