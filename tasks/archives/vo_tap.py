"""Client of TAP services at large (MAST's PS1 and TIC, IRSA), through pyvo, polled by ourselves.

Not pyvo's `run_async`, which waits in one blocking call, knows no CSV and loses the job when it is interrupted.
"""

from __future__ import annotations

import io
from typing import Any

import pyarrow as pa
import requests
from pyvo.dal import AsyncTAPJob, TAPService

from tasks.archives.adql import render
from tasks.archives.errors import Retryable
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question
from tasks.archives.replies import BadReply, words
from tasks.archives.transport import PerThread, prepare, wire
from tasks.archives.upload import UPLOAD_NAME, votable
from tasks.archives.uws import answer
from tasks.archives.vosi import outage


class VoTap:
    """The TAP service called `service`, at `url`."""

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service = service
        self._url = url.rstrip("/")
        self._limits = limits
        self._session = PerThread(lambda: prepare(requests.Session(), limits))

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        query = render(question.text, items, question.key, question.parameters)
        session = self._session()

        def launch() -> _PyvoJob:
            uploads = {UPLOAD_NAME: io.BytesIO(votable(items))} if question.is_upload else None
            # RESPONSEFORMAT is what TAP 1.1 calls it, FORMAT what TAP 1.0 did.
            formats = {"FORMAT": "csv", "RESPONSEFORMAT": "csv"}
            created = TAPService(self._url, session=session).submit_job(query, uploads=uploads, **formats)
            started = _PyvoJob(self._service, created, session)
            job.remember(created.url)
            started.limit(self._limits.job_s)
            created.run()
            return started

        def attach(id: str) -> _PyvoJob:
            # At today's address of the service: jobs outlive what they were started through.
            return _PyvoJob(self._service, AsyncTAPJob(f"{self._url}/async/{id}", session=session), session)

        with wire(self._service, self._limits.timeout_s):
            return answer(self._service, self._limits, job, launch, attach)

    def outage(self) -> str:
        """What the service says of being down."""
        return outage(self._service, self._url, self._limits)


class _PyvoJob:
    """A job of pyvo as `uws` wants it."""

    def __init__(self, service: str, job: Any, session: requests.Session) -> None:
        if not job.job_id:
            raise Retryable(f"{service} answered with something else than a job.")
        self._job, self._session, self._url = job, session, job.url
        self.id = str(job.job_id)

    def limit(self, seconds: float) -> None:
        """Ask for this much time; a service that does not let us choose keeps its own limit."""
        try:
            self._job.execution_duration = int(seconds)
        except BadReply as reply:
            if reply.status >= 500:
                raise

    def phase(self) -> str:
        """The phase in which the job is, in the words of UWS."""
        return str(self._job.phase)

    def start(self) -> None:
        """Tells the service to run the job."""
        self._job.run()

    def result(self) -> bytes:
        """The answer of a completed job."""
        return self._session.get(self._job.result_uri or f"{self._url}/results/result").content

    def error(self) -> str:
        """The message of a failed job."""
        summary = self._job.job.errorsummary
        message = summary and summary.message and summary.message.content
        return str(message).strip() if message else words(self._session.get(f"{self._url}/error").content)

    def remove(self) -> None:
        """Deletes the job at the service."""
        self._job.delete()
