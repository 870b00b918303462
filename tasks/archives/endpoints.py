"""Where the archives are. Addresses, credentials and limits are all that tells the real ones from the replica."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tasks.archives.services import SERVICES


@dataclass(frozen=True)
class Endpoints:
    """Base address of each service; `name` goes into every request's hash, so that answers are never mixed up."""

    name: str
    addresses: Mapping[str, str] = field(hash=False)


LIVE = Endpoints("live", {name: service.live for name, service in SERVICES.items() if service.live is not None})


def replica(base: str, name: str) -> Endpoints:
    """Endpoints of a replica at `base` (http://host:port); `name` says which sky it serves, whatever the port."""
    base = base.rstrip("/")
    paths = {name: service.path for name, service in SERVICES.items() if service.path is not None}
    return Endpoints(name, {service: f"{base}/{path}" for service, path in paths.items()})
