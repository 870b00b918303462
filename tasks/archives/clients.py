"""One client for each service, opened when it is first asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pyarrow as pa

from tasks.archives.endpoints import Endpoints
from tasks.archives.errors import BadQuestion
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Client, Job, Question
from tasks.archives.services import SERVICES, Service


def open_clients(endpoints: Endpoints, limits: Mapping[str, ServiceLimits]) -> dict[str, Client]:
    """Clients by name of service; nothing is asked yet, and nothing imported.

    A service that the endpoints have no address of gets no client (no real archive tells the truth). Raises
    BadQuestion where a service has no limits, or where limits name a service that there is not.
    """
    if unknown := sorted(set(limits) - set(SERVICES)):
        raise BadQuestion(f"There are limits for {len(unknown)} unknown services, first {unknown[0]!r}.")
    urls = {
        name: endpoints.addresses.get(name, "")
        for name, service in SERVICES.items()
        if name in endpoints.addresses or not service.is_addressed
    }
    if missing := sorted(set(urls) - set(limits)):
        raise BadQuestion(
            f"{len(missing)} services have no limits, first {missing[0]!r}: say how many requests each one takes."
        )
    return {name: LazyClient(SERVICES[name], url, limits[name]) for name, url in urls.items()}


class LazyClient:
    """A client that is made with the first request: astroquery and pyvo take a second to import."""

    def __init__(self, service: Service, url: str, limits: ServiceLimits) -> None:
        self._service, self._url, self._limits = service, url, limits
        self._client: Client | None = None

    def open(self) -> Client:
        """The client itself, made when it is first wanted."""
        with _importing:
            self._client = self._client or self._service.open_client(self._url, self._limits)
        return self._client

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        return (self._client or self.open()).send(question, items, job)


_importing = threading.Lock()  # of all clients: astroquery is not made to be imported by two threads
