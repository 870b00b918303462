"""Client of IRSA's light curves of ZTF, which no library covers.

https://irsa.ipac.caltech.edu/docs/program_interface/ztf_lightcurve_api.html (read November 2026, untested).
"""

from __future__ import annotations

import pyarrow as pa
import requests

from tasks.archives.errors import BadQuestion
from tasks.archives.limits import ServiceLimits
from tasks.archives.question import Job, Question
from tasks.archives.replies import csv_answer
from tasks.archives.transport import PerThread, prepare, wire


class ZtfLightCurves:
    """nph_light_curves at `url`: all epochs of the objects in the question's key column, flagged ones too.

    The question's parameters are those of the service: COLLECTION (ztf_dr24), TIME, BAD_CATFLAGS_MASK (0 unless
    given: no epoch is left out).
    """

    def __init__(self, service: str, url: str, limits: ServiceLimits) -> None:
        self._service = service
        self._url = url
        self._limits = limits
        self._session = PerThread(lambda: prepare(requests.Session(), limits))

    def send(self, question: Question, items: pa.Table, job: Job) -> bytes:
        """The verbatim answer of the service to one request."""
        if question.key is None or not items.num_rows:
            raise BadQuestion(
                f"{self._service} is asked about objects, but {items.num_rows} items came by {question.key!r}."
            )
        parameters = {name.upper(): value for name, value in question.parameters.items()}
        fields = {"BAD_CATFLAGS_MASK": "0", "FORMAT": "CSV"} | parameters
        ids = [("ID", str(int(oid))) for oid in items[question.key].to_pylist()]
        with wire(self._service, self._limits.timeout_s):
            reply = self._session().get(self._url, params=[*ids, *fields.items()])
            return csv_answer(self._service, reply.content, self._limits.row_cap)
