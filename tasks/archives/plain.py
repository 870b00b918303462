"""Clients of services that are plain HTTP: a form that gives CSV, and files."""

from __future__ import annotations

from hashlib import md5

import pyarrow as pa
import requests

from tasks.archives.errors import BadQuestion, Retryable
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question
from tasks.archives.replies import BadReply, csv_answer, failure, is_page
from tasks.archives.transport import PerThread, prepare, wire


class Form:
    """A service that takes ids in a form field named as the question's key, separated by commas, and gives CSV."""

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service, self._url, self._limits = service, url, limits
        self._session = PerThread(lambda: prepare(requests.Session(), limits))

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        if question.key is None or not items.num_rows:
            raise BadQuestion(f"{self._service} is asked by ids, but {items.num_rows} items came by {question.key!r}.")
        ids = ",".join(map(str, items[question.key].to_pylist()))
        with wire(self._service, self._limits.timeout_s):
            reply = self._session().post(self._url, data={question.key: ids, **question.parameters})
            return csv_answer(self._service, reply.content, self._limits.row_cap)


class Files:
    """Files below `url`, or below the address that a question's parameter `address` names.

    The one item of a request names its file in the question's key column; without a key, the question's text does. A
    column or parameter `md5` holds the checksum to compare with, where there is one.
    """

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service, self._url, self._limits = service, url.rstrip("/"), limits
        self._session = PerThread(lambda: prepare(requests.Session(), limits))

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        name, checksum = question.text, question.parameters.get("md5")
        if question.key is not None:
            if items.num_rows != 1:
                raise BadQuestion(f"{self._service} gives one file a request, not {items.num_rows}: set chunk to 1.")
            item = items.to_pylist()[0]
            name, checksum = str(item[question.key]), item.get("md5", checksum)
        folder = question.parameters.get("address", self._url).rstrip("/")
        if name.startswith("/") or ".." in name.split("/") or "://" in name:
            raise BadQuestion(f"{self._service} has files below {folder}; {name!r} is none of them.")
        with wire(self._service, self._limits.timeout_s):
            body = self._get(f"{folder}/{name}")
        if is_page(body):
            raise failure(self._service, BadReply(200, body, {}))
        if checksum is not None and (found := md5(body, usedforsecurity=False).hexdigest()) != checksum.lower():
            raise Retryable(f"{self._service} sent {name} with checksum {found} instead of {checksum}.")
        return body

    def _get(self, url: str) -> bytes:
        """The file as it is: servers that declare a .gz file as compressed content would have it unpacked."""
        with self._session().get(url, headers={"Accept-Encoding": "identity"}, stream=True) as reply:
            return bytes(reply.raw.read(decode_content=False))
