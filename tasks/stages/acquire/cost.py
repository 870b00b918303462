"""What a run will ask of the archives, said and held against its budget before anything is downloaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from schemas.inputs import ArchiveSource
from tasks.archives.errors import ArchiveError
from tasks.stages.acquire.addresses import is_at_live_pace, limits_of
from tasks.stages.progress import say
from tasks.surveys import cost
from tasks.surveys.survey import Ask, SampleReader, Survey

OpenExchange = Callable[[], AbstractContextManager[Ask]]


def say_cost(
    open_exchange: OpenExchange,
    source: ArchiveSource,
    reader: SampleReader,
    surveys: Sequence[Survey],
    limit: int | None,
    n_held: int,
) -> None:
    """Count the sample, and say what those of its sources cost that the lake does not hold; BadInput beyond the budget.

    Only where archives are asked at their own pace: a replica with short pauses costs nobody anything. A service that
    cannot count is no fault: the cost is then unknown.
    """
    if source.bulk or not is_at_live_pace(source):
        return
    limits = limits_of(source)
    try:
        with open_exchange() as ask:
            n = reader.count(ask)
    except ArchiveError as error:
        say(f"what this run costs is not known: the sample could not be counted ({error})")
        return
    n = max(0, min(n, limit or n) - n_held)
    costs = cost.reckon(n, surveys, limits)
    hours = cost.hours_by_service(costs, limits)
    for line in cost.describe(n, costs, hours) if n else ():
        say(line)
    cost.refuse_beyond(source.budget_hours, n, hours)
