"""Asynchronous jobs as the Universal Worker Service (UWS 1.1) and Gaia's TAP+ offer them.

Clients rely on: PHASE=RUN in the creating POST starts the job, 303 with a Location that ends in the job's id, WAIT on
the job, DELETE answered by 303, and /deletejobs (TAP+ alone). An unknown or lost job is a 404.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from schemas import BadInput
from tasks.replica.adql import AdqlError
from tasks.replica.documents import digest, document_response, error_response, parameters_of, xml_response
from tasks.replica.forms import Form, read_form
from tasks.replica.jobs import ACTIVE, Answer, Job
from tasks.replica.query import FAULTS, Site
from tasks.replica.state import State
from tasks.replica.uploads import read_uploads
from tasks.replica.uws_xml import EXECUTION_S, job_document, list_document, parameters_document, results_document

Work = Callable[[Job, Request], Answer]
OnJob = Callable[[Request, Job], Awaitable[Response]]
# WAIT=-1 is "as long as you can": clients give up before this.
LONGEST_WAIT_S = 600.0
STEP_S = 0.02


class Asynchronous:
    """The job routes of one TAP service; `work` answers a job's query."""

    def __init__(self, site: Site, state: State, work: Work) -> None:
        self.site, self.state, self.work = site, state, work

    def routes(self) -> list[Route]:
        """Every address of the jobs, as the REST binding of UWS 1.1 lays them out."""
        base, job = f"{self.site.base}/async", f"{self.site.base}/async/{{id}}"
        return [
            Route(base, self.jobs, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(job, self._on_job(self.show), methods=["GET"]),
            Route(job, self._on_job(self.change), methods=["POST"]),
            Route(job, self._on_job(self.delete), methods=["DELETE"]),
            Route(f"{job}/phase", self._on_job(self.phase), methods=["GET"]),
            Route(f"{job}/phase", self._on_job(self.change), methods=["POST"]),
            Route(f"{job}/parameters", self._on_job(self.parameters), methods=["GET"]),
            Route(f"{job}/parameters", self._on_job(self.change), methods=["POST"]),
            Route(f"{job}/error", self._on_job(self.error), methods=["GET"]),
            Route(f"{job}/results", self._on_job(self.results), methods=["GET"]),
            Route(f"{job}/results/result", self._on_job(self.result), methods=["GET"]),
            Route(f"{job}/{{setting}}", self._on_job(self.setting), methods=["GET", "POST"]),
            Route(f"{self.site.base}/deletejobs", self.delete_many, methods=["POST"]),
        ]

    def _on_job(self, on_job: OnJob) -> Callable[[Request], Awaitable[Response]]:
        """The route for a job that is there; a lost one is a 404, now and ever after."""

        async def route(request: Request) -> Response:
            id = request.path_params["id"]
            if self.state.take(request, "lost_job") is not None:
                self.state.jobs.remove(self.site.service, id)
            job = self.state.jobs.get(self.site.service, id)
            if job is None:
                return error_response(f"Job not found: {id}", 404)
            try:
                return await on_job(request, job)
            except (BadInput, ValueError) as error:
                return error_response(str(error))

        return route

    def _url(self, request: Request, job: Job) -> str:
        return f"{str(request.base_url).rstrip('/')}{self.site.base}/async/{job.id}"

    async def jobs(self, request: Request) -> Response:
        """GET /async: the list of jobs."""
        jobs = self.state.jobs.of(self.site.service)
        return xml_response(list_document([(job, self._url(request, job)) for job in jobs]))

    async def create(self, request: Request) -> Response:
        """POST /async: create a job, run it where PHASE=RUN is among the parameters, and redirect to it."""
        try:
            form = await read_form(request)
            parameters, uploads = parameters_of(form), read_uploads(form)
        except BadInput as error:
            return error_response(str(error))
        phase = parameters.pop("phase", "").upper()
        job = self.state.jobs.create(self.site.service, parameters, uploads)
        self.state.note(request, job=job.id, digest=digest(parameters, uploads))
        if phase == "RUN":
            self._start(request, job)
        return RedirectResponse(self._url(request, job), 303)

    def _start(self, request: Request, job: Job) -> None:
        failure = self.state.take(request, "job_error")
        job.fault = self.state.take(request, *FAULTS)

        def run(job: Job) -> Answer:
            time.sleep(self.state.limits.job_seconds)
            if failure is not None:
                raise AdqlError(failure.body or "Internal error while running the job")
            return self.work(job, request)

        self.state.jobs.run(job, run, self.state.limits.queue_seconds)

    async def show(self, request: Request, job: Job) -> Response:
        """GET a job: its document; with WAIT it is sent when the phase changes, or after so many seconds."""
        if wait := request.query_params.get("WAIT"):
            await self._wait(job, float(wait), request.query_params.get("PHASE"))
        return xml_response(job_document(job, self._url(request, job)))

    async def _wait(self, job: Job, seconds: float, phase: str | None) -> None:
        until = time.monotonic() + (seconds if seconds >= 0 else LONGEST_WAIT_S)
        phase = phase or job.phase
        while job.phase == phase and job.phase in ACTIVE and time.monotonic() < until:
            await asyncio.sleep(STEP_S)

    async def change(self, request: Request, job: Job) -> Response:
        """A new phase, parameters of a job that does not run yet, or ACTION=DELETE."""
        form = await read_form(request)
        parameters = parameters_of(form)
        if parameters.get("action", "").upper() == "DELETE":
            return await self.delete(request, job)
        phase = parameters.pop("phase", "").upper()
        if parameters or form.files:
            self._set(job, parameters, form)
        if phase == "RUN":
            self._start(request, job)
        elif phase == "ABORT":
            job.become("ABORTED")
        elif phase:
            raise AdqlError(f'a job is told PHASE=RUN or PHASE=ABORT, found "{phase}"')
        return RedirectResponse(self._url(request, job), 303)

    def _set(self, job: Job, parameters: dict[str, str], form: Form) -> None:
        if job.phase != "PENDING":
            raise AdqlError(f"the job {job.id} is {job.phase}: its parameters cannot be changed any more")
        job.uploads |= read_uploads(form)
        job.parameters |= parameters

    async def delete(self, request: Request, job: Job) -> Response:
        """DELETE a job, and redirect to the list."""
        self.state.jobs.remove(self.site.service, job.id)
        return RedirectResponse(f"{str(request.base_url).rstrip('/')}{self.site.base}/async", 303)

    async def delete_many(self, request: Request) -> Response:
        """Delete the jobs of JOB_IDS, a list with commas, as Gaia's archive offers beside UWS."""
        ids = ((await read_form(request)).get("JOB_IDS") or "").split(",")
        gone = [id for id in ids if self.state.jobs.remove(self.site.service, id.strip())]
        return PlainTextResponse(f"Removed jobs: {', '.join(gone)}")

    async def phase(self, request: Request, job: Job) -> Response:
        """GET the phase of a job as plain text."""
        return PlainTextResponse(job.phase)

    async def parameters(self, request: Request, job: Job) -> Response:
        """GET the parameters of a job."""
        return xml_response(parameters_document(job))

    async def results(self, request: Request, job: Job) -> Response:
        """GET the list of results of a job."""
        return xml_response(results_document(job, self._url(request, job)))

    async def result(self, request: Request, job: Job) -> Response:
        """GET the result itself; an error document where the job has none."""
        if job.result is not None:
            return document_response(job.result, f"{job.id}-result")
        if job.phase in ACTIVE:
            return error_response(f"the job {job.id} has no result yet: it is {job.phase}", 404)
        return error_response(job.error or f"the job {job.id} was aborted")

    async def error(self, request: Request, job: Job) -> Response:
        """GET the error of a job; 404 where it has none."""
        if job.error is None:
            return error_response(f"the job {job.id} has no error: it is {job.phase}", 404)
        return error_response(job.error, 200)

    async def setting(self, request: Request, job: Job) -> Response:
        """Settings that a client may read and set, and that change nothing here."""
        values = {"executionduration": str(EXECUTION_S), "destruction": "", "quote": "", "owner": "anonymous"}
        setting = request.path_params["setting"].lower()
        if setting not in values:
            return error_response(f'a job has no "{setting}"', 404)
        if request.method == "POST":
            return RedirectResponse(self._url(request, job), 303)
        return PlainTextResponse(values[setting])
