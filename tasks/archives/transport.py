"""What every client has in common on the wire: bounds on every reply, no retries of its own, one kind of error."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from xml.sax import SAXException

import requests
import urllib3
from requests.adapters import HTTPAdapter

from tasks.archives.bounded import EndlessReply, bounded_pools, unpack
from tasks.archives.errors import ArchiveError, Retryable, TooMuch
from tasks.archives.limits import ServiceLimits
from tasks.archives.replies import BadReply, failure, is_page

T = TypeVar("T")
# What the parsers of astroquery and pyvo raise on a reply that is not what they expect.
_UNREADABLE = (ValueError, LookupError, AttributeError, TypeError, SAXException)


class BoundedAdapter(HTTPAdapter):
    """An adapter that waits `timeout_s` for a connection and each part of a reply, and bounds the reply as a whole.

    Whatever its caller says: most say nothing, which means for ever (astroquery's MAST portal), and pyvo says 10 s for
    every poll.
    """

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits, self._pools = limits, bounded_pools(limits)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Connections whose replies are bounded."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """The same through a proxy."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: Any = True,
        cert: Any = None,
        proxies: Any = None,
    ) -> requests.Response:
        """The verbatim answer of the service to one request; unpacked, unless it was asked for as it is."""
        response = super().send(request, stream, self._limits.timeout_s, verify, cert, proxies)
        if request.headers.get("Accept-Encoding") != "identity":
            response.raw = unpack(response.raw, self._limits)
        return response


def prepare(session: requests.Session, limits: ServiceLimits) -> requests.Session:
    """`session` with bounds on every reply, and BadReply raised on every reply that is no answer."""
    adapter = BoundedAdapter(limits)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    session.hooks["response"].append(_check)
    return session


def _check(response: requests.Response, stream: bool = False, **_: Any) -> None:
    """Raise BadReply on a status of 400 and more, and on a web page. A stream's body is left to its reader."""
    if response.status_code >= 400:
        raise BadReply(response.status_code, response.content, response.headers, response.url)
    is_readable = not stream or "html" in response.headers.get("Content-Type", "")
    if is_readable and not response.is_redirect and is_page(response.content):
        raise BadReply(response.status_code, response.content, response.headers, response.url)


class PerThread(Generic[T]):
    """One object for each thread that asks: sessions and astroquery's classes keep state between calls."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._local = threading.local()

    def __call__(self) -> T:
        if not hasattr(self._local, "value"):
            self._local.value = self._make()
        value: T = self._local.value
        return value


@contextmanager
def wire(service: str, timeout_s: float) -> Iterator[None]:
    """Raise nothing but the archives' errors out of the block, whichever library the fault comes through."""
    try:
        yield
    except ArchiveError:
        raise
    except BadReply as reply:
        raise failure(service, reply) from None
    except EndlessReply as reply:
        raise _too_long(service, reply) from None
    except Exception as error:
        causes = list(_causes(error))
        if any(map(_is_timeout, causes)):
            raise Retryable(f"{service} did not answer within {timeout_s:g} s.", is_load=True) from error
        if isinstance(error, requests.JSONDecodeError) or not any(map(_is_of_the_wire, causes)):
            if not isinstance(error, _UNREADABLE):
                raise
            raise Retryable(f"{service} gave a reply that cannot be read ({_error_of(error)}).") from error
        raise Retryable(f"{service} cannot be reached or broke off ({_error_of(causes[-1])}).") from error


def _too_long(service: str, reply: EndlessReply) -> ArchiveError:
    sentence = f"{service} {reply}."
    return TooMuch(sentence) if reply.is_large else Retryable(sentence, is_load=True)


def quietly(service: str, timeout_s: float, call: Callable[[], object]) -> None:
    """Do what is not worth failing for, such as removing a job whose answer is here."""
    try:
        with wire(service, timeout_s):
            call()
    except ArchiveError:
        pass


def _is_of_the_wire(error: BaseException) -> bool:
    return isinstance(
        error, OSError | http.client.HTTPException | requests.RequestException | urllib3.exceptions.HTTPError
    )


def _is_timeout(error: BaseException) -> bool:
    if isinstance(error, urllib3.exceptions.NewConnectionError):  # which is a timeout for urllib3 whatever the reason
        return False
    return isinstance(error, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it was raised from, outermost first, through all the ways in which libraries wrap errors."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        cause = waiting.pop(0)
        if isinstance(cause, BaseException) and id(cause) not in seen:
            seen.add(id(cause))
            yield cause
            waiting += [*cause.args, getattr(cause, "reason", None), getattr(cause, "cause", None), cause.__cause__]


def _error_of(error: BaseException) -> str:
    """What an error says, without addresses: they are long and may carry what was asked."""
    if isinstance(error, http.client.IncompleteRead):
        n_bytes = error.partial if isinstance(error.partial, int) else len(error.partial)  # urllib3's has the number
        return f"the reply ended after {n_bytes} bytes"
    text = (error.strerror if isinstance(error, OSError) else None) or str(error).split(" for url")[0]
    return f"{type(error).__name__}: {' '.join(text.split())[:120]}" if text else type(error).__name__
