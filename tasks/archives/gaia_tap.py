"""Client of Gaia's TAP service: asynchronous jobs through astroquery's TapPlus, polled by ourselves.

Never its synchronous `launch_job`, which puts TOP 2000 into queries and does not report it. A question that is to go
without the queue is posted to the synchronous service as it stands; so is every question once the queue stands still.
"""

from __future__ import annotations

import tempfile
from typing import Any
from urllib.parse import urlencode, urlsplit

import pyarrow as pa

from tasks.archives.adql import render
from tasks.archives.csv import count_rows
from tasks.archives.errors import TooMuch
from tasks.archives.gaia_connection import Connection, Login, fetch_document, open_tap
from tasks.archives.libraries import TapPlus
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question
from tasks.archives.replies import csv_answer, words
from tasks.archives.transport import wire
from tasks.archives.upload import UPLOAD_NAME, votable
from tasks.archives.uws import QueueStalled, answer

SYNC_ROWS = 2000  # at which the archive cuts a synchronous answer off, and does not say so


class GaiaTap:
    """TAP+ of the Gaia archive at `url`; a login comes from the environment, where there is one."""

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service = service
        self._url = url
        self._limits = limits
        self._login = Login(self._service)
        self._is_stalled = False  # the queue, seen by a job that waited in it in vain

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        query = render(question.text, items, question.key, question.parameters)
        tap, connection = open_tap(self._url, self._limits)

        def launch() -> _TapPlusJob:
            with tempfile.NamedTemporaryFile("wb", suffix=".vot") as upload:
                if question.is_upload:
                    upload.write(votable(items))
                    upload.flush()
                # As a file: for a table, TapPlus asks for a VOTable beside the format that it was told.
                resource = {"upload_resource": upload.name, "upload_table_name": UPLOAD_NAME}
                started = tap.launch_job_async(
                    query, output_format="csv", background=True, **(resource if question.is_upload else {})
                )
            job.remember(started.remoteLocation)
            return _TapPlusJob(tap, connection, started)

        def attach(id: str) -> _TapPlusJob:
            return _TapPlusJob(tap, connection, tap.load_async_job(jobid=id, load_results=False))

        with wire(self._service, self._limits.timeout_s):
            self._login.enter(tap, connection, urlsplit(self._url).scheme == "https")
            with self._login.renew(connection):
                if question.is_sync or (self._is_stalled and not question.is_upload):
                    return self._answer_at_once(connection, query)
                try:
                    return answer(self._service, self._limits, job, launch, attach)
                except QueueStalled:
                    self._is_stalled = True
                    if question.is_upload:
                        raise
                    return self._answer_at_once(connection, query)

    def outage(self) -> str:
        """What the service says of being down."""
        from tasks.archives.vosi import outage  # pyvo, which no answer of this service needs

        return outage(self._service, self._url, self._limits)

    def _answer_at_once(self, connection: Connection, query: str) -> bytes:
        """The answer of the synchronous service; TooMuch for as many rows as where it is known to cut off."""
        form = urlencode({"REQUEST": "doQuery", "LANG": "ADQL", "FORMAT": "csv", "QUERY": query})
        body = csv_answer(self._service, connection.execute_tappost("sync", form).read(), self._limits.row_cap)
        if count_rows(body) == SYNC_ROWS:
            raise TooMuch(f"{self._service} cut its answer off at {SYNC_ROWS} rows (without its queue): ask for less.")
        return body


class _TapPlusJob:
    """A job of TapPlus as `uws` wants it."""

    def __init__(self, tap: TapPlus, connection: Connection, job: Any) -> None:
        self._tap, self._connection, self._job = tap, connection, job
        self.id = str(job.jobid)

    def phase(self) -> str:
        """The phase in which the job is, in the words of UWS."""
        return str(self._job.get_phase(update=True))

    def start(self) -> None:
        """Tells the service to run the job."""
        self._connection.execute_tappost(f"async/{self.id}/phase", "PHASE=RUN").read()

    def result(self) -> bytes:
        """The answer of a completed job."""
        return fetch_document(self._connection, f"async/{self.id}/results/result")

    def error(self) -> str:
        """The message of a failed job."""
        return words(fetch_document(self._connection, f"async/{self.id}/error"))

    def remove(self) -> None:
        """Deletes the job at the service."""
        self._tap.remove_jobs([self.id])
