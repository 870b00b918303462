"""The page of a run on Prefect's server: a name that says what happened, a summary, and links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from flows.comparison import describe_drift, describe_figures
from flows.failure import explain_failure
from flows.settings import Settings
from flows.summary import find_released
from lakehouse.delta.store import Lake
from lakehouse.quarantine import count_reasons
from lakehouse.run import StageResult
from schemas import BadInput
from tasks.monitoring.post import Page, open_post
from tasks.stages.fanout import connect
from tasks.stages.progress import pace

REUSED = "its inputs, settings and code are those of the run before"


@contextmanager
def open_page(dataset: str) -> Iterator[Page]:
    """The page of the flow run that is at work. A run that ends early has a name that says so, and why in its log.

    A fault of the input is not tried again: it stays as it is.
    """
    with open_post() as page:
        try:
            yield page
        except BaseException as error:
            is_failure = isinstance(error, Exception)
            sentence = isinstance(error, Exception) and explain_failure(error)
            page.log(f"The run ended early: {sentence or str(error) or type(error).__name__}", is_error=True)
            page.rename(f"{dataset} {datetime.now(UTC):%Y%m%d} {'failed' if is_failure else 'stopped'}")
            if isinstance(error, BadInput):
                page.refuse_retries()
            raise


def show_cluster(page: Page, dataset: str, scheduler: str) -> None:
    """A link to the pages of the Dask cluster at the address `scheduler`, as long as it runs."""
    with suppress(Exception), connect(scheduler) as client:
        address = client.dashboard_link.removesuffix("status")
        page.put("markdown", f"{dataset}-dask", f"[Dask's workers]({address}info/main/workers.html)", "While it runs")


def show_run(page: Page, settings: Settings, lake: Lake, stages: Sequence[StageResult]) -> None:
    """Name the run by what happened, and put its summary and links on its page."""
    title = entitle(settings.dataset, stages)
    page.rename(title)
    page.log(title)
    with suppress(Exception):  # a page is no reason to fail
        page.put("markdown", f"{settings.dataset}-summary", describe_run(title, settings, lake, stages))
    if folder := find_released(stages):
        uri = folder.resolve().as_uri()
        links = f"[report]({uri}/report.html) · [release]({uri})"
        page.put("markdown", f"{settings.dataset}-links", links, f"Report and release {folder}")


def entitle(dataset: str, stages: Sequence[StageResult]) -> str:
    """ "demo 20261203 +120 stars": what a run did; of one without new stars, which stages had work."""
    worked = {stage.name: stage.done for stage in stages if stage.is_new}
    if not worked:
        return f"{dataset} nothing new"
    what = f"+{worked['acquire']:,} stars" if "acquire" in worked else ", ".join(worked)
    return f"{dataset} {datetime.now(UTC):%Y%m%d} {what}"


def describe_run(title: str, settings: Settings, lake: Lake, stages: Sequence[StageResult]) -> str:
    """The summary as Markdown: stages, notes, figures and shares beside the release before, what was put aside."""
    folder = find_released(stages)
    aside = [f"| {reason} | {n:,} |" for reason, n in count_reasons(lake, settings.dataset).items()]
    parts = [
        f"# {title}",
        _table("| stage | done | of | seconds | rate | reused |", [_row(stage) for stage in stages]),
        *[f"- {stage.name}: {note}" for stage in stages for note in stage.notes],
        *describe_figures(lake, settings, folder),
        *describe_drift(settings.dataset, folder),
        "## Put aside",
        _table("| table.column: check | rows |", aside) if aside else "No row.",
        *(
            [f"## Where it lies\nReport `{folder}/report.html`, release `{folder}`, lake `{lake.path}`"]
            if folder
            else []
        ),
    ]
    return "\n\n".join(parts)


def _row(stage: StageResult) -> str:
    rate = pace(stage.done, stage.seconds) if stage.is_new and stage.seconds > 0.05 else ""
    n_reused = stage.total - stage.done
    reused = f"{n_reused:,}: {REUSED}" if n_reused > 0 else ""
    return f"| {stage.name} | {stage.done:,} | {stage.total:,} | {stage.seconds:.1f} | {rate} | {reused} |"


def _table(head: str, rows: Sequence[str]) -> str:
    return "\n".join([head, "|---" * (head.count("|") - 1) + "|", *rows])
