"""Client of the MAST portal, for the TIC by lists of ids, through astroquery's Catalogs.

astroquery gives the portal up after 0.4.11 (its main branch, PR #3582), and this client calls what is private there:
nothing else imports `astroquery.mast`, so that no other service breaks with it. MAST's TAP is asked by default.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import requests
from astroquery.mast import CatalogsClass

from tasks.archives.errors import BadQuestion, Retryable
from tasks.archives.libraries import InvalidQueryError
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question
from tasks.archives.replies import complaint
from tasks.archives.transport import PerThread, prepare, wire

TIC = "Mast.Catalogs.Filtered.Tic.Rows"
LONGER = 1.5
# Ids, which are asked as lists. Where the portal counts one among the numbers, as it does with ID in astroquery's
# recorded answer, astroquery would take the first two of a list for the ends of a range.
LISTS = {"ID", "GAIA"}


class MastPortal:
    """The portal at `url`. Questions are about the TIC, by the column that `key` names ("gaia", DR2 ids, or "id").

    The answer is a JSON list of the portal's verbatim pages. What columns may be asked for is fetched once, with the
    first request.
    """

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service = service
        self._url = url.rstrip("/")
        self._limits = limits
        self._lock = threading.Lock()
        self._columns: dict[str, Any] = {}  # astroquery keeps these for all portals of a process; ours are of this one
        self._catalogs = PerThread(self._open)

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        if question.text != TIC or question.key is None:
            raise BadQuestion(
                f"{self._service} is asked for {question.text} by {question.key}; known is {TIC} by GAIA or ID."
            )
        ids = [str(id) for id in items[question.key].to_pylist()]
        if not ids or any("*" in id or "%" in id for id in ids):
            raise BadQuestion(f"{self._service} is asked for ids; {len(ids)} came, wildcards are not allowed.")
        with wire(self._service, self._limits.timeout_s):
            catalogs = self._catalogs()
            self._learn_columns(catalogs)
            try:
                pages = catalogs.query_criteria_async("TIC", **{question.key.upper(): ids})
            except InvalidQueryError as error:
                raise BadQuestion(f"{self._service} cannot be asked by {question.key}: {error}") from None
            contents = [_check(self._service, page) for page in pages]
            _check_total(self._service, contents)
            return b"[" + b",".join(page.content for page in pages) + b"]"

    def _open(self) -> CatalogsClass:
        """A Catalogs of one thread; it keeps the state of a call, and its address is set by its class at import."""
        catalogs = CatalogsClass()
        portal = catalogs._portal_api_connection
        prepare(portal._session, self._limits)
        portal._session.hooks["response"].append(_Patience(self._limits))
        portal.MAST_REQUEST_URL = f"{self._url}/api/v0/invoke"
        portal.COLUMNS_CONFIG_URL = f"{self._url}/portal/Mashup/Mashup.asmx/columnsconfig"
        portal.TIMEOUT = self._limits.timeout_s  # looked at after each reply
        portal._column_configs = self._columns
        return catalogs

    def _learn_columns(self, catalogs: CatalogsClass) -> None:
        """Fetch the portal's description of the TIC's columns, in one thread, before any other looks into it."""
        with self._lock:
            if TIC not in self._columns:
                try:
                    catalogs._portal_api_connection._get_col_config(TIC, fetch_name="Mast.Catalogs.Tess.Cone")
                except BaseException:
                    self._columns.pop(TIC, None)  # half of it may be there
                    raise
                for name in LISTS & set(self._columns[TIC]):
                    self._columns[TIC][name] |= {"vot.datatype": "char", "treatNumeric": False}


class _Patience:
    """A response hook: pauses where the portal is still EXECUTING, after which astroquery asks again at once."""

    def __init__(self, limits: ServiceLimits) -> None:
        self._first, self._longest = limits.poll_s
        self._pause = self._first

    def __call__(self, response: requests.Response, *_: Any, **__: Any) -> None:
        start = response.content[:400] if response.request.method == "POST" else b""
        if b'"EXECUTING"' in start:
            time.sleep(self._pause)
            self._pause = min(self._pause * LONGER, self._longest)
        else:
            self._pause = self._first


def _check(service: str, page: requests.Response) -> Mapping[str, Any]:
    """The content of a page of data; raises what a page says that is none."""
    content = page.json()
    if not isinstance(content, Mapping):
        raise Retryable(f"{service} answered with JSON that is no page of a table.")
    status = content.get("status")
    if status == "ERROR":
        raise complaint(service, str(content.get("msg") or ""), "status ERROR")
    if status != "COMPLETE" or not isinstance(content.get("data"), list):
        raise Retryable(f"{service} answered with a page without data (status {status}).")
    return content


def _check_total(service: str, pages: Sequence[Mapping[str, Any]]) -> None:
    """Retryable where the pages do not have as many rows together as each says that there are in all."""
    n_row = sum(len(page["data"]) for page in pages)
    said = {paging["rowsFiltered"] for page in pages if "rowsFiltered" in (paging := page.get("paging") or {})}
    if said and said != {n_row}:
        raise Retryable(f"{service} sent {n_row:,} rows and says that there are {', '.join(map(str, sorted(said)))}.")
