"""One client for each service, opened when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

import pyarrow as pa

from tasks.archives.endpoints import Endpoints
from tasks.archives.errors import BadQuestion
from tasks.archives.manners import Manner
from tasks.archives.question import Job, Question, Service


def open_clients(endpoints: Endpoints, manners: Mapping[str, Manner]) -> dict[str, Service]:
    """Clients by name of service; nothing is asked yet, and nothing imported.

    Raises BadQuestion where a service has no manners, or manners name a service that nobody knows. Endpoints without
    a service (no real archive tells the truth) give no client for it.
    """
    services: dict[str, tuple[str | None, Callable[[str, Manner], Service]]] = {
        "gaia_tap": (endpoints.gaia_tap, _gaia_tap),
        "gaia_datalink": (endpoints.gaia_data, _gaia_datalink),
        "mast_ps1": (endpoints.mast_ps1, lambda url, manner: _vo_tap("mast_ps1", url, manner)),
        "mast_tic": (endpoints.mast_tic, lambda url, manner: _vo_tap("mast_tic", url, manner)),
        "mast_portal": (endpoints.mast_portal, _mast_portal),
        "irsa_tap": (endpoints.irsa_tap, lambda url, manner: _vo_tap("irsa_tap", url, manner)),
        "irsa_lightcurves": (endpoints.irsa_lightcurves, _ztf),
        "cds_xmatch": (endpoints.cds_xmatch, _cds_xmatch),
        "gaia_cdn": (endpoints.gaia_cdn, _gaia_cdn),
        "hats": ("", _hats),  # each question names its catalogue
        "truth": (endpoints.truth, _truth),
    }
    if unknown := sorted(set(manners) - set(services)):
        raise BadQuestion(f"There are manners for {len(unknown)} unknown services, first {unknown[0]!r}.")
    if missing := sorted(name for name, (url, _) in services.items() if url is not None and name not in manners):
        raise BadQuestion(
            f"{len(missing)} services have no manners, first {missing[0]!r}: say how each one wants to be asked."
        )
    return {name: _WhenAsked(make, url, manners[name]) for name, (url, make) in services.items() if url is not None}


class _WhenAsked:
    """A client that is made with the first request: astroquery and pyvo take a second to import."""

    def __init__(self, make: Callable[[str, Manner], Service], url: str, manner: Manner) -> None:
        self._make = make
        self._url = url
        self._manner = manner
        self._client: Service | None = None

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        if self._client is None:
            with _importing:
                self._client = self._client or self._make(self._url, self._manner)
        return self._client.send(question, items, job)


_importing = threading.Lock()  # of all clients: astroquery is not made to be imported by two threads


def _gaia_tap(url: str, manner: Manner) -> Service:
    from tasks.archives.gaia_tap import GaiaTap

    return GaiaTap(url, manner)


def _gaia_datalink(url: str, manner: Manner) -> Service:
    from tasks.archives.gaia_datalink import GaiaDatalink

    return GaiaDatalink(url, manner)


def _vo_tap(service: str, url: str, manner: Manner) -> Service:
    from tasks.archives.vo_tap import VoTap

    return VoTap(service, url, manner)


def _mast_portal(url: str, manner: Manner) -> Service:
    from tasks.archives.portal import MastPortal

    return MastPortal(url, manner)


def _ztf(url: str, manner: Manner) -> Service:
    from tasks.archives.ztf import ZtfLightCurves

    return ZtfLightCurves(url, manner)


def _cds_xmatch(url: str, manner: Manner) -> Service:
    from tasks.archives.xmatch import CdsXmatch

    return CdsXmatch(url, manner)


def _gaia_cdn(url: str, manner: Manner) -> Service:
    from tasks.archives.plain import Files

    return Files("gaia_cdn", url, manner)


def _hats(url: str, manner: Manner) -> Service:
    from tasks.archives.hats import Hats

    return Hats(manner)


def _truth(url: str, manner: Manner) -> Service:
    from tasks.archives.plain import Form

    return Form("truth", url, manner)
