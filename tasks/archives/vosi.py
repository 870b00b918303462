"""What a TAP service says of itself (VOSI 1.1): whether it is down, until when, and why; and which tables it has."""

from __future__ import annotations

import io

import pyarrow as pa
import requests
from pyvo.io.vosi import parse_availability, parse_tables

from tasks.archives.errors import ArchiveError
from tasks.archives.limits import ServiceLimits
from tasks.archives.transport import prepare, wire

DESCRIBED = ("table_name", "column_name", "datatype", "arraysize", "unit", "ucd", "description")  # as in TAP_SCHEMA


def outage(service: str, url: str, limits: ServiceLimits) -> str:
    """Says " until <time> (<notes>)" where the service at `url` tells that it is down, "" where it is silent or up."""
    try:
        with wire(service, limits.timeout_s):
            told = parse_availability(io.BytesIO(_read(url, "availability", limits)).read)
    except ArchiveError:
        return ""
    if told is None or told.available is not False:
        return ""
    notes = "; ".join(" ".join(str(note).split()) for note in told.notes if note)
    return (f" until {told.backat}" if told.backat else " now") + (f" ({notes})" if notes else "")


def describe_tables(service: str, url: str, limits: ServiceLimits) -> pa.Table:
    """Every column of every table of the service at `url`, DESCRIBED, as its TAP_SCHEMA.columns would have it.

    Raises what the clients raise.
    """
    with wire(service, limits.timeout_s):
        rows = [
            (table.name, column.name, *_type_of(column.datatype), column.unit, column.ucd, column.description)
            for table in parse_tables(io.BytesIO(_read(url, "tables", limits)).read).iter_tables()
            for column in table.columns
        ]
    return pa.table([pa.array([row[k] for row in rows], pa.string()) for k in range(len(DESCRIBED))], names=DESCRIBED)


def _type_of(kind: object) -> tuple[str | None, str | None]:
    """Name and array size of a data type."""
    size = getattr(kind, "arraysize", None)
    return getattr(kind, "content", None), None if size is None else str(size)


def _read(url: str, document: str, limits: ServiceLimits) -> bytes:
    with prepare(requests.Session(), limits) as session:
        return session.get(f"{url.rstrip('/')}/{document}").content
