"""Faults to inject into the replica, and what a run that met them must have cost and must not have changed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from tests.integration.acquisition import asked, faults_left, items_answered_twice, tables, understood
from tests.integration.conftest import assert_same

# The services that a run asks, and the end of the path by which each is asked for data. ESA's jobs are run by their
# submission, the others' by a second request.
DIRECT = {"gaia_datalink": "data$", "irsa_lightcurves": "nph_light_curves$", "cds_xmatch": "sync$", "truth": "truth$"}
TAP = dict.fromkeys(("gaia_tap", "mast_ps1", "mast_tic", "irsa_tap"), "async$")
WAYS = {**TAP, **DIRECT}
# The services that other settings ask instead: MAST's portal for the TIC, the files of Gaia's CDN for DataLink.
BY_PORTAL: dict[str, dict[str, Any]] = {"tic": {"via": "portal"}}
OTHERWISE = BY_PORTAL | {"gaia": {"route": "bulk"}}
OTHER_WAYS = {"mast_portal": "invoke$", "gaia_cdn": r"\.csv\.gz$"}
POLL = dict.fromkeys(TAP, r"async/\w+$") | {"gaia_tap": r"async/\w+/phase$"}
RESULT = dict.fromkeys(TAP, "results/result$")
# Requests that pass before the fault: the portal's first is about its columns, and pyvo looks at a new job five times
# before we ask for its phase.
SKIPPED = {("mast_portal", OTHER_WAYS["mast_portal"]): 1} | {
    (service, path): 5 for service, path in POLL.items() if service != "gaia_tap"
}


class Undisturbed(NamedTuple):
    """What a run without faults gives, how often it asks each service for data, and what."""

    lake: Path
    tables: dict[str, pa.Table]
    asked: Counter[str]
    questions: Counter[tuple[str, str]]


def at(service: str, path: str, after: int = 0, **fault: Any) -> dict[str, Any]:
    """A fault of a service, at a path; the first `after` of the requests that are meant pass."""
    return {"service": service, "path": path, "after": after + SKIPPED.get((service, path), 0), **fault}


def everywhere(paths: dict[str, str], **fault: Any) -> list[dict[str, Any]]:
    """The same fault for each service, at the path given for it."""
    return [at(service, path, **fault) for service, path in paths.items()]


def extra(base: str, undisturbed: Undisturbed) -> dict[str, int]:
    """By how much the requests for data exceed the least possible."""
    counts = asked(base)
    counts.subtract(undisturbed.asked)
    return {service: n for service, n in counts.items() if n}


def assert_complete(
    base: str, undisturbed: Undisturbed, lake: Path, more: dict[str, int], again: dict[str, int] | None = None
) -> None:
    """The lake is that of an undisturbed run; so many more requests were sent, every fault was met, nothing is twice.

    `again`: questions that did reach an archive and had to be repeated, by service; by default none had.
    """
    assert faults_left(base) == []
    assert_same(undisturbed.tables, tables(lake))
    assert extra(base, undisturbed) == more
    repeated = understood(base)
    repeated.subtract(undisturbed.questions)
    assert all(n >= 0 for n in repeated.values())
    assert Counter(service for service, _ in repeated.elements()) == Counter(again or {})
    assert items_answered_twice(lake) == []
    assert not any((lake / "staging").rglob("*.parquet"))


def assert_nothing_to_see(lake: Path) -> None:
    """After a stop: no table says that the sample is there, and what was staged is in no table."""
    assert "core_sample__source" not in tables(lake)
    assert all(table.num_rows == 0 for table in tables(lake).values())
