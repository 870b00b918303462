"""One client for each service, opened when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import pyarrow as pa

from tasks.archives.endpoints import Endpoints
from tasks.archives.errors import BadQuestion
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question, Service


def open_clients(endpoints: Endpoints, limits: Mapping[str, ServiceLimits]) -> dict[str, Service]:
    """Clients by name of service; nothing is asked yet, and nothing imported.

    Raises BadQuestion where a service has no limits, or limits name a service that nobody knows. Endpoints without
    a service (no real archive tells the truth) give no client for it.
    """
    services: dict[str, tuple[str | None, Callable[[str, ServiceLimits], Service]]] = {
        "gaia_tap": (endpoints.gaia_tap, _gaia_tap),
        "gaia_datalink": (endpoints.gaia_data, _gaia_datalink),
        "mast_ps1": (endpoints.mast_ps1, lambda url, limits: _vo_tap("mast_ps1", url, limits)),
        "mast_tic": (endpoints.mast_tic, lambda url, limits: _vo_tap("mast_tic", url, limits)),
        "mast_portal": (endpoints.mast_portal, _mast_portal),
        "irsa_tap": (endpoints.irsa_tap, lambda url, limits: _vo_tap("irsa_tap", url, limits)),
        "irsa_lightcurves": (endpoints.irsa_lightcurves, _ztf),
        "cds_xmatch": (endpoints.cds_xmatch, _cds_xmatch),
        "gaia_cdn": (endpoints.gaia_cdn, _gaia_cdn),
        "hats": ("", _hats),  # each question names its catalogue
        "truth": (endpoints.truth, _truth),
    }
    if unknown := sorted(set(limits) - set(services)):
        raise BadQuestion(f"There are limits for {len(unknown)} unknown services, first {unknown[0]!r}.")
    if missing := sorted(name for name, (url, _) in services.items() if url is not None and name not in limits):
        raise BadQuestion(
            f"{len(missing)} services have no limits, first {missing[0]!r}: say how each one wants to be asked."
        )
    return {name: _WhenAsked(make, url, limits[name]) for name, (url, make) in services.items() if url is not None}


class _WhenAsked:
    """A client that is made with the first request: astroquery and pyvo take a second to import."""

    def __init__(self, make: Callable[[str, ServiceLimits], Service], url: str, limits: ServiceLimits) -> None:
        self._make = make
        self._url = url
        self._limits = limits
        self._client: Service | None = None

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        if self._client is None:
            with _importing:
                self._client = self._client or self._make(self._url, self._limits)
        return self._client.send(question, items, job)


_importing = threading.Lock()  # of all clients: astroquery is not made to be imported by two threads


def _gaia_tap(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.gaia_tap import GaiaTap

    return GaiaTap(url, limits)


def _gaia_datalink(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.gaia_datalink import GaiaDatalink

    return GaiaDatalink(url, limits)


def _vo_tap(service: str, url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.vo_tap import VoTap

    return VoTap(service, url, limits)


def _mast_portal(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.portal import MastPortal

    return MastPortal(url, limits)


def _ztf(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.ztf import ZtfLightCurves

    return ZtfLightCurves(url, limits)


def _cds_xmatch(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.xmatch import CdsXmatch

    return CdsXmatch(url, limits)


def _gaia_cdn(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.plain import Files

    return Files("gaia_cdn", url, limits)


def _hats(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.hats import Hats

    return Hats(limits)


def _truth(url: str, limits: ServiceLimits) -> Service:
    from tasks.archives.plain import Form

    return Form("truth", url, limits)
