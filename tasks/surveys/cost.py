"""What a sample costs the archives, reckoned before it is asked for: requests, bytes and hours of each service.

Each survey declares what it asks about a source (`Survey.loads`), each service how long it takes and how much may be
asked of it at a time. Retries, and answers that a lake has already, are not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil

from schemas import BadInput
from tasks.archives.limits import Pace, ServiceLimits
from tasks.archives.services import SERVICES
from tasks.surveys.sample import CHUNK_SIZE
from tasks.surveys.survey import Survey

HOUR_S, KIB = 3600.0, 1024.0


@dataclass(frozen=True)
class Cost:
    """What a service is asked in a whole run."""

    requests: float = 0.0
    items: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.requests + other.requests, self.items + other.items, self.bytes + other.bytes)

    def hours(self, pace: Pace, limits: ServiceLimits) -> float:
        """Hours that it takes, with as many requests at a time and a second as the service allows."""
        by_time = pace.seconds(self.requests, self.items, self.bytes / KIB) / limits.parallel
        return max(by_time, self.requests / limits.per_second if limits.per_second else 0.0) / HOUR_S


def reckon(n: int, surveys: Iterable[Survey], limits: Mapping[str, ServiceLimits]) -> dict[str, Cost]:
    """By service, what `n` sources cost in these surveys."""
    found: dict[str, Cost] = {}
    for load in (load for survey in surveys for load in survey.loads):
        requests = by_chunks(load.items, n, CHUNK_SIZE, min(load.chunk or limits[load.service].chunk, CHUNK_SIZE))
        cost = Cost(requests, n * load.items, n * load.kib * KIB)
        found[load.service] = found.get(load.service, Cost()) + cost
    return found


def hours_by_service(costs: Mapping[str, Cost], limits: Mapping[str, ServiceLimits]) -> dict[str, float]:
    """Hours of each service whose pace is known; services are asked side by side, so the longest is that of the run."""
    paces = {service: SERVICES[service].pace for service in costs}
    return {service: costs[service].hours(pace, limits[service]) for service, pace in paces.items() if pace}


def by_chunks(per_source: float, n: int, chunk_size: int, chunk: int) -> float:
    """Requests about `per_source` items for each of `n` sources: none holds more than `chunk`."""
    whole, rest = divmod(n, chunk_size)
    return whole * _of_chunk(per_source * chunk_size, chunk) + _of_chunk(per_source * rest, chunk)


def _of_chunk(items: float, chunk: int) -> float:
    return ceil(items / chunk) if items >= 1 else items  # an item in every third chunk is a request in every third


def describe(n: int, costs: Mapping[str, Cost], hours: Mapping[str, float]) -> list[str]:
    """The cost in lines: one for each service, and what it is in all."""
    lines = [f"at most {n:,} sources, which the archives are reckoned to need for:"]
    lines += [
        f"  {service:18}{cost.requests:10,.0f} requests {cost.bytes / 1e9:9.2f} GB {hours[service]:9.1f} hours"
        for service, cost in costs.items()
        if service in hours
    ]
    total, longest = sum(cost.bytes for cost in costs.values()) / 1e9, max(hours.values(), default=0.0)
    return [*lines, f"  {'side by side':37} {total:9.2f} GB {longest:9.1f} hours"]


def refuse_beyond(budget_hours: float | None, n: int, hours: Mapping[str, float]) -> None:
    """BadInput where the longest download takes more hours than the budget has."""
    slowest = max(hours, key=lambda service: hours[service], default="")
    if budget_hours is None or not slowest or hours[slowest] <= budget_hours:
        return
    raise BadInput(
        f"{n:,} sources are reckoned to take {slowest} {hours[slowest]:,.0f} hours, more than source.budget_hours = "
        f"{budget_hours:g}: narrow the sample (--limit, source.sample.min_stetson, min_variable_score, tiles), or go "
        "on with --yes."
    )
