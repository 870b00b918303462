"""What a TAP service says of itself (VOSI 1.1): whether it is down, until when, and why."""

from __future__ import annotations

import io

import requests
from pyvo.io.vosi import parse_availability

from tasks.archives.errors import ArchiveError
from tasks.archives.limits import ServiceLimits
from tasks.archives.transport import prepare, wire


def outage(service: str, url: str, limits: ServiceLimits) -> str:
    """Says " until <time> (<notes>)" where the service at `url` tells that it is down, "" where it is silent or up."""
    try:
        with wire(service, limits.timeout_s), prepare(requests.Session(), limits) as session:
            told = parse_availability(io.BytesIO(session.get(f"{url.rstrip('/')}/availability").content).read)
    except ArchiveError:
        return ""
    if told is None or told.available is not False:
        return ""
    notes = "; ".join(" ".join(str(note).split()) for note in told.notes if note)
    return (f" until {told.backat}" if told.backat else " now") + (f" ({notes})" if notes else "")
