"""Documents of the Universal Worker Service 1.1: a job, the list of jobs, parameters, results.

TapPlus reads the parameters `format` and `query` by these very names; pyvo looks for the result's href.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from tasks.replica.jobs import Job

KEPT = timedelta(days=3)  # Gaia keeps anonymous results for three days
EXECUTION_S = 7200
SPACES = (
    'xmlns:uws="http://www.ivoa.net/xml/UWS/v1.0" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" version="1.1"'
)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def job_document(job: Job, url: str) -> str:
    """One job with all that is known about it."""
    error = ""
    if job.error is not None:
        message = f"<uws:message>{escape(job.error)}</uws:message>"
        error = f'<uws:errorSummary type="fatal" hasDetail="true">{message}</uws:errorSummary>\n'
    return (
        f"{HEAD}<uws:job {SPACES}>\n<uws:jobId>{job.id}</uws:jobId>\n"
        f"<uws:runId>{escape(job.parameters.get('runid', ''))}</uws:runId>\n"
        "<uws:ownerId>anonymous</uws:ownerId>\n"
        f'<uws:phase>{job.phase}</uws:phase>\n<uws:quote xsi:nil="true"/>\n'
        f"{_time('creationTime', job.created)}{_time('startTime', job.started)}{_time('endTime', job.ended)}"
        f"<uws:executionDuration>{EXECUTION_S}</uws:executionDuration>\n"
        f"{_time('destruction', job.created + KEPT)}{_parameters(job)}{_results(job, url)}{error}</uws:job>\n"
    )


def list_document(jobs: Sequence[tuple[Job, str]]) -> str:
    """All jobs of a service, each with its phase."""
    references = "".join(
        f"<uws:jobref id={quoteattr(job.id)} xlink:href={quoteattr(url)}><uws:phase>{job.phase}</uws:phase>"
        "</uws:jobref>\n"
        for job, url in jobs
    )
    return f"{HEAD}<uws:jobs {SPACES}>\n{references}</uws:jobs>\n"


def parameters_document(job: Job) -> str:
    """UWS document of a job's parameters."""
    return HEAD + _parameters(job, f" {SPACES}")


def results_document(job: Job, url: str) -> str:
    """UWS document of a job's results; `url` is the job's address."""
    return HEAD + _results(job, url, f" {SPACES}")


def _parameters(job: Job, spaces: str = "") -> str:
    values = {"format": "votable", **job.parameters}
    written = "".join(
        f"<uws:parameter id={quoteattr(name)}>{escape(value)}</uws:parameter>\n" for name, value in values.items()
    )
    return f"<uws:parameters{spaces}>\n{written}</uws:parameters>\n"


def _results(job: Job, url: str, spaces: str = "") -> str:
    result = ""
    if job.result is not None:
        media = quoteattr(job.result.media)
        result = f'<uws:result id="result" xlink:href={quoteattr(url + "/results/result")} mime-type={media}/>\n'
    return f"<uws:results{spaces}>\n{result}</uws:results>\n"


def _time(name: str, moment: datetime | None) -> str:
    if moment is None:
        return f'<uws:{name} xsi:nil="true"/>\n'
    return f"<uws:{name}>{moment.strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3]}Z</uws:{name}>\n"
