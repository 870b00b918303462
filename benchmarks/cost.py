"""What would a run of 1e4, 1e6 and 1e8 sources cost the real archives, in requests, bytes and hours?

Items and bytes per source are those of a lake's own request ledger (acquired from the replica or live); chunks of
the sample, items a request, limits and paces are those of a live run; how long requests take was measured by others or
is assumed, as named there. A count of rows is reckoned as a request without items.
An estimate without retries: no live archive was reached.

python -m benchmarks.cost [LAKE]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from lakehouse.delta.store import Lake
from lakehouse.query import run_sql
from tasks.archives.counts import COUNT
from tasks.archives.limits import ServiceLimits
from tasks.archives.services import PROFILES, SERVICES
from tasks.surveys.cost import KIB, Cost, by_chunks
from tasks.surveys.gaia_releases import gaia_release
from tasks.surveys.neighbours import RADIUS_ARCSEC, neighbours_question
from tasks.surveys.sample import CHUNK_SIZE

SIZES = (10_000, 1_000_000, 100_000_000)


@dataclass(frozen=True)
class Asked:
    """What the ledger says of one question: how often it was asked, about how many items, and what came."""

    service: str
    text: str
    requests: int
    items: int
    rows: int
    bytes: int


def main(lake: str = "lake") -> None:
    """Prints a table for each size."""
    questions, sources = ledger(lake), Lake(lake).count("core_gaia__source")
    print(f"per source: from the ledger of {lake}, {sources:,} sources; chunks of {CHUNK_SIZE:,} sources")
    for n in SIZES:
        total_bytes, longest = 0.0, 0.0
        print(f"\n{n:,} sources\n{'service':18}{'requests':>12}{'GB':>10}{'hours':>10}")
        for service, cost in costs(questions, sources, n, CHUNK_SIZE, PROFILES["live"]).items():
            if (pace := SERVICES[service].pace) is None:
                continue
            hours = cost.hours(pace, PROFILES["live"][service])
            total_bytes, longest = total_bytes + cost.bytes, max(longest, hours)
            print(f"{service:18}{cost.requests:12,.0f}{cost.bytes / 1e9:10.2f}{hours:10.1f}")
        print(f"{'in all':18}{'':12}{total_bytes / 1e9:10.2f}{longest:10.1f}  (services are asked side by side)")
    print("\nper source, on which a run reckons before it asks:\nservice                items       KiB")
    for service, cost in costs(questions, sources, sources, CHUNK_SIZE, PROFILES["live"]).items():
        print(f"{service:18}{cost.items / sources:10.2f}{cost.bytes / KIB / sources:10.2f}")
    print("\nseconds of a request, of 1,000 items in it, and of a MiB of its reply:")
    for service, pace in ((each.name, each.pace) for each in SERVICES.values() if each.pace):
        rates = f"{pace.request_s:6.1f}{1000 * pace.item_s:7.1f}{KIB * pace.kib_s:7.1f} s"
        print(f"  {service:18}{rates}  {pace.source}")


def ledger(lake: str) -> list[Asked]:
    """The questions that were answered, from the table of requests."""
    rows = run_sql(
        lake,
        "select service, text, count(*) as requests, sum(n_item)::bigint as items, sum(n_row)::bigint as rows, "
        "sum(n_byte)::bigint as bytes from raw_archive__request where status = 'done' group by all order by all",
    ).to_pylist()
    return [Asked(**row) for row in rows]


def costs(
    questions: list[Asked], sources: int, n: int, chunk_size: int, limits: Mapping[str, ServiceLimits]
) -> dict[str, Cost]:
    """By service, what a run of `n` sources sends where these `questions` were asked about so many `sources`."""
    found: dict[str, Cost] = {}
    for asked in questions:
        scale, own = n / sources, limits[asked.service]
        if "{lo}" in asked.text:  # the sample itself: in as many ranges, unless one would come to the cap
            requests = max(asked.requests, ceil(asked.rows * scale / own.row_cap)) if own.row_cap else 1.0
        else:
            requests = by_chunks(asked.items / sources, n, chunk_size, _chunk(asked, own))
        items = 0.0 if asked.text.startswith(COUNT) else asked.items * scale  # what takes time is the rows
        cost = Cost(requests, items, asked.bytes * scale)
        found[asked.service] = found.get(asked.service, Cost()) + cost
    return found


def _chunk(asked: Asked, limits: ServiceLimits) -> int:
    """How many items a request of this question holds: the service's chunk, or the smaller one that it asks for."""
    neighbours = neighbours_question(gaia_release("dr3"), RADIUS_ARCSEC)
    is_own = neighbours.text.partition("FROM")[2] in asked.text and neighbours.chunk  # the list, and its count
    return min(neighbours.chunk, limits.chunk) if is_own else limits.chunk


if __name__ == "__main__":
    main(*sys.argv[1:2])
